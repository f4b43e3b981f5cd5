"""Upgrade of the database schema to this version."""

import sqlite3
from typing import cast

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from engage.storage.engine import MIGRATIONS

ADVISORY_LOCK = 4_716_263_001  # an arbitrary number: two upgrades of one PostgreSQL database run one after the other


class BrokenReference(Exception):
    """After an upgrade, a row refers to a missing row. The upgrade was rolled back."""


def upgrade(engine: Engine) -> None:
    """Upgrade the database to head, completely or not at all. Raises BrokenReference."""
    with engine.connect() as connection:
        _set_foreign_keys(connection, enforced=False)
        try:
            with connection.begin():
                _lock_upgrade(connection)
                command.upgrade(alembic_config(connection), "head")
                _check_foreign_keys(connection)
        finally:
            _set_foreign_keys(connection, enforced=True)


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's configuration, which is built here instead of in a file."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _set_foreign_keys(connection: Connection, *, enforced: bool) -> None:
    # SQLite alters a table by dropping and rebuilding it; with foreign keys on, the drop would delete the rows that
    # refer to it. The pragma has no effect inside a transaction, so it goes to the driver before SQLAlchemy begins one.
    if connection.dialect.name == "sqlite":
        driver = cast(sqlite3.Connection, connection.connection.driver_connection)
        driver.execute(f"PRAGMA foreign_keys={'ON' if enforced else 'OFF'}")


def _lock_upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"select pg_advisory_xact_lock({ADVISORY_LOCK})"))


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise BrokenReference(f"the upgrade would leave {len(lost)} rows pointing nowhere, first in table {lost[0][0]}")
