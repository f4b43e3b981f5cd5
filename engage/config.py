"""Settings, read once at the start and handed on. A wrong one stops the start and says its name."""

import os
import secrets
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

SECRET_FILE = "secret-key"  # noqa: S105  a file's name in DATA_DIR, not a secret
DOORS = ("both", "family", "staff")


class SettingProblem(Exception):
    """A setting that cannot be used; the message says which, what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the outside decides. Each field is `ENGAGE_<FIELD>` in the environment, or a key of the TOML file
    that `ENGAGE_SETTINGS` names; the environment wins."""

    data_dir: Path = Path("instance")
    database_url: str = ""
    secret_key: str = field(default="", repr=False)
    base_url: str = "http://127.0.0.1:8000"
    doors: str = "both"
    district_name: str = "Our school district"
    district_phone: str = ""
    timezone: str = "America/Chicago"
    font_dir: str = ""
    proxy_count: int = 0
    metrics_token: str = field(default="", repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Settings from the environment and its TOML file. Raises SettingProblem."""
        given: dict[str, Any] = _file(environ.get("ENGAGE_SETTINGS"))
        names = {f.name for f in fields(cls)}
        for name in given:
            if name not in names:
                raise SettingProblem(f"{environ['ENGAGE_SETTINGS']}: {name} is not a setting; known: {sorted(names)}")
        given |= {name: environ[key] for name in names if (key := f"ENGAGE_{name.upper()}") in environ}
        return cls(**_checked(given))

    @property
    def database(self) -> str:
        """The database's URL; SQLite in the data directory unless one is given."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'engage.db'}"

    @property
    def secure(self) -> bool:
        """Whether families come by HTTPS."""
        return self.base_url.startswith("https://")

    def secret(self) -> str:
        """The site's secret: the setting, or one made once and kept in the data directory for its owner only."""
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / SECRET_FILE
        if not path.exists():
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_secret(path)
        return path.read_text()


def _make_secret(path: Path) -> None:
    """Make the file whole or not at all; of two processes that start at once, the first one's stays."""
    own = path.with_name(f".{SECRET_FILE}-{secrets.token_hex(8)}")
    with open(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(own, path)
    own.unlink()


def _file(name: str | None) -> dict[str, Any]:
    if not name:
        return {}
    try:
        return tomllib.loads(Path(name).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingProblem(f"ENGAGE_SETTINGS names {name}, which cannot be read: {problem}") from problem


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    if "data_dir" in given:
        given["data_dir"] = Path(given["data_dir"])
    if "proxy_count" in given:
        try:
            given["proxy_count"] = int(given["proxy_count"])
        except ValueError:
            raise SettingProblem("ENGAGE_PROXY_COUNT must be a whole number: proxies in front of the server") from None
    if given.get("doors", "both") not in DOORS:
        raise SettingProblem(f"ENGAGE_DOORS must be one of {', '.join(DOORS)}, not {given['doors']!r}")
    url = given.get("base_url", "http://127.0.0.1")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise SettingProblem(f"ENGAGE_BASE_URL must start with http:// or https:// and name a host, not {url!r}")
    if "secret_key" in given and len(given["secret_key"]) < 32:
        raise SettingProblem("ENGAGE_SECRET_KEY must have at least 32 characters; make one with: openssl rand -hex 32")
    return given
