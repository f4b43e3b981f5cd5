"""Database connections (SQLite with durable commits, or PostgreSQL), the schema revision, and the database's clock."""

import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, func, inspect, literal_column, make_url, select, text
from sqlalchemy.orm import Session

from engage.storage.fast_statements import execute

MIGRATIONS = Path(__file__).parent / "migrations"

BUSY_TIMEOUT = 10.0  # seconds a writer waits for another before giving up
POOL_TIMEOUT = 3.0  # seconds a request waits for one of its process's connections before it is answered with 503
LOG_SIZE = 64 * 2**20  # bytes: a larger write-ahead log is truncated to this
GONE_AFTER = {  # until a PostgreSQL server counts as gone
    "connect_timeout": 5,  # seconds
    "tcp_user_timeout": 10_000,  # milliseconds until what was sent must have arrived
    "keepalives_idle": 30,  # seconds, as in `_set_keepalives`
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
ONE_WRITER = 4_931_207_615  # the advisory lock of PostgreSQL that sessions that write hold; any fixed number
PAUSE_LEAST, PAUSE_MOST = 0.1, 1.0  # seconds; a connection that waits for SQLite's write lock looks again within 0.1
CACHE = -16_000  # KiB of SQLite page cache per connection (negative: KiB, not pages)


def connect(url: str, purpose: str = "") -> Engine:
    """Return an engine for `url`. `purpose` names its connections at PostgreSQL; see `is_connected`.

    SQLite uses WAL, synchronous=FULL, and foreign keys. A transaction starts with BEGIN IMMEDIATE unless the connection
    has the execution option `reads=True`.
    """
    # hide_parameters: what families wrote must not reach a log through an error message.
    if not url.startswith("sqlite"):
        pool = {"pool_pre_ping": True, "pool_size": 8, "max_overflow": 8, "pool_timeout": POOL_TIMEOUT}
        engine = create_engine(url, hide_parameters=True, connect_args=_driver_settings(url, purpose), **pool)
        event.listen(engine, "connect", _set_keepalives)
        event.listen(engine, "begin", _take_turn)
        return engine
    sqlite = {"timeout": BUSY_TIMEOUT, "check_same_thread": False}
    engine = create_engine(url, hide_parameters=True, connect_args=sqlite)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin_transaction)
    return engine


def _set_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own deferred BEGIN fails with "database is locked"
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "trusted_schema=OFF",
        f"cache_size={CACHE}",
        f"journal_size_limit={LOG_SIZE}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _driver_settings(url: str, purpose: str) -> dict[str, str | int]:
    """Settings of libpq that the URL leaves open. A server that is gone without a word is noticed in seconds."""
    settings: dict[str, str | int] = {**GONE_AFTER, **({"application_name": purpose} if purpose else {})}
    return {name: value for name, value in settings.items() if name not in make_url(url).query}


def _set_keepalives(connection: Any, _record: Any) -> None:
    """Let the server end the session of a machine that is gone after a minute, not after two hours, because its locks
    and leases end with it."""
    with connection.cursor() as cursor:
        for name, seconds in (("idle", 30), ("interval", 10), ("count", 3)):  # count: probes without an answer
            cursor.execute(f"set tcp_keepalives_{name} = {seconds}")
    connection.commit()


def _begin_transaction(connection: Any) -> None:
    reads = connection.get_execution_options().get("reads", False)
    execute(connection, "BEGIN" if reads else "BEGIN IMMEDIATE")


def _take_turn(connection: Any) -> None:
    """Wait for the other sessions that write. Every action is written to the audit log, whose last entry is locked, so
    they would take turns anyway, but only after each has read what it decides on."""
    if connection.get_execution_options().get("one_writer", False):
        turn = "select set_config('lock_timeout', :longest, true), pg_advisory_xact_lock(:lock)"
        connection.execute(text(turn), {"longest": f"{int(BUSY_TIMEOUT * 1000)}ms", "lock": ONE_WRITER})


def write_session(engine: Engine) -> Session:
    """Return a session that may write, one at a time: what it has read does not change until its transaction ends. The
    caller commits, soon. Families' answers (storage/group_commit.py) take no turn: they lock the rows they use."""
    return Session(engine.execution_options(one_writer=True), expire_on_commit=False)


def read_session(engine: Engine) -> Session:
    """Return a read-only session. It neither waits for writers nor blocks them."""
    return Session(engine.execution_options(reads=True, one_writer=False), expire_on_commit=False)


def pause_after(held: float, least: float = PAUSE_LEAST) -> None:
    """Wait between two short write transactions of a long operation, as long as the last one was open (`held` seconds),
    within limits: without a pause the next one would begin before those who wait have looked again. `least` may be 0 if
    other work comes before the next one."""
    time.sleep(min(max(held, least), PAUSE_MOST))


def head() -> str:
    """Return the newest revision of this version. It is pinned in a file, so that two branches with migrations conflict
    in git."""
    return (MIGRATIONS / "HEAD").read_text("utf-8").strip()


def current_revision(engine: Engine) -> str | None:
    """Return the revision of the database, or None if it is empty."""
    with engine.execution_options(reads=True).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar()


def is_connected(session: Session, purpose: str) -> bool:
    """Whether an engine for this purpose is connected to the PostgreSQL database, on any machine."""
    query = "select exists (select from pg_stat_activity where datname = current_database() and application_name = :it)"
    return bool(session.scalar(text(query), {"it": purpose}))


def database_now(session: Session) -> datetime:
    """Return the current time by the database's clock, with its zone. For SQLite this is the clock of this machine."""
    if session.get_bind().dialect.name == "sqlite":
        text = session.scalar(select(func.strftime("%Y-%m-%dT%H:%M:%f", "now")))
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    now = session.scalar(select(literal_column("clock_timestamp()")))
    assert isinstance(now, datetime)
    return now.astimezone(UTC)
