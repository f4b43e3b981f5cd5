"""Settings of the site, read once at startup and passed as an argument. An invalid one stops startup with a message
that names it."""

import json
import secrets
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from engage.base import clock
from engage.base.files import create_private_file

SECRET_FILE = "secret-key"  # noqa: S105  a file's name in the site's directory, not a secret
SEALING_FILE = "sealing-keys"  # file in the site's directory with one key per line, the newest first
BACKUP_FILE = "last-backup"  # file in the site's directory; its modification time is that of the last backup
SHARED_MARK = "shared-dir-used"  # file in DATA_DIR: this machine has served with a shared directory
PHONE_MOST = 40  # characters of a telephone number
NAME_MOST = 120  # characters of the district's name, which is printed on every page
NO_DISTRICT = "Our school district"
PREFIX = "ENGAGE_"
TEST_PREFIX = "ENGAGE_TEST_"  # prefix of variables for the tests only
NOT_SETTINGS = ("ENGAGE_SETTINGS", "ENGAGE_CATALOGUE_DIR")  # read from the environment elsewhere
TOKEN_LEAST = 32  # characters of a token or secret
DAYS_MOST = 36_500  # a hundred years; larger values overflow the calendar
DAYS_LEAST = {"keep_answers_days": 30, "keep_conversations_days": 30, "keep_ledgers_days": 90}  # minimum; else 0
LOOPBACK = ("127.0.0.1", "::1", "localhost")  # hosts that need no encryption
DATABASES = ("postgresql+psycopg", "postgresql", "sqlite")
CHOICES = {
    "doors": ("both", "family", "staff"),
    "second_factor": ("required", "offered"),
    "counting": ("family", "family_school", "student"),
    "mail_security": ("starttls", "tls", "none"),
    "log_format": ("text", "json"),
}


class SettingProblem(Exception):
    """A setting that cannot be used. The message names the setting, the problem, and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Each field is the environment variable `ENGAGE_<FIELD>`, or a key of the TOML file that
    `ENGAGE_SETTINGS` names. The environment has precedence."""

    data_dir: Path = Path("instance")
    shared_dir: str = ""
    database_url: str = ""
    secret_key: str = field(default="", repr=False)
    base_url: str = "http://127.0.0.1:8000"
    doors: str = "both"
    district_name: str = NO_DISTRICT
    district_phone: str = ""
    interpreter_phone: str = ""
    timezone: str = "America/Chicago"
    font_dir: str = ""
    proxy_count: int = 0
    sealing_keys: str = field(default="", repr=False)
    second_factor: str = "required"
    keep_names: bool = True
    counting: str = "family"
    mail_server: str = ""
    mail_security: str = "starttls"
    mail_user: str = ""
    mail_password: str = field(default="", repr=False)
    mail_from: str = ""
    sso: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    keep_links_days: int = 180
    keep_drafts_days: int = 30
    keep_letters_days: int = 30
    keep_answers_days: int = 1095
    keep_conversations_days: int = 1095
    keep_ledgers_days: int = 1095
    metrics_token: str = field(default="", repr=False)
    roster_dir: str = ""
    roster_url: str = ""
    roster_client_id: str = ""
    roster_token_url: str = ""
    roster_secret_file: str = ""
    roster_scope: str = ""
    roster_learner_columns: str = ""
    roster_disability_columns: str = ""
    log_format: str = "text"

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Settings from the environment and its TOML file. Raises SettingProblem."""
        values: dict[str, Any] = _read_settings_file(environ.get("ENGAGE_SETTINGS"))
        names = {f.name for f in fields(cls)}
        for name in values:
            if name not in names:
                raise SettingProblem(f"{environ['ENGAGE_SETTINGS']}: {_unknown_setting_message(name, names)}")
        _check_names(environ, names)
        values |= {name: environ[key] for name in names if (key := f"ENGAGE_{name.upper()}") in environ}
        return cls(**_validate_settings(values))

    @property
    def database(self) -> str:
        """The database URL. The default is a SQLite file in the data directory."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'engage.db'}"

    @property
    def site_dir(self) -> Path:
        """The directory of the files that all machines of the site need: keys, packets, columns, drafts, rosters, and
        the audit anchor. It is the shared directory, or else the data directory."""
        return Path(self.shared_dir) if self.shared_dir else self.data_dir

    @property
    def secure(self) -> bool:
        """Whether family pages are served over HTTPS."""
        return self.base_url.startswith("https://")

    def local_time(self, moment: datetime) -> datetime:
        """Convert a moment to the district's time zone. A moment without a zone is UTC."""
        return clock.local_time(moment, self.timezone)

    def local_day(self, moment: datetime) -> date:
        """Return the date of a moment in the district's time zone."""
        return clock.local_day(moment, self.timezone)

    def midnight(self, day: date) -> datetime:
        """Return the moment, in UTC, at which a day begins in the district."""
        return clock.midnight(day, self.timezone)

    def secret(self) -> str:
        """Return the site's secret: the setting, or a random one stored in a file that only its owner can read. Raises
        SettingProblem."""
        if self.secret_key:
            return self.secret_key
        return self.read_key_file(SECRET_FILE, lambda: secrets.token_hex(32))

    def read_key_file(self, name: str, new_key: Callable[[], str]) -> str:
        """Return the content of a key file of the site, which is created if the site is new. Raises SettingProblem if
        it is missing and the site is not new, for example because the shared directory is not mounted."""
        path = self.site_dir / name
        if not path.exists():
            self.require_shared_dir()
            if self.shared_dir and (self.data_dir / name).exists():
                raise SettingProblem(
                    f"{path} is missing, but {self.data_dir / name} exists; move the site's files to the shared "
                    "directory (docs/operations.md, More than one machine)"
                )
            if (self.data_dir / SHARED_MARK).exists():
                raise SettingProblem(
                    f"{path} is missing, but this machine has used a shared directory before; mount it, check "
                    "ENGAGE_SHARED_DIR, or put the file back"
                )
            create_private_file(path, new_key())
        return path.read_text()

    def require_shared_dir(self) -> None:
        """Raises SettingProblem if the shared directory is set and does not exist. It is never created: an empty one
        would hide that it is not mounted."""
        if self.shared_dir and not Path(self.shared_dir).is_dir():
            raise SettingProblem(
                f"ENGAGE_SHARED_DIR is {self.shared_dir}, which is not a directory; mount or create it"
            )


