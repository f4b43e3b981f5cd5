"""The first page after signing in."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from engage.domain.conversations.threads import open_thread
from engage.services.retention.nights import claim_run, end_run
from engage.storage.models.schools import School
from engage.storage.models.staff import Staff
from tests.makers import a_wave, printed_sheets
from tests.people import StaffMember

pytestmark = pytest.mark.slow

Someone = Callable[[str], StaffMember]

FIRST = "The first of them asked in the week of September 28, 2026."
TWO = f"2 families wait for an answer. {FIRST}"


def test_what_waits_is_counted_for_the_persons_own_schools(someone: Someone, arrange: Any) -> None:
    def make(session: Any) -> None:
        schools = list(session.scalars(select(School).order_by(School.id.desc())))
        wave = a_wave(session, "fall", schools)
        by = session.scalars(select(Staff)).first()
        printed_sheets(session, wave, by, 3)
        printed_sheets(session, wave, by, 2, school="cedar")
        for school, day in (("lincoln", 4), ("lincoln", 13), ("cedar", 1)):
            place = {"wave_id": "fall", "school_id": school, "language": "en", "kind": "question"}
            open_thread(session.connection(), text="When?", today=date(2026, 10, day), rng=Random(day), **place)

    liaison, leader = someone("liaison"), someone("leader")
    liaison.opens("/staff/").sees("Nothing waits for you now.")
    arrange(make)
    liaison.opens("/staff/")
    liaison.sees(TWO, "3 printed sheets are not keyed.")
    liaison.follows(TWO)
    assert liaison.path == "/staff/liaison/questions?status=waits"
    leader.opens("/staff/").sees(f"3 families wait for an answer. {FIRST}").sees_no("not keyed")


@pytest.mark.parametrize(
    ("role", "open_to", "shut"),
    [
        ("liaison", "Key paper", "Staff"),
        ("leader", "Checkpoints", "Key paper"),
        ("translator", "Translations", "Questions"),
        ("administrator", "Staff", "Key paper"),
    ],
)
def test_everybody_finds_their_own_pages(someone: Someone, role: str, open_to: str, shut: str) -> None:
    person = someone(role)
    links = [link.text for link in next(person.opens("/staff/").page.all("main")).all("a")]
    assert open_to in links
    assert shut not in links


def test_nobody_comes_in_without_signing_in(site: Any) -> None:
    stranger = StaffMember(site)
    stranger.opens("/staff/")
    assert stranger.path.startswith("/staff/login")


def test_the_administrator_sees_when_old_data_was_deleted(someone: Someone, arrange: Any, clock: Any) -> None:
    """In the district's day: 04:30 UTC is the evening before in Chicago."""

    def ran(moment: datetime, hours_ago: int = 0) -> Callable[[Any], None]:
        def make(session: Any) -> None:
            night = date(2026, 10, 1) + timedelta(days=hours_ago)
            claim_run(session, night, "one", moment)
            end_run(session, night, {}, "", moment)

        return make

    administrator, leader = someone("administrator"), someone("leader")
    administrator.opens("/staff/").sees("Old data has not been deleted yet.").sees_no("36 hours")
    leader.opens("/staff/").sees_no("Old data")
    arrange(ran(datetime(2026, 10, 10, 4, 30, tzinfo=UTC)))
    administrator.opens("/staff/").sees("Old data was last deleted on October 9, 2026.", "more than 36 hours")
    arrange(ran(clock() - timedelta(hours=36), 1))
    administrator.opens("/staff/").sees("October 13, 2026").sees_no("more than 36 hours")
