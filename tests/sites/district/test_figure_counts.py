"""The figures of a large checkpoint are counted by the worker while its page shows the progress; small ones at once."""

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from engage.base.clock import stored_utc
from engage.base.config import Settings
from engage.domain.summaries import release_history
from engage.domain.summaries.column_store import columns_folder
from engage.domain.summaries.release_history import release_figures
from engage.domain.summaries.wave_summary import read_status
from engage.services.checkpoints import counting, large_counts
from engage.services.checkpoints.large_counts import CountIsLarge, count_small_draft, is_freezing_large
from engage.services.runtime import Runtime, open_runtime
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.jobs import FigureCount
from engage.storage.models.staff import Staff
from engage.storage.models.waves import Wave
from tests.domain.mail.test_worker import until
from tests.services.tasks.workers import COUNTS_SLOWLY, kill, worker
from tests.sites.district.test_draft_while_answering import answer, counted, frozen, stored
from tests.sites.district.test_unfinished_roster import Import

pytestmark = pytest.mark.slow

FALL = "/staff/district/checkpoints/what-families-said-fall"
BEING_COUNTED = "The figures are being counted."
FAILS = """
import engage.domain.summaries.release as release
def fail(work, part):
    raise ZeroDivisionError
release._release_part = fail
import logging
logging.getLogger("engage.worker").disabled = True
"""


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every count takes too long for a request, which must not begin one."""
    monkeypatch.setattr(large_counts, "REQUEST_SECONDS", 0.0)
    monkeypatch.setattr(release_history, "release_figures", lambda *_about: pytest.fail("counted in a request"))


@pytest.fixture
def runtime(settings: Settings, clock: Callable[..., Any]) -> Iterator[Runtime]:
    found = open_runtime(settings, clock)
    yield found
    found.engine.dispose()


def counts(engine: Engine) -> list[FigureCount]:
    with read_session(engine) as session:
        return list(session.scalars(select(FigureCount)))


def is_in(engine: Engine, state: str) -> Callable[[], bool]:
    return lambda: [count.state for count in counts(engine)] == [state]


def document(engine: Engine, settings: Settings, today: Any) -> str:
    """The draft as it is counted in this process, without anything that was stored."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release_history, "release_figures", release_figures)
        forget(settings)
        figures = counting.count_draft(engine, "what-families-said-fall", settings.site_dir, today)
        forget(settings)
    return json.dumps(figures, sort_keys=True)


def forget(settings: Settings) -> None:
    """Delete the stored figures."""
    for wave in ("access", "beliefs"):
        (columns_folder(settings.site_dir, wave) / release_history.FILE).unlink(missing_ok=True)


def test_a_large_draft_is_counted_by_the_worker_and_then_shown(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings, runtime: Runtime, today: Any
) -> None:
    leader.opens(FALL).sees(BEING_COUNTED, "The background service is not running", "Waiting to start.")
    assert leader.response.headers["Refresh"] == f"5; url={FALL}?look=1"
    leader.opens(f"{FALL}?look=1").sees(BEING_COUNTED)
    assert [(each.purpose, each.asked_by, each.state) for each in counts(engine)] == [("draft", None, "waiting")]
    with worker(settings):
        until(is_in(engine, "ready"))
    leader.opens(f"{FALL}?look=2").sees("By school").sees_no(BEING_COUNTED)
    assert "Refresh" not in leader.response.headers
    assert json.dumps(count_small_draft(runtime, planned), sort_keys=True) == document(engine, settings, today)


def test_the_page_shows_how_far_the_worker_is_and_can_be_paused(
    large: None, engine: Engine, leader: Any, planned: str
) -> None:
    leader.opens(FALL)
    with engine.begin() as connection:
        connection.execute(update(FigureCount).values(state="counting", survey=2, surveys=2, percent=40))
    leader.opens(FALL).sees("Survey 2 of 2: 40%")
    bar = next(leader.page.all("progress"))
    assert (bar.get("value"), bar.get("max")) == ("140", "200")
    leader.follows("Pause updates").sees("Updates are paused.")
    assert "Refresh" not in leader.response.headers
    leader.opens(f"{FALL}?look=120").sees("This page has been updating for a long time.")
    assert "Refresh" not in leader.response.headers


def test_a_small_draft_is_counted_at_once(engine: Engine, leader: Any, planned: str) -> None:
    leader.opens(FALL).sees("By school")
    assert counts(engine) == []


@pytest.mark.thorough
def test_killed_in_the_middle_the_next_worker_counts_the_same_while_families_answer(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings, runtime: Runtime, today: Any
) -> None:
    leader.opens(FALL)
    with worker(settings, COUNTS_SLOWLY) as first:
        until(lambda: counts(engine)[0].percent > 0)
        answer(engine)
        kill(first)
    assert is_in(engine, "counting")()
    leader.opens(FALL).sees(BEING_COUNTED, "The background service is not running")
    with worker(settings):
        until(is_in(engine, "ready"))
    figures = count_small_draft(runtime, planned)
    assert counted(figures) == stored(engine)
    assert json.dumps(figures, sort_keys=True) == document(engine, settings, today)


@pytest.mark.thorough
def test_a_worker_that_is_told_to_stop_leaves_the_count_to_the_next(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings
) -> None:
    leader.opens(FALL)
    with worker(settings, COUNTS_SLOWLY) as first:
        until(lambda: counts(engine)[0].percent > 0)
        first.terminate()
        assert first.wait(30) == 0
    assert is_in(engine, "counting")()
    with worker(settings):
        until(is_in(engine, "ready"))


