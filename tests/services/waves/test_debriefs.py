"""Debriefs are stored by the rules for answers, lead to nobody, and are deleted on their day like answers."""

import json
from datetime import UTC, date, datetime, time, timedelta
from random import SystemRandom
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from engage.base.config import Settings
from engage.domain.intake.submission import AnswersRejected
from engage.services.retention.policies import build_policies
from engage.services.waves.debriefs import DUE, NewDebrief, list_urgent_debriefs, save_debrief, select_debriefs
from engage.services.waves.progress import count_progress
from engage.services.waves.retention import answers_deleted_on
from engage.storage.engine import read_session, write_session
from engage.storage.models.responses import PendingResponse, Response, WaveColumns
from engage.storage.models.waves import Wave
from tests.makers import a_school
from tests.populations import a_wave_of

TODAY = date(2026, 10, 14)
RNG = SystemRandom()


@pytest.fixture
def wave(engine: Engine) -> Wave:
    """A wave of debriefs at two schools, from October 1 to 31."""
    with write_session(engine) as session:
        schools = [a_school(session), a_school(session, "cedar", "Cedar Middle School")]
        wave = a_wave_of(session, "liaison", "debriefs", schools)
        session.commit()
        return wave


def saved(engine: Engine, today: date = TODAY, school: str = "lincoln", token: str = "", **lines: str) -> bool:
    with write_session(engine) as session:
        wave = session.get_one(Wave, "debriefs")
        new = NewDebrief(wave, school, "en", lines, token or f"{RNG.getrandbits(128):032x}")
        is_new = save_debrief(session, new, today, RNG)
        session.commit()
        return is_new


def run_policies(engine: Engine, settings: Settings, today: date) -> None:
    with write_session(engine) as session:
        for policy in build_policies(settings, today, datetime.combine(today, time(9), UTC)):
            policy.due(session)
            policy.destroy(session)
            assert policy.due(session) == 0, policy.what
        session.commit()


def rows(engine: Engine, *columns: Any) -> list[Any]:
    with read_session(engine) as session:
        return [tuple(row) for row in session.execute(select(*columns))]


TEXTS = {
    "line ends become spaces": ({"reach": "One.\r\nTwo."}, {"reach": "One. Two."}),
    "long text keeps its lines": ({"new_topics": "One.\r\nTwo."}, {"new_topics": "One.\nTwo."}),
    "overrides and controls go": ({"reach": "a\u202eb\x00c"}, {"reach": "abc"}),
    "blanks have no entry": ({"reach": " ", "objections": "No."}, {"objections": "No."}),
    "a code is only text": ({"reach": "~dont_know"}, {"reach": "~dont_know"}),
    "other names are left out": ({"reach": "a", "name": "Ana"}, {"reach": "a"}),
    "the longest": ({"reach": "a" * 200, "new_topics": "b" * 4000}, {"reach": "a" * 200, "new_topics": "b" * 4000}),
}


@pytest.mark.parametrize(("lines", "stored"), TEXTS.values(), ids=TEXTS)
def test_texts_are_cleaned_by_the_rules_of_the_questionnaire(engine, wave, lines, stored):
    saved(engine, **lines)
    [(answers,)] = rows(engine, Response.answers)
    assert json.loads(answers) == stored


@pytest.mark.parametrize("lines", [{"reach": "a" * 201}, {"new_topics": "b" * 4001}])
def test_a_longer_text_is_refused_and_not_cut(engine, wave, lines):
    with pytest.raises(AnswersRejected):
        saved(engine, **lines)
    assert rows(engine, Response.id) == []


def test_only_the_same_form_with_the_same_text_is_the_same_debrief(engine, wave):
    token, other = "a" * 32, "b" * 32
    assert [
        saved(engine, token=token, reach="Bus drivers."),
        saved(engine, token=token, reach="Bus drivers."),
        saved(engine, token=token, reach="Bus drivers.", school="cedar"),
        saved(engine, token=token, reach="Cooks."),
        saved(engine, token=other, reach="Bus drivers."),
    ] == [True, False, True, True, True]
    keys = [key for (key,) in rows(engine, Response.submission)]
    assert (len(set(keys)), [key for key in keys if token in key or other in key]) == (4, [])


@pytest.mark.parametrize(("ago", "is_listed"), [(0, True), (7, True), (8, False)])
def test_what_is_urgent_is_listed_until_its_last_day(engine, wave, ago, is_listed):
    saved(engine, TODAY - timedelta(days=ago), urgent_questions="The bus.")
    saved(engine, TODAY - timedelta(days=ago), reach="Nothing urgent.")
    with read_session(engine) as session:
        listed = list_urgent_debriefs(session, None, "en", TODAY)
    assert [debrief.urgent for debrief in listed] == ["The bus."] * is_listed
    assert all(TODAY <= debrief.due == debrief.day + DUE for debrief in listed)


@pytest.mark.parametrize(
    ("schools", "wave_id", "number"),
    [(None, "", 3), (None, "debriefs", 3), (None, "other", 0), ({"cedar"}, "", 1), (set(), "", 0)],
)
def test_debriefs_are_those_of_some_schools(engine, wave, schools, wave_id, number):
    for school in ("lincoln", "lincoln", "cedar"):
        saved(engine, school=school, reach="Families.")
    with read_session(engine) as session:
        assert len(session.scalars(select_debriefs(schools, wave_id)).all()) == number


def test_the_number_of_debriefs_is_exact(engine, wave):
    for _ in range(3):
        saved(engine, reach="Families.")
    with read_session(engine) as session:
        for day in (TODAY, wave.closes + timedelta(days=1)):
            progress = count_progress(session, day, "debriefs")["debriefs"]
            assert (progress.responses, progress.exact, progress.invited) == (3, True, 0)


def test_they_keep_school_and_day_until_they_are_deleted_with_all_that_belongs_to_them(engine, wave, settings):
    """No night before fails or joins them, although there is no access code and no link."""
    saved(engine, reach="Families.")
    saved(engine, school="cedar", reach="Two families.")
    kept = [("cedar", TODAY), ("lincoln", TODAY)]
    last = answers_deleted_on(wave, settings)
    nights = [TODAY, wave.closes + timedelta(days=1), wave.closes + timedelta(days=181), last - timedelta(days=1)]
    for night in nights:
        run_policies(engine, settings, night)
        assert sorted(rows(engine, Response.school_id, Response.day)) == kept
    run_policies(engine, settings, last)
    for table in (Response, PendingResponse, WaveColumns):
        assert rows(engine, func.count(table.wave_id)) == [(0,)]
    assert rows(engine, Wave.deleted_on) == [(last,)]
