"""Nightly retention: one run per night on any number of machines; failures are retried, and an overdue run is
reported."""

import json
import os
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.security.audit_log import SITE
from engage.services.retention.policies import build_retention
from engage.services.retention.run_schedule import (
    MOST_TRIES,
    OVERDUE,
    PAUSE,
    claim_run,
    due_night,
    end_run,
    retention_status,
)
from engage.services.retention.running import Policy, Retention
from engage.services.tasks.run_retention import NightlyRetention
from engage.storage.engine import connect, database_now, read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.responses import Draft
from engage.storage.models.retention import RetentionRun
from tests.domain.mail.test_worker import running, until
from tests.makers import a_wave

pytestmark = pytest.mark.slow

ZONE = "America/Chicago"
NIGHT = date(2026, 10, 14)
DUE = datetime(2026, 10, 14, 7, 0, tzinfo=UTC)  # 02:00 in Chicago in summer


@pytest.mark.parametrize(
    ("moment", "night"),
    [
        (DUE, NIGHT),
        (DUE - timedelta(seconds=1), date(2026, 10, 13)),
        (DUE + timedelta(hours=23, minutes=59), NIGHT),
        (datetime(2026, 3, 8, 7, 59, tzinfo=UTC), date(2026, 3, 7)),  # 01:59; the next minute is 03:00
        (datetime(2026, 3, 8, 8, 0, tzinfo=UTC), date(2026, 3, 8)),
        (datetime(2026, 11, 1, 7, 59, tzinfo=UTC), date(2026, 10, 31)),  # 01:59, the second time
        (datetime(2026, 11, 1, 8, 0, tzinfo=UTC), date(2026, 11, 1)),
    ],
)
def test_a_night_begins_at_two_in_the_district(moment: datetime, night: date) -> None:
    assert due_night(moment, ZONE) == night


def taken(engine: Engine, worker: str, now: datetime) -> bool:
    with write_session(engine) as session:
        done = claim_run(session, NIGHT, worker, now)
        session.commit()
    return done


def ended(engine: Engine, now: datetime, problem: str = "", **deleted: int) -> None:
    with write_session(engine) as session:
        end_run(session, NIGHT, deleted, problem, now)
        session.commit()


def the_run(engine: Engine) -> RetentionRun:
    with read_session(engine) as session:
        return session.scalars(select(RetentionRun)).one()


def test_one_of_many_workers_runs_it(engine: Engine, settings: Settings) -> None:
    """Each with its own connection, as on separate machines."""
    start, found = threading.Barrier(8), Counter[bool]()

    def work(number: int) -> None:
        mine = connect(settings.database)
        start.wait()
        found[taken(mine, f"worker {number}", DUE)] += 1
        mine.dispose()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == {True: 1, False: 7}


def test_a_run_that_was_interrupted_is_taken_over(engine: Engine) -> None:
    assert taken(engine, "one", DUE)
    assert taken(engine, "one", DUE + timedelta(minutes=1)), "the same worker has started again"
    assert not taken(engine, "two", DUE + timedelta(hours=2)), "it may be under way"
    assert taken(engine, "two", DUE + timedelta(hours=2, minutes=2))
    ended(engine, DUE + timedelta(hours=3))
    assert not taken(engine, "two", DUE + timedelta(hours=20))


def test_a_run_that_failed_is_tried_again_some_times(engine: Engine) -> None:
    now = DUE
    assert taken(engine, "one", now)
    for number in range(2, MOST_TRIES + 1):
        ended(engine, now, "somebody was reading", rows=1)
        assert not taken(engine, "two", now + PAUSE)
        now += PAUSE + timedelta(seconds=1)
        assert taken(engine, "two", now), f"try {number}"
    ended(engine, now, "somebody was reading", rows=1)
    assert not taken(engine, "two", now + timedelta(hours=2))
    run = the_run(engine)
    assert (run.tries, run.deleted, run.problem) == (MOST_TRIES, f'{{"rows": {MOST_TRIES}}}', "somebody was reading")


def said(engine: Engine, now: datetime) -> tuple[datetime | None, bool, str]:
    with read_session(engine) as session:
        found = retention_status(session, now)
    return found.last, found.overdue, found.problem


def test_a_new_site_is_not_overdue_and_an_older_one_is(engine: Engine, settings: Settings) -> None:
    assert said(engine, DUE) == (None, False, "")
    with write_session(engine) as session:
        build_retention(settings, SITE).record(session, {})
        session.commit()
    with read_session(engine) as session:
        first = session.scalars(select(AuditEvent.at)).one().replace(tzinfo=UTC)
    assert said(engine, first + OVERDUE) == (None, False, "")
    assert said(engine, first + OVERDUE + timedelta(seconds=1)) == (None, True, "")


def test_a_run_that_failed_does_not_count(engine: Engine) -> None:
    taken(engine, "one", DUE)
    ended(engine, DUE)
    assert said(engine, DUE + OVERDUE) == (DUE, False, "")
    with write_session(engine) as session:
        claim_run(session, NIGHT + timedelta(days=1), "one", DUE + timedelta(days=1))
        end_run(session, NIGHT + timedelta(days=1), {}, "somebody was reading", DUE + timedelta(days=1))
        session.commit()
    assert said(engine, DUE + OVERDUE + timedelta(seconds=1)) == (DUE, True, "somebody was reading")


