"""Rows that many tests start with, created once per session and inserted into each test's database."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engage.storage.engine import connect, write_session
from engage.storage.models.base import Base

Rows = Mapping[Table, Sequence[dict[str, Any]]]
INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def collect_rows(build: Callable[[Session], object], folder: Path) -> Rows:
    """Return the rows that `build` adds to an empty database, by table, in an order in which tables can be filled."""
    engine = connect(f"sqlite:///{folder / 'seed.db'}")
    Base.metadata.create_all(engine)
    with write_session(engine) as session:
        build(session)
        session.commit()
    with engine.connect() as connection:
        tables = {table: _rows(connection, table) for table in Base.metadata.sorted_tables}
    engine.dispose()
    return {table: rows for table, rows in tables.items() if rows}


def _rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def insert_rows(engine: Engine, rows: Rows) -> None:
    """Insert the rows; existing rows with the same key are not changed."""
    with write_session(engine) as session:
        for table, each in rows.items():
            statement = INSERT[engine.dialect.name](table).on_conflict_do_nothing()
            session.connection().execute(statement, list(each))
        session.commit()
