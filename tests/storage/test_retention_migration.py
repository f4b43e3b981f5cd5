"""The migration that allows deletion of old data, with an existing database: every row stays, and PostgreSQL drops its
statistics of texts and serials."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, make_url, text

from engage.storage.engine import connect
from engage.storage.upgrade import alembic_config, upgrade
from tests.conftest import POSTGRES

FAMILIES = 30
ROWS = [
    "insert into schools (id, name) values ('lincoln', 'Lincoln')",
    "insert into editions values ('e', 'slug', '{}', '2026-09-01')",
    "insert into staff (id, email, name, active, password, languages, language, fs_uniquifier) "
    "values (1, 'a@x.example', 'A', true, 'x', '', 'en', 'u')",
    "insert into waves (id, edition_digest, title, opens, closes, identity, entry, languages, edits) "
    "values ('fall', 'e', 't', '2026-10-01', '2026-10-31', 'anonymous', 'open', 'en', 0)",
    "insert into print_runs (id, wave_id, school_id, language, copies, paper, large_print, printed_on) "
    "values ('r', 'fall', 'lincoln', 'en', 30, 'letter', false, '2026-10-01')",
]
EACH = [
    "insert into sheets (serial, run_id, state) values ('S-{n}', 'r', 'keyed')",
    "insert into keyings (id, wave_id, school_id, serial, language, mode, raw, keyed_by, keyed_at) "
    "values ('k{n}', 'fall', 'lincoln', 'S-{n}', 'en', 'paper', 'answer-{n}', 1, '2026-10-02 12:00:00')",
    "insert into responses (id, wave_id, school_id, language, mode, day, answers, submission, provenance) "
    "values ('r{n}', 'fall', 'lincoln', 'en', 'paper', '2026-10-02', 'answer-{n}', 's{n}', 'k{n}')",
]


@pytest.fixture
def before(tmp_path: Path, database_kind: str) -> Iterator[Engine]:
    """A database at revision 0007, with keyed sheets and their answers."""
    url, name = f"sqlite:///{tmp_path / 'old.db'}", f"engage_old_{os.getpid()}"
    admin = connect(POSTGRES).execution_options(isolation_level="AUTOCOMMIT") if database_kind == "postgres" else None
    if admin:
        with admin.connect() as connection:
            connection.execute(text(f'create database "{name}"'))
        url = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    engine = connect(url)
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0007_packets")
        for statement in [*ROWS, *(each.format(n=number) for number in range(FAMILIES) for each in EACH)]:
            connection.execute(text(statement))
    yield engine
    engine.dispose()
    if admin:
        with admin.connect() as connection:
            connection.execute(text(f'drop database "{name}" with (force)'))
        admin.dispose()


def test_every_row_stays_and_no_samples_of_words(before: Engine, database_kind: str) -> None:
    sampled = (
        "select count(*) from pg_stats where tablename in ('sheets', 'keyings', 'responses') and attname = any(:names)"
    )
    names = {"names": ["serial", "raw", "answers"]}
    if database_kind == "postgres":
        with before.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("analyze"))
            assert connection.execute(text(sampled), names).scalar() == 4, "the control"
    upgrade(before)
    with before.connect() as connection:
        joined = "select count(*) from responses r join keyings k on k.id = r.provenance join sheets s using (serial)"
        assert connection.execute(text(joined)).scalar() == FAMILIES
        assert connection.execute(text("select delete_on, deleted_on from waves")).all() == [(None, None)]
    if database_kind == "postgres":
        with before.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("analyze"))
            assert connection.execute(text(sampled), names).scalar() == 0
