"""Bring a database to the tables this version knows, or tell how far it has come."""

import sqlite3
from pathlib import Path
from typing import cast

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = 4_716_263_001  # any number nobody else uses: two upgrades of one PostgreSQL database take turns


class BrokenReference(Exception):
    """After an upgrade a row points to one that is not there; the upgrade was undone."""


def head() -> str:
    """The newest revision this version knows. Pinned in a file, so that two branches collide in git, not at night."""
    return (MIGRATIONS / "HEAD").read_text("utf-8").strip()


def current(engine: Engine) -> str | None:
    """The revision the database stands at; None for an empty one."""
    with engine.execution_options(reads=True).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar()


def upgrade(engine: Engine) -> None:
    """Bring the database to head, all or nothing. Raises BrokenReference."""
    with engine.connect() as connection:
        _references(connection, enforced=False)
        try:
            with connection.begin():
                _one_at_a_time(connection)
                command.upgrade(configuration(connection), "head")
                _whole(connection)
        finally:
            _references(connection, enforced=True)


def configuration(connection: Connection) -> Config:
    """Alembic's configuration, made here instead of in a file."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _references(connection: Connection, *, enforced: bool) -> None:
    # SQLite alters a table by dropping and remaking it; with foreign keys on, the drop would delete what refers to
    # it. The pragma does nothing inside a transaction, so it goes to the driver before SQLAlchemy begins one.
    if connection.dialect.name == "sqlite":
        driver = cast(sqlite3.Connection, connection.connection.driver_connection)
        driver.execute(f"PRAGMA foreign_keys={'ON' if enforced else 'OFF'}")


def _one_at_a_time(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"select pg_advisory_xact_lock({ADVISORY_LOCK})"))


def _whole(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise BrokenReference(f"the upgrade would leave {len(lost)} rows pointing nowhere, first in table {lost[0][0]}")