@pytest.mark.thorough
def test_a_count_that_fails_says_so_and_is_counted_again_when_asked(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings
) -> None:
    leader.opens(FALL)
    with worker(settings, FAILS):
        until(is_in(engine, "failed"))
    leader.opens(FALL).sees("The figures could not be counted. There was an unexpected error.")
    assert "Refresh" not in leader.response.headers
    leader.sends(button="Try again").sees(BEING_COUNTED)
    with worker(settings):
        until(is_in(engine, "ready"))
    leader.opens(FALL).sees("By school")


@pytest.mark.thorough
def test_the_worker_freezes_what_it_counted_and_says_who_asked(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings, today: Any
) -> None:
    before = document(engine, settings, today)
    leader.opens(f"{FALL}/freeze").sends().sees("The figures are being counted. Then they will be frozen.")
    assert leader.response.headers["Refresh"] == f"5; url={FALL}/freeze?look=1"
    assert len(counts(engine)) == 1
    leader.opens(f"{FALL}/freeze").sees("Then they will be frozen.")
    with worker(settings, COUNTS_SLOWLY) as first:
        until(lambda: counts(engine)[0].percent > 0)
        kill(first)
    with read_session(engine) as session:
        assert session.get_one(Checkpoint, planned).frozen_on is None
    with worker(settings):
        until(is_in(engine, "ready"))
    leader.opens(f"{FALL}/freeze?look=2").sees("The figures are frozen. Everyone now sees the same numbers.")
    assert json.dumps(frozen(engine), sort_keys=True) == before
    with read_session(engine) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.deed == "freeze checkpoint")).one()
        digest = session.get_one(Checkpoint, planned).digest
        assert event.actor == session.scalars(select(Staff.email)).one()
    assert digest is not None
    assert json.loads(event.detail) == {"figures": digest[:12]}
    leader.opens(f"{FALL}/freeze").sees("They will not be counted again.")


@pytest.mark.thorough
def test_answers_that_come_while_the_worker_counts_are_frozen_too(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings
) -> None:
    leader.opens(f"{FALL}/freeze").sends()
    with worker(settings, COUNTS_SLOWLY):
        until(lambda: counts(engine)[0].survey == 2)
        answer(engine)
        until(is_in(engine, "ready"))
    assert counted(frozen(engine)) == stored(engine)


@pytest.mark.thorough
def test_nothing_is_frozen_while_a_roster_is_imported(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings
) -> None:
    importing = Import(engine)
    leader.opens(f"{FALL}/freeze").sends()
    importing.begins()
    with worker(settings):
        time.sleep(4)  # the worker looks every second
        assert counts(engine)[0].state == "waiting"
        importing.ends()
        until(is_in(engine, "ready"))
    assert counted(frozen(engine)) == stored(engine)


@pytest.mark.thorough
def test_what_was_asked_for_more_than_a_day_ago_is_not_frozen(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings, clock: Callable[..., Any]
) -> None:
    leader.opens(f"{FALL}/freeze").sends()
    with engine.begin() as connection:
        connection.execute(update(FigureCount).values(asked_at=stored_utc(clock()) - timedelta(days=1, minutes=1)))
    leader.opens(FALL).sees(BEING_COUNTED)
    with worker(settings):
        until(
            lambda: (
                {(each.purpose, each.state) for each in counts(engine)}
                == {
                    ("draft", "ready"),
                    ("freeze", "waiting"),
                }
            )
        )
    with read_session(engine) as session:
        assert session.get_one(Checkpoint, planned).frozen_on is None


def test_freezing_what_is_counted_already_needs_no_worker(
    engine: Engine, leader: Any, planned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader.opens(FALL)
    monkeypatch.setattr(large_counts, "REQUEST_SECONDS", 0.0)
    leader.opens(f"{FALL}/freeze").sends().sees("The figures are frozen.")
    assert counts(engine) == []


def test_a_large_draft_shows_recent_figures_but_no_corrected_or_old_ones(
    engine: Engine, planned: str, settings: Settings, runtime: Runtime, today: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = counted(counting.count_draft(engine, planned, settings.site_dir, today))
    monkeypatch.setattr(large_counts, "REQUEST_SECONDS", 0.0)
    answer(engine)
    assert counted(count_small_draft(runtime, planned)) == before == stored(engine) - 1
    assert is_freezing_large(runtime, planned), "figures to be frozen are those of all answers"
    old = (runtime.now() - large_counts.FRESH - timedelta(seconds=1)).timestamp()
    path = columns_folder(settings.site_dir, "access") / release_history.FILE
    recent = path.stat().st_mtime
    os.utime(path, (old, old))
    with pytest.raises(CountIsLarge):
        count_small_draft(runtime, planned)
    os.utime(path, (recent, recent))
    with write_session(engine) as session:
        session.get_one(Wave, "access").edits += 1
        session.commit()
    with pytest.raises(CountIsLarge):
        count_small_draft(runtime, planned)


def test_what_takes_long_follows_from_questions_groups_and_new_answers(planned: str, runtime: Runtime) -> None:
    waves = {wave.id: (wave, survey) for wave, survey in counting.list_waves(runtime.engine, planned)}
    wave, survey = waves["access"]
    with read_session(runtime.engine) as session:
        status = read_status(session, "access")
    questions, groups = sum(1 for _ in survey.questions()), 3 + len(wave.offered) + 3
    many = status._replace(stored=20_000, waiting=1_000, edits=status.known.edits)
    estimate = large_counts._estimate_seconds
    assert estimate(wave, survey, many, True, False) == pytest.approx(0.0004 * questions * groups + 0.05)
    assert estimate(wave, survey, many, False, False) == pytest.approx(0.0004 * questions + 0.05)
    assert estimate(wave, survey, many, True, True) == pytest.approx(0.0004 * questions * groups + 1.0)
