"""Erasure of deleted rows from the database's files: copies remain in pages and logs until these are rewritten.

SQLite rewrites the whole file (VACUUM) and truncates its write-ahead log. On PostgreSQL a deleted or changed row stays
in its table's file until that is rewritten: CLUSTER does so, in the order of the primary key, which is random wherever
the order of arrival would reveal something. WAL archives, replicas, and backups are the operator's responsibility
(README).
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from engage.storage.models.audit import AuditEvent
from engage.storage.models.base import Base

RETRY_ADVICE = "run this once more when the site is quiet"
PATIENCE = 60.0  # seconds after which erasure is given up
PAUSE = 0.5  # seconds between tries
READERS = 250  # ms that writers wait, in each try, for readers to end
LOCK = 1000  # ms that others wait behind this process, while it waits for a lock
GROWING = AuditEvent.__tablename__  # nothing is ever deleted from the audit log
LOCKED = ("55P03", "40P01")  # PostgreSQL: lock_not_available, deadlock_detected


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to retry, measured by `clock` in seconds; `sleep` waits between tries."""

    seconds: float = field(default_factory=lambda: PATIENCE)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def until(self, attempt: Callable[[], str]) -> str:
        """The last problem; empty as soon as an attempt succeeds."""
        end = self.clock() + self.seconds
        while (problem := attempt()) and self.clock() < end:
            self.sleep(PAUSE)
        return problem


def erase_deleted_rows(engine: Engine, patience: RetryPolicy | None = None) -> str:
    """Rewrite the database without deleted rows. Returns the problem, empty if there was none. SQLite: all writers
    wait. PostgreSQL: one table at a time; its users wait while it is copied."""
    patience = patience or RetryPolicy()
    try:
        return _erase_sqlite(engine, patience) if engine.dialect.name == "sqlite" else _erase_postgres(engine, patience)
    except OperationalError as problem:
        return f"the database could not be written anew: {problem.orig}; {RETRY_ADVICE}"


def _erase_sqlite(engine: Engine, patience: RetryPolicy) -> str:
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        try:
            cursor.execute("VACUUM")
            (waiting,) = cursor.execute("PRAGMA busy_timeout").fetchone()
            cursor.execute(f"PRAGMA busy_timeout={READERS}")  # a waiting checkpoint makes all writers wait
            try:
                return patience.until(lambda: _truncate_wal(cursor))
            finally:
                cursor.execute(f"PRAGMA busy_timeout={waiting}")
        except engine.dialect.loaded_dbapi.OperationalError as problem:
            return f"the database could not be written anew: {problem}; {RETRY_ADVICE}"


def _truncate_wal(cursor: Any) -> str:
    busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return f"somebody was reading, so traces are left in the write-ahead log; {RETRY_ADVICE}" if busy else ""


def _erase_postgres(engine: Engine, patience: RetryPolicy) -> str:
    problems = [
        patience.until(_cluster_attempt(engine, table)) for table in sorted(Base.metadata.tables) if table != GROWING
    ]
    _vacuum_statistics(engine)
    return "; ".join(filter(None, problems))


def _cluster_attempt(engine: Engine, table: str) -> Callable[[], str]:
    return lambda: try_with_lock(lambda: _cluster_table(engine, table))


def try_with_lock(attempt: Callable[[], str]) -> str:
    """The result of an attempt; a lock that was not acquired is a problem too."""
    try:
        return attempt()
    except OperationalError as problem:
        if getattr(problem.orig, "sqlstate", "") not in LOCKED:
            raise
        return f"somebody was using what has to be written anew; {RETRY_ADVICE}"


def _cluster_table(engine: Engine, table: str) -> str:
    key = Base.metadata.tables[table].primary_key.name
    with engine.begin() as connection, _collect_notices(connection) as details:
        connection.execute(text(f"set local lock_timeout = {LOCK}"))
        connection.execute(text(f'cluster verbose "{table}" using "{key}"'))
    numbers = [re.search(r"\d+", detail) for detail in details]
    left = max((int(each[0]) for each in numbers if each), default=-1)
    if left > 0:  # an older transaction may still read the deleted rows
        return f"somebody was reading, so {left:,} deleted rows are left in table {table}; {RETRY_ADVICE}"
    return "" if left == 0 else f"PostgreSQL does not say whether deleted rows are left in table {table}"


def _vacuum_statistics(engine: Engine) -> None:
    """Rewrite the table where PostgreSQL's planner stores sampled values. Columns of families' answers have no
    statistics (migration 0010), but had some in older versions. PostgreSQL skips it if the user does not own the
    database."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"set lock_timeout = {LOCK}"))
        try:
            connection.execute(text("vacuum full pg_catalog.pg_statistic"))
        finally:
            connection.execute(text("reset lock_timeout"))


@contextmanager
def _collect_notices(connection: Connection) -> Iterator[list[str]]:
    """The details of PostgreSQL's notices; those of CLUSTER VERBOSE begin, in every language, with the number of dead
    rows that could not be removed."""
    driver: Any = connection.connection.driver_connection
    details: list[str] = []

    def add(notice: Any) -> None:
        if notice.message_detail:
            details.append(notice.message_detail)

    driver.add_notice_handler(add)
    try:
        yield details
    finally:
        driver.remove_notice_handler(add)
