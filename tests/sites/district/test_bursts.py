"""Bursts of responses: announced events, a single decision before any answer is shown, and one version of every
figure."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.bursts import AnnouncedEvent, BurstDay, BurstDecision
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.responses import Response
from tests.makers import a_wave
from tests.people import Family

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_figures")]

FALL = "/staff/district/checkpoints/what-families-said-fall"
BURSTS = "/staff/district/waves/access/bursts"
EVENTS = "/staff/district/waves/fall/events"
MARKED = 34


@pytest.fixture
def burst(engine, planned, today):
    """34 responses of a wave are marked as a burst. Returns the total number of responses."""
    with write_session(engine) as session:
        ids = session.scalars(select(Response.id).where(Response.wave_id == "access").limit(MARKED)).all()
        session.execute(update(Response).where(Response.id.in_(ids)).values(is_burst=True))
        session.add(BurstDay(wave_id="access", day=today, marked=MARKED))
        number = session.scalar(select(func.count()).where(Response.wave_id == "access"))
        session.commit()
    return number


def decide(leader, reason):
    return leader.opens(BURSTS).sends(button="Save this decision", reason=reason)


def counted(engine):
    with read_session(engine) as session:
        document = json.loads(session.scalars(select(Checkpoint.figures)).one())
    (wave,) = [each for each in document["waves"] if each["id"] == "access"]
    return wave["audiences"]["leaders"]["responses"]["all"], wave.get("burst")


@pytest.mark.parametrize("page", ["", "/figures.csv", "/packet.pdf"])
def test_no_figure_is_shown_before_the_decision(leader, burst, page):
    leader.opens(FALL + page).sees("First decide whether the flagged responses count.")
    assert leader.path == BURSTS
    leader.sees("30 or more").sees_no("34")


def test_nothing_is_frozen_before_the_decision(leader, burst, engine):
    leader.opens(f"{FALL}/freeze").sends().sees("First decide whether the flagged responses count.")
    with read_session(engine) as session:
        assert session.scalars(select(Checkpoint.frozen_on)).one() is None


@pytest.mark.parametrize(
    ("reason", "out", "line"),
    [
        ("event", 0, "We counted them because they came from an event at a school."),
        ("known_families", 0, "We counted them because school staff know that families sent them."),
        ("not_families", MARKED, "We left them out because they were not sent by families."),
        ("unclear", MARKED, "We left them out because nobody can tell who sent them."),
    ],
)
def test_the_decision_holds_for_every_figure_and_families_read_the_reason(
    leader, burst, engine, site, reason, out, line
):
    decide(leader, reason).sees("The decision was saved.")
    leader.opens(FALL).sees(line)
    leader.opens(f"{FALL}/freeze").sends()
    assert counted(engine) == (burst - out, reason)
    leader.opens("/staff/district/waves").sees(f"{burst - out}")
    leader.opens(f"{FALL}/publish").sends(without_promise="yes")
    Family(site).opens("/en/results/what-families-said-fall").sees(line)
    Family(site).opens("/ar/results/what-families-said-fall").sees_no(line)


def test_it_is_decided_once(leader, signs_in, burst, engine):
    other = signs_in("leader")
    other.opens(BURSTS)
    decide(leader, "unclear")
    other.sends(button="Save this decision", status=409, reason="event").sees("Leave them out: no one can tell")
    with read_session(engine) as session:
        made = session.scalars(select(BurstDecision)).one()
        events = [each.detail for each in session.scalars(select(AuditEvent)) if each.deed == "decide on bursts"]
    assert (made.counted, made.reason) == (False, "unclear")
    assert events == ['{"counted":0,"reason":"unclear"}']


@pytest.mark.parametrize("reason", [None, "", "because", "x" * 100_000])
def test_a_decision_needs_one_of_the_reasons(leader, burst, engine, reason):
    leader.opens(BURSTS)
    token = leader.field("csrf_token")
    answer = leader.client.post(BURSTS, data={"csrf_token": token, **({"reason": reason} if reason else {})})
    assert answer.status_code == 422
    assert "Choose an option from the list." in answer.text
    with read_session(engine) as session:
        assert session.scalars(select(BurstDecision)).all() == []


def test_fewer_than_ten_are_not_told_exactly(leader, engine, planned, today):
    with write_session(engine) as session:
        session.add(BurstDay(wave_id="access", day=today, marked=3))
        session.commit()
    leader.opens(BURSTS).sees("fewer than 10").sees_no(" 3 ")


def test_without_marked_responses_there_is_nothing_to_decide(leader, engine, planned):
    leader.opens(BURSTS).sees("No responses were flagged.").sees_no("Save this decision")
    answer = leader.client.post(BURSTS, data={"csrf_token": leader.field("csrf_token"), "reason": "event"})
    assert answer.status_code == 409


def test_an_event_is_announced_for_a_day_to_come(leader, engine, today):
    with write_session(engine) as session:
        a_wave(session, "fall")
        session.commit()
    day = today + timedelta(days=3)
    leader.opens("/staff/district/waves/fall").follows("School events").sees("None yet.")
    for wrong in ("", "soon", str(today - timedelta(days=1)), "2026-11-30"):
        leader.sends(school="lincoln", day=wrong, status=422)
    leader.sends(school="nowhere", day=str(day), status=422).sees("Choose an option from the list.")
    for _ in range(2):
        leader.opens(EVENTS).sends(school="lincoln", day=str(day)).sees("October 17, 2026", "Lincoln Elementary")
    with read_session(engine) as session:
        assert [(each.school_id, each.day) for each in session.scalars(select(AnnouncedEvent))] == [("lincoln", day)]
        assert [each.deed for each in session.scalars(select(AuditEvent))].count("announce event") == 1


@pytest.mark.parametrize("address", [EVENTS, "/staff/district/waves/fall/bursts"])
def test_waves_with_codes_have_neither(leader, engine, address):
    with write_session(engine) as session:
        a_wave(session, "fall", entry="code")
        session.commit()
    leader.opens(address, status=404)
