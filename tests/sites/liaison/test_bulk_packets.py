"""Packets for all schools of a wave, requested at once: numbered and drawn by the worker, one after the other."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from engage.storage.models.audit import AuditEvent
from engage.storage.models.paper import Packet, Sheet
from engage.storage.models.waves import Wave
from tests.makers import PASSWORD, a_school, a_wave, staff
from tests.people import StaffMember
from tests.sites.district.homes import a_home

pytestmark = pytest.mark.slow

PRINT = "/staff/liaison/print"
ALL = "Create a packet for each of the 3 schools"
HOMES = {"lincoln": 3, "cedar": 2, "river": 0}


@pytest.fixture
def coded(arrange: Any) -> None:
    """A confidential wave with codes at three schools; one has no household."""

    def make(session: Session) -> None:
        schools = [a_school(session, each, each.title()) for each in HOMES]
        a_wave(session, "coded", schools, identity="confidential", entry="code")
        number = 0
        for school, homes in HOMES.items():
            for _ in range(homes):
                number += 1
                a_home(session, number, (f"s{number}", school), class_name="3B")
        staff(session, "leader", email="leader@wide.example")
        staff(session, "liaison", schools[:2], email="two@wide.example")

    arrange(make)


def someone(site: Any, email: str) -> StaffMember:
    person = StaffMember(site)
    person.signs_in(email, PASSWORD)
    return person.opens(f"{PRINT}?wave=coded&school=lincoln")


def of_schools(stored: Any, what: str) -> dict[str, str]:
    return {packet.school_id: getattr(packet, what) for packet in stored(Packet)}


def test_one_request_makes_a_packet_for_each_school(site: Any, coded: None, stored: Any, works: Any) -> None:
    leader = someone(site, "leader@wide.example")
    leader.sends(button=ALL, contents="households").sees("3 packets were requested.")
    assert of_schools(stored, "state") == dict.fromkeys(HOMES, "waiting")
    assert stored(Sheet) == [], "the worker numbers them"
    works()
    assert of_schools(stored, "state") == {"lincoln": "ready", "cedar": "ready", "river": "failed"}
    assert of_schools(stored, "asked") == {"lincoln": '{"en": 3}', "cedar": '{"en": 2}', "river": "{}"}
    assert len(stored(Sheet)) == 5
    [empty] = [packet.id for packet in stored(Packet) if packet.school_id == "river"]
    leader.opens(f"/staff/liaison/packets/{empty}").sees("does not include any household at River")
    codes = [event for event in stored(AuditEvent) if event.deed == "make access codes"]
    assert {event.actor for event in codes} == {"leader@wide.example"}
    assert sorted(event.detail.split(",")[0] for event in codes) == ['{"codes":2', '{"codes":3']


def test_a_packet_that_is_requested_is_not_requested_again(site: Any, coded: None, stored: Any, works: Any) -> None:
    leader = someone(site, "leader@wide.example")
    leader.sends(button="Create the packet", contents="households")
    leader.opens(f"{PRINT}?wave=coded&school=lincoln")
    leader.sends(button=ALL, contents="households").sees("2 packets were requested.")
    leader.opens(f"{PRINT}?wave=coded&school=cedar")
    leader.sends(button="Create the packet", contents="households").sees("Nothing to do")
    assert sorted(packet.school_id for packet in stored(Packet)) == ["cedar", "lincoln", "river"]
    works()
    assert len(stored(Sheet)) == 5


def test_a_liaison_requests_those_of_the_own_schools(site: Any, coded: None, stored: Any) -> None:
    liaison = someone(site, "two@wide.example")
    liaison.sends(button="Create a packet for each of the 2 schools", contents="households")
    assert set(of_schools(stored, "state")) == {"lincoln", "cedar"}


def test_blank_forms_are_not_requested_for_all_schools(site: Any, coded: None, stored: Any) -> None:
    leader = someone(site, "leader@wide.example")
    leader.sends(button=ALL, status=422, contents="blanks", **{"copies-en": "2"})
    leader.sees("For all schools at once, choose one form for each household.")
    assert stored(Packet) == []


def test_a_requested_packet_can_be_canceled_before_it_is_numbered(
    site: Any, coded: None, stored: Any, works: Any
) -> None:
    leader = someone(site, "leader@wide.example")
    leader.sends(button=ALL, contents="households")
    [id] = [packet.id for packet in stored(Packet) if packet.school_id == "cedar"]
    leader.opens(f"/staff/liaison/packets/{id}/cancel").sends()
    works()
    assert of_schools(stored, "state") == {"lincoln": "ready", "cedar": "cancelled", "river": "failed"}
    assert len(stored(Sheet)) == 3


def test_a_wave_that_closes_meanwhile_has_no_more_sheets(
    site: Any, coded: None, stored: Any, works: Any, arrange: Any, today: Any
) -> None:
    someone(site, "leader@wide.example").sends(button=ALL, contents="households")

    def close(session: Session) -> None:
        session.get_one(Wave, "coded").closes = session.get_one(Wave, "coded").opens

    arrange(close)
    works()
    assert set(of_schools(stored, "state").values()) == {"failed"}
    assert stored(Sheet) == []