KEEPING = {each.name for each in fields(Settings) if each.name.startswith("keep_") and each.name.endswith("_days")}


def _read_settings_file(name: str | None) -> dict[str, Any]:
    if not name:
        return {}
    try:
        return tomllib.loads(Path(name).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingProblem(f"ENGAGE_SETTINGS names {name}, which cannot be read: {problem}") from problem


def _check_names(environ: Mapping[str, str], names: Iterable[str]) -> None:
    """Refuse an unknown variable that starts with `ENGAGE_`. It is a typing error, which would otherwise go unnoticed.
    Raises SettingProblem."""
    variables = {f"{PREFIX}{name.upper()}" for name in names} | set(NOT_SETTINGS)
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in variables:
            raise SettingProblem(_unknown_setting_message(name, variables))


def _unknown_setting_message(name: str, candidates: Iterable[str]) -> str:
    """Return the error message for a name that is not a setting."""
    close = get_close_matches(name, sorted(candidates), 1, 0.7)
    advice = f"did you mean {close[0]}?" if close else f"these are known: {', '.join(sorted(candidates))}"
    return f"{name} is not a setting; {advice}"


def _check_texts(values: Mapping[str, Any]) -> None:
    """Check that text settings are strings. TOML reads a value without quotation marks as a number, date, or Boolean,
    which would fail later, where it is used. Raises SettingProblem."""
    texts = {each.name for each in fields(Settings) if each.type in (str, Path)}
    for name in sorted(texts & values.keys()):
        if not isinstance(values[name], str):
            raise SettingProblem(f"{name} must be text in quotation marks, not {values[name]!r}")


def _validate_settings(values: dict[str, Any]) -> dict[str, Any]:
    _check_texts(values)
    if "data_dir" in values:
        values["data_dir"] = Path(values["data_dir"])
    if "proxy_count" in values:
        values["proxy_count"] = _parse_whole_number("proxy_count", values["proxy_count"])
    for name in KEEPING & values.keys():
        values[name] = _parse_days(name, values[name])
    if "keep_names" in values:
        values["keep_names"] = _parse_bool("keep_names", values["keep_names"])
    for name, choices in CHOICES.items():
        if name in values and values[name] not in choices:
            raise SettingProblem(f"ENGAGE_{name.upper()} must be one of {', '.join(choices)}, not {values[name]!r}")
    if "sso" in values:
        values["sso"] = _parse_providers(values["sso"])
    if "interpreter_phone" in values:
        values["interpreter_phone"] = _parse_phone("interpreter_phone", values["interpreter_phone"])
    if "timezone" in values:
        values["timezone"] = _parse_timezone(values["timezone"])
    if "district_name" in values:
        values["district_name"] = _parse_district_name(values["district_name"])
    _check_database_url(values.get("database_url", ""))
    url = values.get("base_url", "http://127.0.0.1")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise SettingProblem(f"ENGAGE_BASE_URL must start with http:// or https:// and name a host, not {url!r}")
    if "secret_key" in values and len(values["secret_key"]) < TOKEN_LEAST:
        raise SettingProblem("ENGAGE_SECRET_KEY must have at least 32 characters; make one with: openssl rand -hex 32")
    _check_metrics_token(values.get("metrics_token", ""))
    _check_roster_source(values)
    return values


def _check_metrics_token(token: str) -> None:
    """Refuse a token that could be guessed, or that cannot be sent in a header. Raises SettingProblem."""
    if token and (len(token) < TOKEN_LEAST or not token.isascii() or not token.isprintable() or " " in token):
        raise SettingProblem(
            f"ENGAGE_METRICS_TOKEN must have at least {TOKEN_LEAST} characters, without spaces or accents; "
            "make one with: openssl rand -hex 32"
        )


def _check_roster_source(values: Mapping[str, Any]) -> None:
    """Check the source of automatic roster updates. Raises SettingProblem. Two sources of complete rosters would delete
    each other's students."""
    if values.get("roster_dir") and values.get("roster_url"):
        raise SettingProblem("set ENGAGE_ROSTER_DIR or ENGAGE_ROSTER_URL, not both: a roster follows one source")
    if values.get("roster_dir") and not Path(values["roster_dir"]).is_absolute():
        raise SettingProblem("ENGAGE_ROSTER_DIR must be an absolute path, such as /srv/sftp/roster")
    if not values.get("roster_url"):
        return
    for name in ("roster_client_id", "roster_token_url", "roster_secret_file"):
        if not values.get(name):
            raise SettingProblem(f"ENGAGE_ROSTER_URL is set, so ENGAGE_{name.upper()} must be set too")
    for name in ("roster_url", "roster_token_url"):
        _check_https(name, values[name])


def _check_https(name: str, url: str) -> None:
    """Refuse an address that would send a secret or a roster unencrypted; this machine may be asked without. The
    message leaves out the address, which could hold a password."""
    parts = urlsplit(url)
    is_near = parts.hostname in LOOPBACK and parts.scheme == "http"
    if (parts.scheme != "https" and not is_near) or not parts.hostname or parts.username or parts.query:
        raise SettingProblem(
            f"ENGAGE_{name.upper()} must be an https:// address without a user, password, or question mark"
        )


def _parse_whole_number(name: str, value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise SettingProblem(f"ENGAGE_{name.upper()} must be a whole number, 0 or more, not {value!r}")
    return number


def _check_database_url(url: str) -> None:
    """Refuse a database that Engage does not support. The message leaves out the URL, which can hold a password."""
    if url and url.partition(":")[0] not in DATABASES:
        raise SettingProblem("ENGAGE_DATABASE_URL must start with postgresql+psycopg:// or sqlite:///")


def _parse_timezone(value: Any) -> str:
    """Return the name of a time zone. Raises SettingProblem if the system's time zone database does not have it."""
    try:
        return ZoneInfo(str(value)).key
    except (KeyError, ValueError, OSError):  # unknown name; malformed name; name of a folder
        close = get_close_matches(str(value), sorted(available_timezones()), 1, 0.7)
        advice = f"; did you mean {close[0]}?" if close else ""
        raise SettingProblem(
            f"ENGAGE_TIMEZONE must be a time zone like America/Chicago, not {value!r}{advice}"
        ) from None


def _parse_district_name(value: Any) -> str:
    """Return the district's name on one line. If it is empty, pages say "Our school district"."""
    text = " ".join(str(value).split())
    if len(text) > NAME_MOST or not text.isprintable():
        raise SettingProblem(f"ENGAGE_DISTRICT_NAME must be a name of at most {NAME_MOST} characters, on one line")
    return text or NO_DISTRICT


def _parse_days(name: str, value: Any) -> int:
    number, least = _parse_whole_number(name, value), DAYS_LEAST.get(name, 0)
    if not least <= number <= DAYS_MOST:
        raise SettingProblem(f"ENGAGE_{name.upper()} must be {least} to {DAYS_MOST} days, not {value!r}")
    return number


def _parse_phone(name: str, value: Any) -> str:
    """Return a telephone number for print: on one line, short, and with at least one digit."""
    text = str(value).strip()
    if text and (len(text) > PHONE_MOST or not text.isprintable() or not any(each.isdecimal() for each in text)):
        raise SettingProblem(f"ENGAGE_{name.upper()} must be a telephone number of at most {PHONE_MOST} characters")
    return text


def _parse_bool(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in ("yes", "no", "true", "false", "1", "0"):
        raise SettingProblem(f"ENGAGE_{name.upper()} must be yes or no, not {value!r}")
    return str(value).lower() in ("yes", "true", "1")


def _parse_providers(text: Any) -> dict[str, dict[str, str]]:
    """Return the sign-in providers by name, from a table of the TOML file or a JSON object in the environment."""
    try:
        table = json.loads(text) if isinstance(text, str) else text
        return {str(name): {str(key): str(value) for key, value in each.items()} for name, each in table.items()}
    except (ValueError, AttributeError):
        raise SettingProblem("ENGAGE_SSO must be a JSON object of providers, each an object of texts") from None
