"""Two concurrent readers of a wave count every answer once, and wrong columns are rebuilt."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from engage.domain.summaries import wave_summary as counting
from engage.domain.summaries.column_store import ResponseRow, columns_folder, rebuild_columns
from engage.domain.summaries.wave_summary import ColumnsMiscounted, current_columns, load_columns
from engage.storage.engine import read_session, write_session
from engage.storage.models.responses import PendingResponse, WaveColumns
from engage.storage.models.waves import Wave
from tests.domain.summaries.test_between import answer
from tests.makers import a_survey, a_wave

PATIENCE = 20.0  # seconds until a hanging thread fails the test


def count_rows(engine, data_dir):
    """Update the columns as one reader and return the number of responses in them."""
    with write_session(engine) as session:
        found = load_columns(session, session.get_one(Wave, "fall"), a_survey(), data_dir).rows
        session.commit()
        return found


@pytest.fixture
def wave(engine):
    with write_session(engine) as session:
        a_wave(session)
        session.commit()
    return "fall"


@pytest.fixture
def postgres(engine):
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite lets nobody write while a session is writing")


def waits_for_a_lock(engine):
    with engine.connect() as connection:
        waiting = (
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        return connection.execute(text(waiting)).scalar_one() > 0


@pytest.mark.parametrize("first_look", [False, True])
def test_the_second_reader_waits_before_it_reads_what_is_new(engine, postgres, wave, tmp_path, monkeypatch, first_look):
    """The second starts after the first has read the pending responses and before it has removed them."""
    answer(engine, 0)
    if not first_look:
        assert count_rows(engine, tmp_path) == 1
        answer(engine, 1)
    real, second = counting.update_columns, []

    def meanwhile(*given):
        if not second:
            second.append(pool.submit(count_rows, engine, tmp_path))
            until = time.monotonic() + PATIENCE
            while not second[0].done() and not waits_for_a_lock(engine):
                assert time.monotonic() < until
        return real(*given)

    monkeypatch.setattr(counting, "update_columns", meanwhile)
    with ThreadPoolExecutor(1) as pool:
        assert count_rows(engine, tmp_path) == second[0].result(PATIENCE) == (1 if first_look else 2)


def at_once(engine, data_dir, number):
    """Run two readers concurrently while one answer arrives. Returns the count of each."""
    barrier = threading.Barrier(3, timeout=PATIENCE)

    def reader():
        barrier.wait()
        return count_rows(engine, data_dir)

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(reader) for _ in range(2)]
        coming = pool.submit(lambda: (barrier.wait(), answer(engine, number)))
        coming.result(PATIENCE)
        return [each.result(PATIENCE) for each in readers]


@pytest.mark.parametrize("trials", [5, pytest.param(200, marks=pytest.mark.thorough)])
def test_no_answer_is_counted_twice_or_lost(engine, wave, tmp_path, trials):
    there = 0
    for trial in range(trials):
        for number in range(there, there + 4):
            answer(engine, number)
        there += 4
        found = at_once(engine, tmp_path / str(trial // 50), there)
        there += 1
        assert set(found) <= {there - 1, there}, f"trial {trial}"
        assert count_rows(engine, tmp_path / str(trial // 50)) == there, f"trial {trial}"
    with read_session(engine) as session:
        assert session.query(PendingResponse).count() == 0


def test_columns_with_doubles_are_built_anew(engine, wave, tmp_path):
    """A fault of an earlier version: the database expects columns that have every answer twice."""
    for number in range(3):
        answer(engine, number)
    assert count_rows(engine, tmp_path) == 3
    twice = [ResponseRow(f"{number:032x}", "lincoln", "en", "web", "{}") for number in range(6)]
    known = rebuild_columns(columns_folder(tmp_path, wave), a_survey(), twice, 0).expected
    with write_session(engine) as session:
        state = session.get_one(WaveColumns, wave)
        state.rows, state.digest, state.edits = known
        session.commit()
    with read_session(engine) as session:
        assert current_columns(session, session.get_one(Wave, wave), a_survey(), tmp_path) is None
    assert count_rows(engine, tmp_path) == 3
    with read_session(engine) as session:
        found = current_columns(session, session.get_one(Wave, wave), a_survey(), tmp_path)
        assert (found.rows, found.expected) == (3, counting._expected_columns(session.get_one(WaveColumns, wave)))


def test_what_waits_or_was_corrected_makes_columns_out_of_date(engine, wave, tmp_path):
    def current():
        with read_session(engine) as session:
            return current_columns(session, session.get_one(Wave, wave), a_survey(), tmp_path)

    assert current() is None
    answer(engine, 0)
    assert count_rows(engine, tmp_path) == current().rows == 1
    answer(engine, 1)
    assert current() is None
    assert count_rows(engine, tmp_path) == current().rows == 2
    with write_session(engine) as session:
        session.get_one(Wave, wave).edits += 1
        session.commit()
    assert current() is None
    assert count_rows(engine, tmp_path) == current().rows == 2


def test_columns_that_stay_wrong_are_refused(engine, wave, tmp_path, monkeypatch):
    answer(engine, 0)
    monkeypatch.setattr(
        counting, "_without_duplicates", lambda responses: [each for one in responses for each in (one, one)]
    )
    with write_session(engine) as session, pytest.raises(ColumnsMiscounted):
        load_columns(session, session.get_one(Wave, wave), a_survey(), tmp_path)


def test_a_second_response_of_the_same_id_is_left_out():
    one, other = (ResponseRow(f"{number:032x}", "lincoln", "en", "web", "{}") for number in range(2))
    assert list(counting._without_duplicates([one, one, other, other, other])) == [one, other]
