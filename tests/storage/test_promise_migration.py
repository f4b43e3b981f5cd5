"""The migration that unlinks codes, with an existing database: used codes stay used, and their days are removed."""

import sqlite3
from contextlib import closing

import pytest
from alembic import command
from sqlalchemy import text

from engage.storage.engine import connect
from engage.storage.upgrade import alembic_config, upgrade

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]
WAVE = """insert into waves (id, edition_digest, title, opens, closes, identity, entry, languages, edits)
    values (:id, 'e', 't', '2026-10-01', '2026-10-31', :identity, :entry, 'en', 0)"""
INVITED = "insert into invitations values (:digest, :wave, 'lincoln', 'en', null, :used)"


@pytest.fixture
def before(tmp_path):
    """A database at the revision before, with an anonymous and a confidential wave, each with a used and a new code."""
    engine = connect(f"sqlite:///{tmp_path / 'old.db'}")
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0002_people")
        connection.execute(text("insert into schools (id, name) values ('lincoln', 'Lincoln')"))
        connection.execute(text("insert into editions values ('e', 'slug', '{}', '2026-09-01')"))
        for id, identity, entry in (("open", "anonymous", "code"), ("known", "confidential", "code")):
            connection.execute(text(WAVE), {"id": id, "identity": identity, "entry": entry})
            for digest, used in ((f"{id} used", "2026-10-05"), (f"{id} new", None)):
                connection.execute(text(INVITED), {"digest": digest, "wave": id, "used": used})
        connection.execute(text(WAVE), {"id": "link", "identity": "anonymous", "entry": "open"})
        draft = (
            "insert into drafts values (x'00', 'open', 'lincoln', 'en', 'open new', '{\"a\":[\"told\"]}', '2026-10-05')"
        )
        connection.exec_driver_sql(draft)
    engine.dispose()
    return tmp_path / "old.db"


def test_what_was_there_is_kept_without_its_days(before):
    engine = connect(f"sqlite:///{before}")
    upgrade(engine)
    engine.dispose()
    with closing(sqlite3.connect(before)) as connection:
        ask = connection.execute
        assert ask("select digest, identity, used, used_on from invitations order by digest").fetchall() == [
            ("known new", "confidential", 0, None),
            ("known used", "confidential", 1, None),  # links to responses did not exist then
            ("open new", "anonymous", 0, None),
            ("open used", "anonymous", 0, None),
        ]
        assert ask("select digest, wave_id from spent").fetchall() == [("open used", "open")]
        assert ask("select count(*) from drafts").fetchone() == (0,)
        salts = dict(ask("select id, burn_salt from waves").fetchall())
        assert ask("select * from wave_strata").fetchall() == [("open", "lincoln", "")], "two are too few to be named"
    assert (len(salts["open"]), salts["known"], salts["link"]) == (64, None, None)


def test_nothing_of_a_draft_in_the_clear_is_left_in_the_file(before):
    engine = connect(f"sqlite:///{before}")
    upgrade(engine)
    engine.dispose()
    assert b"told" not in before.read_bytes()