@pytest.fixture
def drafts(engine: Engine) -> None:
    with write_session(engine) as session:
        wave = a_wave(session)
        for number in range(3):
            key = bytes([number])
            session.add(Draft(key=key, wave_id=wave.id, sealed=b"", touched_on=NIGHT - timedelta(days=40)))
        session.commit()


def looked(nightly: NightlyRetention) -> None:
    """Poll once, and wait for the end of the run."""
    nightly._next = 0.0
    nightly.poll()
    nightly.stop(60)


def a_worker(
    engine: Engine, settings: Settings, name: str | None, now: datetime = DUE, **more: Any
) -> NightlyRetention:
    return NightlyRetention(engine, build_retention(settings), name, lambda _session: now, **more)


def test_the_worker_deletes_by_itself_once(engine: Engine, settings: Settings, drafts: None) -> None:
    for name in ("one", "two"):
        looked(a_worker(engine, settings, name))
    with read_session(engine) as session:
        assert session.scalars(select(Draft)).all() == []
        events = session.scalars(select(AuditEvent)).all()
    assert [(each.actor, each.deed) for each in events] == [(SITE, "run retention")]
    run = the_run(engine)
    assert (run.night, run.worker, run.deleted, run.problem) == (
        NIGHT,
        "one",
        '{"unfinished answers of families": 3}',
        "",
    )


def test_the_next_night_it_runs_again(engine: Engine, settings: Settings) -> None:
    now = [DUE]
    nightly = NightlyRetention(engine, build_retention(settings), "one", lambda _session: now[0])
    for hours in (0, 23, 24, 25):
        now[0] = DUE + timedelta(hours=hours)
        looked(nightly)
    with read_session(engine) as session:
        assert len(session.scalars(select(RetentionRun)).all()) == 2


def test_every_machine_deletes_its_own_files(engine: Engine, settings: Settings) -> None:
    """Whether or not its worker does the run, and also without a worker."""
    old: dict[str | None, list[str]] = {"one": ["a"], "two": ["b"], None: ["c"]}
    for name, files in old.items():
        local = Policy("files", "", lambda _, files=files: len(files), lambda _, files=files: files.clear())
        rows = Policy("rows", "", lambda _: 0, lambda _: None, "drafts")
        retention = Retention(lambda *_, both=(local, rows): both, lambda *_: None, ZONE)
        looked(NightlyRetention(engine, retention, name, lambda _session: DUE))
    assert old == {"one": [], "two": [], None: []}
    assert the_run(engine).worker == "one"


def test_the_watch_is_told_when_it_ran_and_families_are_not_sent_away(
    engine: Engine, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engage.web.health.FRESH", 0.0)
    client = site.family.test_client()
    assert client.get("/readyz").json["retention"] == {"last": None, "overdue": False}
    taken(engine, "one", DUE - OVERDUE)
    ended(engine, DUE - OVERDUE)
    answer = client.get("/readyz")  # at 18:00 UTC of that day
    assert answer.json["retention"] == {"last": "2026-10-12T19:00:00+00:00", "overdue": True}
    assert answer.status_code == 200


def test_a_run_that_breaks_is_written_down_and_tried_again(engine: Engine, settings: Settings) -> None:
    broken = [True]

    def delete(_session: Session) -> None:
        if broken[0]:
            raise OperationalError("delete", {}, Exception("the disk is full"))

    policies = [Policy("rows", "", lambda _: 0, delete, "drafts")]
    now = [DUE]
    nightly = NightlyRetention(engine, Retention(lambda *_: policies, lambda *_: None, ZONE), "one", lambda _: now[0])
    looked(nightly)
    assert "it was interrupted (OperationalError)" in the_run(engine).problem
    with write_session(engine) as session:  # ended by the database's clock, which differs from the test's
        session.scalars(select(RetentionRun)).one().ended_at = DUE.replace(tzinfo=None)
        session.commit()
    broken[0], now[0] = False, DUE + PAUSE + timedelta(seconds=1)
    looked(nightly)
    assert the_run(engine).problem == ""


def test_the_database_says_what_time_it_is(engine: Engine) -> None:
    with read_session(engine) as session:
        moment = database_now(session)
    assert abs(moment - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_server_without_a_worker_deletes_its_own_files(settings: Settings, engine: Engine) -> None:
    """Column files of deleted answers are in the data directory of every machine that serves."""
    old = settings.data_dir / "packets" / ".left.pdf.part"
    old.parent.mkdir()
    old.write_text("names")
    os.utime(old, (0, 0))
    with running(settings, "serve", "--no-worker", "--port", "0", "--processes", "1"):
        until(lambda: not old.exists(), "the file of another age is still there")
    with read_session(engine) as session:
        assert session.scalars(select(RetentionRun)).all() == [], "the rows are the worker's"


def test_the_worker_runs_the_night_when_it_starts(settings: Settings, engine: Engine, drafts: None) -> None:
    def ended() -> bool:
        with read_session(engine) as session:
            return session.scalar(select(RetentionRun.ended_at)) is not None

    with running(settings, "worker"):
        until(ended)
    run = the_run(engine)
    assert run.problem == ""
    assert json.loads(run.deleted)["unfinished answers of families"] == 3
    assert run.night == due_night(datetime.now(UTC), settings.timezone)
