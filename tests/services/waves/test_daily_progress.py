"""Responses by day show full tens only, never more than the list of surveys showed on that day, and never in an
anonymous survey."""

from collections import Counter
from datetime import date, timedelta
from itertools import accumulate

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from engage.services.waves.daily_progress import ExpectedPace, daily_series, expected_pace
from engage.storage.engine import write_session
from engage.storage.models.bursts import BurstDecision
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import Response
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_wave

OPENS = date(2026, 10, 1)
DAYS = 31


def answer(session, wave: Wave, day: date, count: int) -> None:
    for number in range(count):
        key = f"{wave.id}{day:%m%d}{number}".encode().hex()
        row = {"wave_id": wave.id, "school_id": "lincoln", "language": "en", "mode": "web", "day": day}
        session.add(Response(id=f"{key:0>32}"[-32:], answers="{}", submission=f"{key:0>64}"[-64:], **row))
    session.flush()


def confidential(session, id: str = "fall", **days) -> Wave:
    return a_wave(session, id, [a_school(session)], identity="confidential", **days)


def test_a_day_shows_what_the_list_showed_on_that_day(engine):
    with write_session(engine) as session:
        wave = confidential(session)
        for day, count in ((0, 7), (1, 2), (2, 1), (4, 25)):
            answer(session, wave, OPENS + timedelta(days=day), count)
        assert daily_series(session, wave, OPENS + timedelta(days=5)) == (0, 0, 10, 10, 30, 30)
        assert daily_series(session, wave, OPENS + timedelta(days=1)) == (), "fewer than ten"
        assert len(daily_series(session, wave, OPENS + timedelta(days=90))) == DAYS


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 14), min_size=1, max_size=12))
def test_the_numbers_are_tens_that_never_fall_and_never_tell_more_than_the_total(engine, counts):
    with write_session(engine) as session:
        wave = confidential(session)
        for day, count in enumerate(counts):
            answer(session, wave, OPENS + timedelta(days=day), count)
        series = daily_series(session, wave, OPENS + timedelta(days=len(counts) - 1))
        totals = list(accumulate(counts))
        assert list(series) == ([total // 10 * 10 for total in totals] if totals[-1] >= 10 else [])
        session.rollback()


def test_an_anonymous_survey_has_no_series(engine):
    with write_session(engine) as session:
        wave = a_wave(session, "fall")
        answer(session, wave, OPENS, 40)
        assert daily_series(session, wave, OPENS) == ()


@pytest.mark.parametrize("loss", ["answers", "links"])
def test_there_is_none_after_answers_or_the_first_link_are_deleted(engine, loss):
    with write_session(engine) as session:
        wave = confidential(session)
        answer(session, wave, OPENS, 40)
        invited = {"wave_id": wave.id, "identity": "confidential", "school_id": "lincoln", "language": "en"}
        session.add(Invitation(digest="a" * 64, used=True, used_on=OPENS, **invited))
        session.flush()
        assert daily_series(session, wave, OPENS) == (40,)
        if loss == "answers":
            wave.deleted_on = OPENS
        else:
            session.execute(update(Invitation).values(used_on=None))
        assert daily_series(session, wave, OPENS) == ()


def test_the_pace_is_that_of_the_last_survey_of_the_same_questionnaire_and_schools(engine):
    with write_session(engine) as session:
        spring = confidential(session, "spring", opens=date(2026, 5, 1), closes=date(2026, 5, 10))
        confidential(session, "older", opens=date(2026, 4, 1), closes=date(2026, 4, 10))
        answer(session, spring, spring.opens, 12)
        answer(session, spring, spring.closes, 20)
        fall = confidential(session)
        pace = expected_pace(session, fall, 402, OPENS)
        assert pace == ExpectedPace(spring, 32, (10,) * 9 + (30,))
        assert [pace.at(day, DAYS) for day in (1, 10, 31)] == [10, 30, 30]
        spring.schools = [a_school(session, "cedar", "Cedar Hill")]
        session.flush()
        assert expected_pace(session, fall, 402, OPENS) == ExpectedPace(None, 402), "other schools, and too few answers"


def test_without_its_days_an_earlier_survey_gives_an_even_pace(engine):
    with write_session(engine) as session:
        spring = a_wave(session, "spring", opens=date(2026, 5, 1), closes=date(2026, 5, 10))
        answer(session, spring, spring.opens, 62)
        fall = a_wave(session, "fall")
        pace = expected_pace(session, fall, 402, OPENS)
        assert pace == ExpectedPace(spring, 62)
        assert [pace.at(day, DAYS) for day in (1, 15, 31, 40)] == [2, 30, 62, 62]
        session.execute(delete(Response))
        assert expected_pace(session, fall, 9, OPENS) is None, "nothing to compare with"


def test_what_is_left_out_of_figures_is_not_in_the_series(engine):
    with write_session(engine) as session:
        wave = confidential(session)
        answer(session, wave, OPENS, 40)
        session.execute(update(Response).where(Response.id.in_(_some(session, 15))).values(is_burst=True))
        session.add(BurstDecision(wave_id=wave.id, counted=False, reason="unclear", decided_on=OPENS))
        session.flush()
        assert Counter(daily_series(session, wave, OPENS)) == Counter([20])


def _some(session, count: int) -> list[str]:
    return [each.id for each in session.query(Response).limit(count)]
