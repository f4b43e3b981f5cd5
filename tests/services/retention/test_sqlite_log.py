"""On a busy SQLite site the write-ahead log is truncated as soon as readers have finished, and never stays large."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from engage.base.config import Settings
from engage.services.retention import erasure
from engage.services.retention.erasure import RetryPolicy, erase_deleted_rows
from engage.storage.engine import LOG_SIZE, connect, read_session, write_session
from tests.makers import a_wave

pytestmark = pytest.mark.sqlite


def log_of(settings: Settings) -> Path:
    return settings.data_dir / "engage.db-wal"


def test_a_reader_who_ends_is_waited_for(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "READERS", 1)
    with write_session(engine) as session:
        a_wave(session)
        session.commit()
    reader, tries = read_session(engine), []
    reader.execute(text("select * from waves"))
    with write_session(engine) as session:
        a_wave(session, "winter")
        session.commit()

    def wait(_seconds: float) -> None:
        tries.append(log_of(settings).stat().st_size)
        if len(tries) == 3:
            reader.close()

    assert erase_deleted_rows(engine, RetryPolicy(60.0, lambda: 0.0, wait)) == ""
    assert all(tries), "there was something to cut"
    assert len(tries) == 3
    assert log_of(settings).stat().st_size == 0


def test_families_wait_for_a_moment_only(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that waits for readers blocks writers, so it waits in short attempts and lets them proceed in
    between."""
    monkeypatch.setattr(erasure, "READERS", 50)
    with read_session(engine) as reader:
        reader.execute(text("select * from waves"))
        ended, stored = threading.Event(), []

        def families() -> None:
            while not ended.is_set():
                with write_session(engine) as session:
                    a_wave(session, f"wave-{len(stored)}")
                    session.commit()
                stored.append(1)

        thread = threading.Thread(target=families)
        thread.start()
        assert "somebody was reading" in erase_deleted_rows(engine, RetryPolicy(1.0))
        ended.set()
        thread.join()
    assert stored, "they came through"


def test_a_log_that_once_was_large_is_cut_back(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite reuses a log from the start, and would leave it at its largest size."""
    monkeypatch.setattr("engage.storage.engine.LOG_SIZE", 100_000)
    small = connect(settings.database)
    for number in range(3):  # 2 MB, then a checkpoint after which the next writer starts at the beginning
        with write_session(small) as session:
            session.execute(text("insert into heartbeats values (:at)"), {"at": str(number)})
            if number == 0:
                session.execute(text("create table large as select randomblob(2000000) as bytes"))
            session.commit()
        with small.connect() as connection:
            connection.connection.driver_connection.execute("pragma wal_checkpoint(passive)")
    assert log_of(settings).stat().st_size <= 100_000 < LOG_SIZE == 64 * 2**20
    small.dispose()
