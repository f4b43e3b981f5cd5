"""Migrations and models must agree: a database made by either is the same."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, LargeBinary, String, inspect, text

from engage.storage import models
from engage.storage.engine import MIGRATIONS, connect, current_revision, head
from engage.storage.models.base import Base
from engage.storage.upgrade import BrokenReference, alembic_config, upgrade

SCRIPTS = ScriptDirectory(str(MIGRATIONS))


def test_the_pinned_head_is_the_only_head() -> None:
    assert SCRIPTS.get_heads() == [head()]


def test_a_migration_is_named_as_its_file() -> None:
    for script in SCRIPTS.walk_revisions():
        assert Path(script.path).stem == script.revision
        assert re.fullmatch(r"\d{4}_[a-z0-9_]+", script.revision)


def test_alembic_sees_no_difference(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def _described(connection: Connection) -> dict[str, dict[str, object]]:
    """Return, per table, what Alembic's comparison omits: names, CHECKs, defaults, rules of foreign keys."""
    see = inspect(connection)
    return {
        table: {
            "checks": sorted((check["name"], check["sqltext"]) for check in see.get_check_constraints(table)),
            "keys": sorted(str(sorted(key.items(), key=str)) for key in see.get_foreign_keys(table)),
            "unique": sorted(str(sorted(key.items(), key=str)) for key in see.get_unique_constraints(table)),
            "primary": str(sorted(see.get_pk_constraint(table).items(), key=str)),
            "indexes": sorted(str(sorted(_worded(index).items(), key=str)) for index in see.get_indexes(table)),
            "columns": [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in see.get_columns(table)],
        }
        for table in see.get_table_names()
        if table != "alembic_version"
    }


def _worded(index: Mapping[str, Any]) -> dict[str, object]:
    """Return an index with the condition of a partial one as text."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": sorted(options.items())}


def test_names_and_checks_are_the_models_own(engine: Engine, database_kind: str, tmp_path: Path) -> None:
    with engine.connect() as connection:
        migrated = _described(connection)
        assert migrated.keys() == Base.metadata.tables.keys()
        if database_kind == "sqlite":
            other = connect(f"sqlite:///{tmp_path / 'models.db'}")
            with other.begin() as second:
                Base.metadata.create_all(second)
                assert _described(second) == migrated
            other.dispose()
        else:
            connection.execute(text("create schema models"))
            connection.execute(text("set local search_path to models"))
            Base.metadata.create_all(connection)
            connection.execute(text("set local search_path to models"))
            made = _described(connection)
            connection.rollback()
            assert made == migrated


def _plain(sql: str | None) -> list[str]:
    """Return the sorted parts of a CREATE statement, without spaces and quotes."""
    body = re.sub(r'[\s"]+', " ", sql or "").strip()
    return sorted(part.strip(" ()") for part in re.split(r",(?![^(]*\))| WITHOUT ", body))


@pytest.mark.sqlite
def test_sqlite_keeps_the_very_same_statements(engine: Engine, tmp_path: Path) -> None:
    other = connect(f"sqlite:///{tmp_path / 'models.db'}")
    Base.metadata.create_all(other)
    ask = text("select name, sql from sqlite_master where name not like 'alembic%' and sql is not null order by name")
    with engine.connect() as one, other.connect() as two:
        migrated = [(name, _plain(sql)) for name, sql in one.execute(ask)]
        made = [(name, _plain(sql)) for name, sql in two.execute(ask)]
    other.dispose()
    assert migrated == made


ORDERED = {
    "announced_events": "what staff announced",
    "alembic_version": "one row",
    "audit_events": "numbered on purpose: a chain. It names no sheet and no answer of an anonymous wave",
    "audit_heads": "one row",
    "burst_days": "one row a day and wave",
    "burst_decisions": "what staff decided",
    "checkpoint_waves": "what staff planned",
    "checkpoints": "what staff planned",
    "commitment_words": "what staff wrote",
    "commitments": "what staff wrote",
    "editions": "a survey's words",
    "guardians": "the roster, as the office exports it",
    "guardianships": "the roster",
    "heartbeats": "one row",
    "household_guardians": "the roster",
    "household_students": "the roster",
    "households": "the roster",
    "layouts": "where the boxes of printed pages stand",
    "mails": "letters to staff; an administrator sees when each was written",
    "opt_outs": "who is not to be asked: the list says the day",
    "opted_out_students": "who is not to be asked",
    "organisations": "what staff set up",
    "packets": "what staff asked for; the list says the day",
    "passkeys": "how staff sign in",
    "privacy_statements": "what staff wrote",
    "print_runs": "what staff asked for; made all at once with their packet",
    "retention_runs": "one row a night",
    "roles": "what staff may do",
    "roster_imports": "what staff did",
    "roster_updates": "when the roster was updated, and how many rows changed",
    "schools": "the roster",
    "screenings": "what staff decided",
    "staff": "who may sign in",
    "staff_identities": "how staff sign in",
    "staff_roles": "what staff may do",
    "staff_schools": "what staff may do",
    "staff_sessions": "when staff signed in",
    "students": "the roster",
    "wave_columns": "one row a wave",
    "wave_schools": "what staff opened",
    "waves": "what staff opened",
}
"""Tables that may have the order in which their rows arrived, each with the reason. A row caused by a single family is
in a table without a rowid, under a key that reveals no order."""


@pytest.mark.sqlite
def test_tables_that_families_fill_keep_no_order_of_arrival(engine: Engine) -> None:
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            kept = table not in ORDERED
            sql = connection.scalar(text("select sql from sqlite_master where name = :name"), {"name": table})
            without = str(sql).strip().endswith("WITHOUT ROWID")
            assert without == kept, f"{table}: give it no rowid, or say why it may have one"


def test_keys_of_tables_that_families_fill_tell_no_order() -> None:
    """Random ids, digests, and serials, in addition to names of waves, schools, and staff; no number that increases."""
    for name, table in Base.metadata.tables.items():
        if name not in ORDERED:
            keys = [column for column in table.primary_key if not column.foreign_keys]
            assert all(isinstance(column.type, String | LargeBinary) for column in keys), name


def test_an_upgraded_database_is_at_head_and_can_be_upgraded_again(engine: Engine) -> None:
    upgrade(engine)
    assert current_revision(engine) == head()


@pytest.mark.sqlite
def test_an_empty_database_stands_nowhere(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'empty.db'}")
    assert current_revision(engine) is None
    engine.dispose()


@pytest.mark.sqlite
def test_rows_that_point_nowhere_stop_an_upgrade(engine: Engine) -> None:
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")
        connection.execute(text("insert into households (id, school_id, language) values ('h', 'nowhere', 'en')"))
        connection.commit()
    with pytest.raises(BrokenReference, match="households"):
        upgrade(engine)


def test_foreign_keys_hold_after_an_upgrade(engine: Engine) -> None:
    upgrade(engine)
    with engine.connect() as connection, pytest.raises(Exception, match=r"(?i)foreign key"):
        connection.execute(text("insert into households (id, school_id, language) values ('h', 'nowhere', 'en')"))


def test_every_table_module_is_among_the_records() -> None:
    folder = Path(models.__file__).parent
    tables = {p.stem for p in folder.glob("*.py") if "__tablename__" in p.read_text("utf-8")}
    assert tables - {"base"} <= set(models.__all__)


def test_the_configuration_needs_no_file(engine: Engine) -> None:
    with engine.connect() as connection:
        assert alembic_config(connection).config_file_name is None
