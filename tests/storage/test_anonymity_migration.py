"""The migration that encrypts and merges groups, with an existing database: small groups, days, and orders are hidden,
and nothing else changes."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, make_url, text

from engage.storage.engine import connect
from engage.storage.upgrade import alembic_config, upgrade
from tests.conftest import POSTGRES

pytestmark = pytest.mark.slow

WAVE = """insert into waves (id, edition_digest, title, opens, closes, identity, entry, languages, edits)
    values (:id, 'e', 't', '2026-10-01', '2026-10-31', :identity, :entry, 'en es so', 0)"""
ANSWER = """insert into responses (id, wave_id, school_id, language, mode, day, answers, submission, provenance)
    values (:id, :wave, :school, :language, :mode, '2026-10-14', '{}', :id, :from)"""
INVITED = """insert into invitations (digest, wave_id, identity, school_id, language, used_on)
    values (:id, 'known', 'confidential', 'lincoln', 'en', :used)"""
LINKED = "insert into response_links values ('known 0', 'known', 'confidential', 'linked', '2027-04-01')"
THREAD = """insert into threads (id, wave_id, school_id, language, kind, opened_on)
    values (:id, :wave, 'lincoln', 'en', 'question', '2026-10-14')"""
MESSAGE = """insert into messages (id, thread_id, position, author, text, language, written_on)
    values (:id, :thread, 1, :author, 'When?', 'en', '2026-10-14')"""
SIZES = {
    ("lincoln", "en", "web"): 14,
    ("lincoln", "es", "paper"): 3,
    ("lincoln", "so", "web"): 8,
    ("cedar", "en", "web"): 12,
}


@pytest.fixture
def old(database_kind: str, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of this kind, at the revision before."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if database_kind == "postgres":
        name = "engage_old_" + os.environ.get("PYTEST_XDIST_WORKER", "alone")
        admin = connect(POSTGRES).execution_options(isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f'drop database if exists "{name}" with (force)'))
            connection.execute(text(f'create database "{name}"'))
        admin.dispose()
        url = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    engine = connect(url)
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0007_packets")
    yield engine
    engine.dispose()


@pytest.fixture
def upgraded(old: Engine) -> Engine:
    """The same with two waves, upgraded to head."""
    with old.begin() as connection:
        connection.execute(text("insert into schools (id, name) values ('lincoln', 'L'), ('cedar', 'C')"))
        connection.execute(text("insert into editions values ('e', 'slug', '{}', '2026-09-01')"))
        for id, identity, entry in (("open", "anonymous", "open"), ("known", "confidential", "code")):
            connection.execute(text(WAVE), {"id": id, "identity": identity, "entry": entry})
            thread = {"id": f"{id} thread", "wave": id}
            connection.execute(text(THREAD), thread)
            for author in ("family", "staff"):
                connection.execute(text(MESSAGE), {"id": id + author, "thread": thread["id"], "author": author})
        for place, size in SIZES.items():
            for number in range(size):
                row = dict(zip(("school", "language", "mode"), place, strict=True))
                row |= {"from": "keyed" if row["mode"] == "paper" else None}
                connection.execute(text(ANSWER), {"id": f"{' '.join(place)} {number}", "wave": "open", **row})
        for number in range(2):
            row = {"school": "lincoln", "language": "en", "mode": "web", "from": None}
            connection.execute(text(ANSWER), {"id": f"known {number}", "wave": "known", **row})
        for id, used in (("linked", "2026-10-14"), ("forgotten", "2026-10-14"), ("new", None)):
            connection.execute(text(INVITED), {"id": id, "used": used})
        connection.execute(text(LINKED))
    upgrade(old)
    return old


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [
            tuple(str(each) if each is not None else None for each in row) for row in connection.execute(text(query))
        ]


def test_small_groups_of_anonymous_answers_are_joined(upgraded: Engine) -> None:
    query = "select school_id, language, mode, answered_in, day from responses where wave_id = 'open'"
    assert Counter(rows(upgraded, query)) == {
        ("lincoln", "en", "web", "en", "2026-10-01"): 14,
        ("lincoln", "mul", "mul", None, "2026-10-01"): 11,
        ("cedar", "en", "web", "en", "2026-10-01"): 12,
    }
    assert sorted(rows(upgraded, "select wave_id, school_id, language from joined_groups")) == [
        ("open", "lincoln", "es"),
        ("open", "lincoln", "so"),
    ]
    assert rows(upgraded, "select id, edits from waves order by id") == [("known", "0"), ("open", "1")]


def test_a_day_stays_where_a_link_is_stored_only(upgraded: Engine) -> None:
    assert sorted(rows(upgraded, "select id, day from responses where wave_id = 'known'")) == [
        ("known 0", "2026-10-14"),
        ("known 1", "2026-10-01"),
    ]
    found = rows(upgraded, "select digest, used_on from invitations where used order by digest")
    assert found == [("forgotten", None), ("linked", "2026-10-14")]


def test_what_families_of_an_anonymous_wave_wrote_says_the_week(upgraded: Engine) -> None:
    assert sorted(rows(upgraded, "select id, opened_on from threads")) == [
        ("known thread", "2026-10-14"),
        ("open thread", "2026-10-12"),
    ]
    assert sorted(rows(upgraded, "select id, written_on from messages")) == [
        ("knownfamily", "2026-10-14"),
        ("knownstaff", "2026-10-14"),
        ("openfamily", "2026-10-12"),
        ("openstaff", "2026-10-14"),
    ]


def test_indexes_and_rows_are_still_there(upgraded: Engine) -> None:
    see = inspect(upgraded)
    assert {index["name"] for index in see.get_indexes("sheets")} == {"ix_sheets_run_id"}
    assert {index["name"] for index in see.get_indexes("responses")} >= {"ix_responses_wave"}
    assert len(rows(upgraded, "select 1 from messages")) == 4
