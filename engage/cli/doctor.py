"""`engage doctor`: check that this machine has what Engage needs, one line per check."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from gettext import NullTranslations
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from stat import S_IMODE
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Engine

from engage.base.catalogs import DOMAINS, BrokenCatalogue, is_usable, po_path, read_po_file
from engage.base.clock import with_zone
from engage.base.config import NO_DISTRICT, SEALING_FILE, SECRET_FILE, Settings
from engage.base.languages import LANGUAGES
from engage.base.shared_dir import CheckResult, check_shared_dir
from engage.cli.problems import explain_problem
from engage.domain.mail.smtp import MailDeferred, MailServer, check_connection
from engage.domain.paper.typesetting.fonts import MissingFont, load_faces
from engage.domain.roster.deliveries import list_deliveries
from engage.domain.roster.import_state import unfinished_folder
from engage.domain.roster.oneroster_client import read_secret
from engage.domain.roster.staging_db import find_folder
from engage.domain.roster.update_messages import UpdateProblem, update_sentence
from engage.domain.roster.updates import update_status
from engage.domain.security.audit_anchor import ANCHOR_FILE
from engage.domain.security.sso_providers import load_providers
from engage.services.retention.run_schedule import retention_status
from engage.services.site_database import open_database, read_settings, sqlite_file
from engage.storage.engine import database_now, read_session

LEAST_DISK = 0.05  # share of the disk that must be free; the same limit as in /readyz
LEAST_BYTES = 500_000_000
PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}  # 2 is FULL

ALONE = (
    "ENGAGE_SHARED_DIR is not set; if several machines serve this site, set it on each to one directory that all of "
    "them mount: packets, keys, uploaded rosters, counted answers, the last drafts, and the audit anchor must be the "
    "same for all"
)
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")

MARKS = {True: "ok  ", False: "FAIL", None: "warn"}
CLOCK_MOST = 5.0  # seconds by which this machine's clock and the database's may differ


@click.command()
def doctor() -> None:
    """Check that this machine has what Engage needs. Exit code 1 if something is missing."""
    settings, well = read_settings(), True
    for name, check in CHECKS.items():
        for good, words in _run_check(check, settings):
            well = well and good is not False
            click.echo(f"{MARKS[good]}  {name:10}  {words}")
    if not well:
        raise SystemExit(1)


def _run_check(check: Callable[[Settings], Iterator[CheckResult]], settings: Settings) -> Iterator[CheckResult]:
    try:
        yield from check(settings)
    except Exception as problem:  # a check that fails to run is a finding; the other checks still run
        yield False, explain_problem(problem) or f"{type(problem).__name__}: {problem}"


def _check_python(_found: Settings) -> Iterator[CheckResult]:
    plain = ".".join(map(str, sys.version_info[:3]))
    yield sys.version_info >= (3, 11), f"{plain} (3.11 or newer is needed)"


def _check_packages(_found: Settings) -> Iterator[CheckResult]:
    requirements = [line for line in requires("engage") or () if "extra ==" not in line]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in requirements]  # a requirement begins with the name
    missing = [name for name in names if not _is_installed(name)]
    yield not missing, f"missing: {', '.join(missing)}; run: pip install ." if missing else f"{len(names)} installed"


def _is_installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def _check_fonts(settings: Settings) -> Iterator[CheckResult]:
    folder = Path(settings.font_dir) if settings.font_dir else None
    for language in LANGUAGES.values():
        try:
            load_faces(language.tag, language.fonts, folder)
            yield True, f"{language.tag}: {', '.join(language.fonts)}"
        except MissingFont as problem:
            yield False, str(problem)


def _check_catalogues(_found: Settings) -> Iterator[CheckResult]:
    for language in (each for each in LANGUAGES.values() if not each.source):
        for domain in DOMAINS:
            path = po_path(language.tag, domain)
            if not path.is_file():
                yield False, f"{path} is missing; run: engage words update"
                continue
            try:
                catalog = read_po_file(path, language)
            except BrokenCatalogue as problem:
                yield False, str(problem)
                continue
            words = [message for message in catalog if message.id]
            waiting = sum(not is_usable(message, catalog) for message in words)
            state = f"{waiting} of {len(words)} are shown in English" if waiting else f"all {len(words)} translated"
            yield True, f"{language.tag} {domain}: {state}{', draft' if language.is_draft(domain) else ''}"


def _check_database(settings: Settings) -> Iterator[CheckResult]:
    with open_database(settings) as engine:
        yield True, f"{engine.url.render_as_string()} is at head"
        yield _check_append_only(engine)
        yield from _check_sqlite(engine) if sqlite_file(settings) else _check_postgres(engine)


def _check_append_only(engine: Engine) -> CheckResult:
    """Check the triggers that keep the audit log append-only; a database that was copied row by row may lack them."""
    there = {
        "sqlite": "select name from sqlite_master where type = 'trigger'",
        "postgresql": "select tgname from pg_trigger where tgenabled <> 'D'",
    }[engine.dialect.name]
    with engine.execution_options(reads=True).connect() as connection:
        triggers = set(connection.exec_driver_sql(there).scalars())
    missing = {f"audit_events_no_{deed}" for deed in ("update", "delete")} - triggers
    detail = f"missing: {', '.join(sorted(missing))}; restore a backup that has them" if missing else "refuses changes"
    return not missing, f"audit log {detail}"


def _check_sqlite(engine: Engine) -> Iterator[CheckResult]:
    with engine.execution_options(reads=True).connect() as connection:
        for name, expected in PRAGMAS.items():
            is_ = connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            yield is_ == expected, f"PRAGMA {name} is {is_}"
        whole = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        yield whole == "ok", f"quick_check: {whole}"


def _check_postgres(engine: Engine) -> Iterator[CheckResult]:
    """Check that PostgreSQL acknowledges a commit only when it is on disk (as PRAGMA synchronous does for SQLite)."""
    with engine.connect() as connection:
        for name in DURABLE:
            is_ = connection.exec_driver_sql(f"show {name}").scalar()
            advice = ": a crash of the machine loses answers that families saw stored" if is_ == "off" else ""
            yield is_ != "off", f"{name} is {is_}{advice}"
    yield _check_clock(engine)


def _check_clock(engine: Engine) -> CheckResult:
    """Compare the clocks. Work is handed over by the database's clock; sign-ins and audit entries have this one's."""
    with read_session(engine) as session:
        apart = abs((datetime.now(UTC) - database_now(session)).total_seconds())
    advice = "" if apart <= CLOCK_MOST else "; run a time service on both, such as systemd-timesyncd"
    return apart <= CLOCK_MOST, f"the clocks of this machine and of the database differ by {apart:.1f} s{advice}"


def _check_retention(settings: Settings) -> Iterator[CheckResult]:
    with open_database(settings) as engine, read_session(engine) as session:
        now = retention_status(session, datetime.now(UTC))
    zone = ZoneInfo(settings.timezone)
    last = f"last run {now.last.astimezone(zone):%Y-%m-%d %H:%M} {settings.timezone}" if now.last else "no run yet"
    advice = "; keep `engage serve` or `engage worker` running, or run `engage retention run` each night"
    yield not now.overdue, last + (advice if now.overdue else "")
    if now.problem:
        yield False, f"the latest run did not delete everything: {now.problem}"


def _check_roster(settings: Settings) -> Iterator[CheckResult]:
    """Check whether a roster import was interrupted. Until it is complete, no codes or packets can be made."""
    with open_database(settings) as engine, read_session(engine) as session:
        name = unfinished_folder(session)
    if name is None:
        yield True, "no import was interrupted"
    elif find_folder(settings.site_dir, name):
        yield None, "an import is not complete; if none is running now, continue it: engage roster continue"
    else:
        yield False, f"an import is not complete, and its files are not in {settings.site_dir}; import a full export"


def _check_roster_updates(settings: Settings) -> Iterator[CheckResult]:
    """Check automatic updates of the roster: their source, and how the latest one ended."""
    if not settings.roster_dir and not settings.roster_url:
        yield True, "none; set ENGAGE_ROSTER_DIR or ENGAGE_ROSTER_URL if the roster shall follow another system"
        return
    try:
        if settings.roster_dir:
            yield True, f"{len(list_deliveries(Path(settings.roster_dir)))} deliveries in {settings.roster_dir}"
        else:
            read_secret(settings.roster_secret_file)
            yield True, f"{urlsplit(settings.roster_url).hostname} is asked each night; try it: engage roster pull"
    except UpdateProblem as problem:
        yield False, str(problem)
    with open_database(settings) as engine, read_session(engine) as session:
        status = update_status(session)
    last = status.succeeded
    zone = ZoneInfo(settings.timezone)
    yield True, f"last success {with_zone(last.began_at).astimezone(zone):%Y-%m-%d %H:%M}" if last else "no success yet"
    if status.latest is not None and status.is_failing:
        yield False, update_sentence(status.latest.reason, status.latest.detail, NullTranslations())
    if status.waiting is not None:
        yield None, "an update waits for an administrator, on the page Roster import"


def _check_disk(settings: Settings) -> Iterator[CheckResult]:
    for folder in dict.fromkeys((settings.data_dir.resolve(), settings.site_dir.resolve())):
        place = next(each for each in (folder, *folder.parents) if each.exists())
        disk = shutil.disk_usage(place)
        enough = disk.free >= LEAST_BYTES and disk.free / disk.total >= LEAST_DISK
        yield enough, f"{disk.free / 1e9:.1f} GB of {disk.total / 1e9:.1f} GB free at {place}"


def _check_shared_dir(settings: Settings) -> Iterator[CheckResult]:
    """Check what several machines of a site need to share. Without PostgreSQL, only one machine can serve."""
    if not settings.shared_dir:
        if sqlite_file(settings):
            yield True, "one machine serves this site: the database is a file (SQLite)"
        else:
            yield None, ALONE
        return
    yield from check_shared_dir(settings)


def _check_secret(settings: Settings) -> Iterator[CheckResult]:
    path = settings.site_dir / SECRET_FILE
    if settings.secret_key:
        yield True, "ENGAGE_SECRET_KEY is set"
    elif not path.exists():
        yield True, f"{path} will be created at the first start; keep a copy in a safe place"
    else:
        mode = S_IMODE(path.stat().st_mode)
        yield mode & 0o077 == 0, f"{path} has mode {mode:o}" + (f"; run: chmod 600 {path}" if mode & 0o077 else "")
        length = len(path.read_text().strip())
        yield length >= 32, f"{path} has {length} characters (at least 32)"


def _check_private_files(settings: Settings) -> Iterator[CheckResult]:
    for name in (SEALING_FILE, ANCHOR_FILE):
        path = settings.site_dir / name
        if not path.exists():
            yield True, f"{path} will be created when it is needed"
            continue
        mode = S_IMODE(path.stat().st_mode)
        yield mode & 0o077 == 0, f"{path} has mode {mode:o}" + (f"; run: chmod 600 {path}" if mode & 0o077 else "")
    yield from _check_file_modes(settings)


def _check_file_modes(settings: Settings) -> Iterator[CheckResult]:
    """Check whether other accounts of this machine can read what families wrote. A folder that existed before keeps its
    mode, and so does a file in it."""
    if not settings.data_dir.exists():
        return
    folder = settings.data_dir.resolve()
    open_ = [each for each in (folder, *_database_files(settings, folder)) if S_IMODE(each.stat().st_mode) & 0o077]
    if not open_:
        yield True, f"only its owner can open {folder} and read its databases"
    for path in open_:
        advice = f"chmod -R go-rwx {folder}" if path.is_relative_to(folder) else f"chmod 600 {path}"
        yield False, f"{path} has mode {S_IMODE(path.stat().st_mode):o}: other accounts can read it; run: {advice}"


def _database_files(settings: Settings, folder: Path) -> Iterator[Path]:
    """Every database file and copy of one: engage.db, its log, jobs.db, backups, and databases that a restore
    replaced."""
    yield from sorted({*folder.glob("*.db*"), *folder.glob("backups/*.db*")})
    file = sqlite_file(settings)
    if file and file.exists() and not file.resolve().is_relative_to(folder):
        yield file.resolve()


def _check_base_url(settings: Settings) -> Iterator[CheckResult]:
    near = any(f"://{host}" in settings.base_url for host in ("127.", "localhost", "[::1]"))
    good = settings.secure or near
    yield (
        good,
        settings.base_url + ("" if good else ": answers would not be encrypted; use https:// in ENGAGE_BASE_URL"),
    )
    yield from _check_proxies(settings)


def _check_proxies(settings: Settings) -> Iterator[CheckResult]:
    """Check the proxy settings. Engage does not speak TLS, so https:// means that there is a proxy; without its
    headers, all requests seem to come from the proxy's address."""
    if settings.secure and not settings.proxy_count:
        yield (
            False,
            "ENGAGE_PROXY_COUNT is 0, but https:// needs a proxy in front: all visitors would count as one address, "
            "and one of them could use up the attempts of all; set ENGAGE_PROXY_COUNT=1",
        )


