"""A response that arrives during an update of a wave's columns is counted exactly once."""

from datetime import date
from random import Random

import pytest

from engage.domain.summaries import wave_summary as room
from engage.storage.engine import write_session
from engage.storage.models.responses import PendingResponse
from engage.storage.models.waves import Wave
from tests.makers import a_survey, a_wave, accept

RNG = Random(3)


def answer(engine, number):
    """Store one response in its own transaction."""
    with write_session(engine) as session:
        accept(
            session.connection(),
            a_survey(),
            session.get_one(Wave, "fall"),
            school_id="lincoln",
            language="en",
            mode="web",
            raw={"internet": ["yes"]},
            submission_key=f"{number:064x}",
            today=date(2026, 10, 2),
            rng=RNG,
            group_key=bytes(32),
        )
        session.commit()


def counted(engine, data_dir):
    with write_session(engine) as session:
        found = room.load_columns(session, session.get_one(Wave, "fall"), a_survey(), data_dir).rows
        session.commit()
        return found


@pytest.fixture
def wave(engine):
    with write_session(engine) as session:
        a_wave(session)
        session.commit()


def test_every_response_is_counted_once(engine, wave, tmp_path):
    for number in range(3):
        answer(engine, number)
        assert counted(engine, tmp_path) == number + 1
    with write_session(engine) as session:
        session.get_one(Wave, "fall").edits += 1
        session.commit()
    assert counted(engine, tmp_path) == 3


@pytest.mark.parametrize("rebuilt", [False, True])
def test_one_that_comes_between_is_counted_the_next_time(engine, wave, tmp_path, monkeypatch, rebuilt):
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite lets nobody write while a session is writing")
    answer(engine, 0)
    assert counted(engine, tmp_path) == 1
    answer(engine, 1)
    with write_session(engine) as session:
        session.get_one(Wave, "fall").edits += rebuilt
        session.commit()
    real = room.update_columns

    def meanwhile(*given):
        answer(engine, 2)
        return real(*given)

    monkeypatch.setattr(room, "update_columns", meanwhile)
    assert counted(engine, tmp_path) == 2
    monkeypatch.setattr(room, "update_columns", real)
    assert counted(engine, tmp_path) == 3
    with write_session(engine) as session:
        assert session.query(PendingResponse).count() == 0
