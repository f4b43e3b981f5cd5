"""Errors that mean: the database is away, read-only, full, or too busy. The same request may succeed later."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engage.storage.group_commit import CommitFailed

DRIVERS = ("psycopg", "sqlite3")
TRANSIENT = (  # SQLSTATE (PostgreSQL 15, appendix A), by its beginning
    "08",  # connection exceptions
    "25006",  # read-only transaction: a standby, or a database switched to read-only
    "40001",  # serialization failure
    "40P01",  # deadlock
    "53",  # out of disk, memory, or connections
    "55P03",  # lock not available in time
    "57P",  # shut down by an administrator, or starting up
)


def is_outage(problem: BaseException) -> bool:
    """Whether an error of SQLAlchemy, of a driver, or of the writer means that the database cannot do its work now."""
    if isinstance(problem, CommitFailed | OperationalError | InterfaceError | PoolTimeout | sqlite3.OperationalError):
        return True
    original = problem.orig if isinstance(problem, DBAPIError) else problem
    return str(getattr(original, "sqlstate", None) or "").startswith(TRANSIENT) or _is_driver_outage(original)


def _is_driver_outage(problem: BaseException | None) -> bool:
    return any(
        kind.__name__ in ("OperationalError", "InterfaceError") and kind.__module__.partition(".")[0] in DRIVERS
        for kind in type(problem).__mro__
    )


def summarize(problem: BaseException) -> str:
    """The first line of the database's message: without the statement, and without any value."""
    original = problem.orig if isinstance(problem, DBAPIError) and problem.orig else problem
    lines = str(original).strip().splitlines()
    return lines[0] if lines else type(original).__name__