def _check_district(settings: Settings) -> Iterator[CheckResult]:
    named = settings.district_name != NO_DISTRICT
    advice = f"pages show the name {NO_DISTRICT!r}; set ENGAGE_DISTRICT_NAME"
    yield True, settings.district_name if named else advice


def _check_mail(settings: Settings) -> Iterator[CheckResult]:
    server = MailServer.of(settings)
    if server is None:
        yield True, "no mail server is set: email waits on the page Outgoing mail (ENGAGE_MAIL_SERVER)"
        return
    hidden = server.security != "none" or server.host in ("localhost", "127.0.0.1", "::1")
    advice = "" if hidden else ": email is sent unencrypted; set ENGAGE_MAIL_SECURITY to starttls or tls"
    yield hidden, f"{server.host}:{server.port} ({server.security}) as {server.sender}{advice}"
    try:
        check_connection(server)
        yield True, f"{server.host} accepts the connection and the sign-in"
    except MailDeferred as problem:
        yield False, str(problem)


def _check_sign_in(settings: Settings) -> Iterator[CheckResult]:
    named = load_providers(settings)
    if not named:
        yield True, "staff sign in with a password; no provider is set (ENGAGE_SSO)"
    for provider in named.values():
        address = f"{settings.base_url.rstrip('/')}/staff/sso/{provider.key}/callback"
        yield True, f"{provider.name}: register the redirect address {address}"


CHECKS: dict[str, Callable[[Settings], Iterator[CheckResult]]] = {
    "python": _check_python,
    "packages": _check_packages,
    "fonts": _check_fonts,
    "words": _check_catalogues,
    "database": _check_database,
    "retention": _check_retention,
    "roster": _check_roster,
    "updates": _check_roster_updates,
    "disk": _check_disk,
    "shared": _check_shared_dir,
    "secret": _check_secret,
    "private": _check_private_files,
    "address": _check_base_url,
    "district": _check_district,
    "mail": _check_mail,
    "sign-in": _check_sign_in,
}
