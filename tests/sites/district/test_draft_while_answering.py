"""Viewing, downloading, and freezing a draft never delay families' submissions, which are counted exactly once."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from gettext import NullTranslations
from random import Random
from threading import Barrier

import pytest
from sqlalchemy import delete, func, select

from engage.demo.voices import raw_answers
from engage.domain.summaries import release_history
from engage.domain.summaries.release_history import load_or_release
from engage.questionnaire.library import shipped_survey
from engage.services.checkpoints import counting
from engage.services.checkpoints import outputs as figures
from engage.services.checkpoints.planning import create_checkpoint
from engage.services.checkpoints.release_consistency import STEP
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.responses import Response
from engage.storage.models.waves import Wave
from tests.makers import accept

pytestmark = pytest.mark.slow

FALL = "/staff/district/checkpoints/what-families-said-fall"
DRAFTS = (FALL, f"{FALL}/figures.csv", f"{FALL}/figures.xlsx", f"{FALL}/packet.pdf")
RNG = Random(5)


def answer(engine, wave="access"):
    """Store the response of another family."""
    survey = shipped_survey("home-access", version=1)
    with write_session(engine) as session:
        accept(
            session.connection(),
            survey,
            session.get_one(Wave, wave),
            school_id="lincoln",
            language="en",
            mode="web",
            raw=raw_answers(survey, "en", RNG),
            submission_key=f"{RNG.getrandbits(256):064x}",
            today=date(2026, 9, 2),
            rng=RNG,
        )
        session.commit()


def stored(engine, wave="access"):
    with read_session(engine) as session:
        return session.scalar(select(func.count()).select_from(Response).where(Response.wave_id == wave))


def counted(document, wave="access"):
    return next(each for each in document["waves"] if each["id"] == wave)["audiences"]["leaders"]["responses"]["all"]


def frozen(engine, checkpoint="what-families-said-fall"):
    with read_session(engine) as session:
        return json.loads(session.get_one(Checkpoint, checkpoint).figures)


class Busy:
    """A family answers whenever figures are suppressed, `left` times. `calls`: with or without breakdowns."""

    def __init__(self, engine):
        self.engine, self.calls, self.left = engine, [], 1_000
        self.real = release_history.release_figures

    def __call__(self, figures, survey, identity, breakdowns=True, earlier=(), *progress):
        self.calls.append(breakdowns)
        if len(self.calls) <= self.left:
            answer(self.engine)  # on SQLite this fails if another writer is active
        return self.real(figures, survey, identity, breakdowns, earlier, *progress)


@pytest.fixture
def busy(engine, monkeypatch):
    """A site where families answer while figures are counted."""
    monkeypatch.setattr(release_history, "release_figures", found := Busy(engine))
    return found


@pytest.fixture
def impatient(monkeypatch):
    """On SQLite, a submission that has to wait fails at once."""
    monkeypatch.setattr("engage.storage.engine.BUSY_TIMEOUT", 0.2)


def closes(engine, day, wave="access"):
    with write_session(engine) as session:
        session.get_one(Wave, wave).closes = day
        session.commit()


def test_families_answer_while_a_draft_is_counted(impatient, engine, leader, planned, busy):
    before = stored(engine)
    for path in DRAFTS:
        assert leader.client.get(path).status_code == 200
    assert busy.calls == [True] * (2 + 3)  # both waves, then the one that received an answer in the meantime
    assert stored(engine) == before + len(busy.calls)


def test_what_was_counted_is_not_counted_for_the_next_view(leader, planned, monkeypatch):
    assert leader.client.get(FALL).status_code == 200
    broken = lambda *_given: pytest.fail("counted again")  # noqa: E731
    monkeypatch.setattr(release_history, "release_figures", broken)
    monkeypatch.setattr(counting, "load_columns", broken)  # nothing is written either
    for path in DRAFTS:
        assert leader.client.get(path).status_code == 200


def test_waves_that_ask_the_same_households_share_one_reading_of_the_roster(
    engine, planned, settings, today, monkeypatch
):
    real, readings = figures.list_sampling_units, []
    monkeypatch.setattr(
        figures, "list_sampling_units", lambda *given, **how: readings.append(given) or real(*given, **how)
    )
    found = counting.count_draft(engine, planned, settings.data_dir, today)
    assert len(readings) == 1
    told = [wave["audiences"]["leaders"]["households"] for wave in found["waves"]]
    assert [(each["all"], each["school"]) for each in told[1:]] == [(told[0]["all"], told[0]["school"])]
    with write_session(engine) as session:
        wave = session.get_one(Wave, "access")
        wave.schools.pop()
        session.commit()
    found = counting.count_draft(engine, planned, settings.data_dir, today)
    assert len(readings) == 3
    assert len({json.dumps(wave["audiences"]["leaders"]["households"], sort_keys=True) for wave in found["waves"]}) == 2


def test_a_draft_of_an_open_wave_is_counted_without_breakdowns(engine, leader, planned, busy, today):
    closes(engine, today)
    assert leader.client.get(FALL).status_code == 200
    assert busy.calls == [False, True]


def test_the_draft_of_an_open_wave_is_what_it_was_with_breakdowns(
    engine, planned, settings, today, tmp_path, monkeypatch
):
    closes(engine, today)
    found = counting.count_draft(engine, planned, settings.data_dir, today)
    monkeypatch.setattr(
        counting,
        "load_or_release",
        lambda columns, folder, scope, *progress: load_or_release(
            columns, folder, replace(scope, breakdowns=True), *progress
        ),
    )
    shutil.rmtree(settings.data_dir / "drafts")
    assert counting.count_draft(engine, planned, settings.data_dir, today) == found


def test_freezing_counts_again_what_came_meanwhile(impatient, engine, leader, planned, busy):
    before, busy.left = stored(engine), 1
    leader.opens(f"{FALL}/freeze").sends().sees("The figures are frozen.")
    assert counted(frozen(engine)) == stored(engine) == before + 1
    assert busy.calls == [True] * 3


def test_freezing_ends_though_answers_never_do(impatient, engine, leader, planned, busy):
    before = stored(engine)
    leader.opens(f"{FALL}/freeze").sends().sees("The figures are frozen.")
    assert stored(engine) == before + len(busy.calls)
    assert counted(frozen(engine)) == before + counting.ATTEMPTS  # all responses at the time of the last count


def test_a_correction_while_figures_are_counted_is_in_what_is_frozen(engine, leader, planned, busy, monkeypatch):
    def corrected(engine):
        with write_session(engine) as session:
            session.get_one(Wave, "access").edits += 1
            session.execute(delete(Response).where(Response.wave_id == "access", Response.language == "so"))
            session.commit()

    monkeypatch.setattr("tests.sites.district.test_draft_while_answering.answer", corrected)
    busy.left = 1
    leader.opens(f"{FALL}/freeze").sends()
    assert counted(frozen(engine)) == stored(engine)


def test_another_checkpoint_frozen_meanwhile_is_not_passed_over(engine, leader, planned, answered, settings, today):
    """The two differ by fewer than 10 families: the second must show what the first did, in whichever order they
    finish."""
    with write_session(engine) as session:
        create_checkpoint(session, "Winter", date(2026, 12, 1), answered, NullTranslations())
        session.commit()
    real, presses_freeze = counting.count_figures, []

    def meanwhile(session, checkpoint, *given):
        made = real(session, checkpoint, *given)
        if not presses_freeze:
            presses_freeze.append(1)
            answer(engine)
            counting.count_and_freeze(engine, "winter", settings.data_dir, today, lambda *_given: None)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "count_figures", meanwhile)
        patch.setattr(counting, "ATTEMPTS", 1)
        counting.count_and_freeze(engine, planned, settings.data_dir, today, lambda *_given: None)
    assert frozen(engine, planned)["waves"] == frozen(engine, "winter")["waves"]


@pytest.mark.parametrize("trials", [1, pytest.param(40, marks=pytest.mark.thorough)])
def test_what_is_frozen_beside_others_who_look_holds_every_answer_once(engine, signs_in, answered, settings, trials):
    leaders = [signs_in("leader") for _ in range(4)]
    for trial in range(trials):
        with write_session(engine) as session:
            id = create_checkpoint(session, f"Trial {trial}", date(2026, 12, 1), answered, NullTranslations()).id
            session.commit()
        for _ in range(STEP + 2):
            answer(engine)
        leaders[0].opens(f"/staff/district/checkpoints/{id}/freeze")
        barrier = Barrier(len(leaders), timeout=20)
        with ThreadPoolExecutor(len(leaders)) as pool:
            freezing = pool.submit(presses_freeze, leaders[0], barrier)
            views = [
                pool.submit(opens_page, each, barrier, f"/staff/district/checkpoints/{id}") for each in leaders[1:]
            ]
        freezing.result()
        assert [each.result() for each in views] == [200] * len(views)
        assert counted(frozen(engine, id)) == stored(engine), f"trial {trial}"


def presses_freeze(leader, barrier):
    """Press the button of the open page."""
    barrier.wait()
    leader.sends()


def opens_page(leader, barrier, path):
    """Return the response to a leader who opens a page."""
    barrier.wait()
    return leader.client.get(path).status_code
