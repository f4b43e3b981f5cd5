"""What was deleted must not lie on in the file: rows leave copies of themselves in pages and in the write-ahead log."""

from collections.abc import Iterable
from contextlib import closing

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

AGAIN = "run this once more when the site is quiet"


def erase(engine: Engine, tables: Iterable[str]) -> str:
    """Write the database anew without what was deleted; returns what went wrong, empty if nothing did. SQLite: VACUUM,
    then the write-ahead log is cut to nothing. PostgreSQL: VACUUM of the tables."""
    try:
        return _sqlite(engine) if engine.dialect.name == "sqlite" else _postgres(engine, tables)
    except OperationalError as problem:
        return f"the database could not be written anew: {problem.orig}; {AGAIN}"


def _sqlite(engine: Engine) -> str:
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        try:
            cursor.execute("VACUUM")
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except engine.dialect.loaded_dbapi.OperationalError as problem:
            return f"the database could not be written anew: {problem}; {AGAIN}"
        return f"somebody was reading, so traces are left in the write-ahead log; {AGAIN}" if busy else ""


def _postgres(engine: Engine, tables: Iterable[str]) -> str:
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for table in tables:
            connection.exec_driver_sql(f'VACUUM "{table}"')
    return ""
