"""The first page after signing in."""

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from engage.domain.conversations.threads import open_thread
from engage.services.retention.run_schedule import claim_run, end_run
from engage.storage.models.schools import School
from engage.storage.models.staff import Staff
from tests.makers import a_wave, printed_sheets
from tests.people import StaffMember

pytestmark = pytest.mark.slow

Someone = Callable[[str], StaffMember]

FIRST = "The first one asked in the week of September 28, 2026."
TWO = f"2 families are waiting for an answer. {FIRST}"


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
    liaison.opens("/staff/").sees("There is nothing to do right now.")
    arrange(make)
    liaison.opens("/staff/")
    liaison.sees(TWO, "3 printed forms have not been entered.")
    liaison.follows("Answer")
    assert liaison.path == "/staff/liaison/questions?status=waits"
    leader.opens("/staff/").sees(f"3 families are waiting for an answer. {FIRST}").sees_no("not been entered")


MENUS = {
    "liaison": ["Home", "Surveys", "Paper", "Conversations", "Roster"],
    "leader": ["Home", "Surveys", "Paper", "Conversations", "Results", "Roster"],
    "translator": ["Home", "Paper", "Translations"],
    "administrator": ["Home", "Surveys", "Paper", "Results", "Roster", "Administration"],
}

PAGES = {
    ("liaison", "/staff/"): ["To do", "Reminders"],
    ("liaison", "/staff/liaison/keying"): ["Enter paper surveys", "Print"],
    ("liaison", "/staff/liaison/questions"): ["Conversations", "Debriefs"],
    ("leader", "/staff/liaison/debriefs"): ["Conversations", "Debriefs"],
    ("administrator", "/staff/"): ["To do", "Reminders"],
    ("leader", "/staff/district/waves/new"): ["All surveys", "Questionnaires", "Content screening"],
    ("administrator", "/staff/district/screening"): [
        "All surveys",
        "Questionnaires",
        "Content screening",
        "Translations",
    ],
    ("liaison", "/staff/district/questionnaires"): ["All surveys", "Questionnaires"],
    ("administrator", "/staff/administration/audit"): [
        "Staff",
        "Partner organizations",
        "Privacy notice",
        "Student surveys",
        "Audit log",
        "Outgoing mail",
    ],
}


def menu_labels(person: StaffMember, name: str) -> list[str]:
    """Return the entries of a row of the menu on the open page, without the number beside an entry."""
    return [
        link.text.partition("waiting")[0].rstrip(" 0123456789")
        for row in person.page.all("nav")
        if row.get("class") == name
        for link in row.all("a")
    ]


@pytest.mark.parametrize("role", MENUS)
def test_the_menu_has_the_sections_of_the_role(someone: Someone, role: str) -> None:
    person = someone(role)
    person.opens("/staff/")
    assert menu_labels(person, "sections") == MENUS[role]


@pytest.mark.parametrize(("role", "address"), PAGES)
def test_the_second_row_has_the_pages_of_the_section(someone: Someone, role: str, address: str) -> None:
    person = someone(role)
    person.opens(address)
    assert menu_labels(person, "pages") == PAGES[role, address]


@pytest.mark.parametrize(
    ("address", "section", "page"),
    [
        ("/staff/", "true", "page"),
        ("/staff/district/waves", "true", "page"),
        ("/staff/district/waves/new", "true", "true"),
        ("/staff/me", "", ""),
    ],
)
def test_the_menu_says_where_one_is(someone: Someone, address: str, section: str, page: str) -> None:
    person = someone("leader")
    person.opens(address)
    current = [
        [link.get("aria-current") for link in row.all("a") if link.get("aria-current")]
        for row in person.page.all("nav")
        if row.get("class") in ("sections", "pages")
    ]
    assert [row for row in current if row] == [[value] for value in (section, page) if value]


def test_the_menu_says_where_one_is_when_a_form_is_refused(someone: Someone) -> None:
    person = someone("administrator")
    for address, page in (("staff", "Staff"), ("organisations", "Partner organizations"), ("roster", "Roster import")):
        person.opens(f"/staff/administration/{address}").sends(status=422)
        links = [link for row in person.page.all("nav") if row.get("class") == "pages" for link in row.all("a")]
        assert [link.text for link in links if link.get("aria-current")] == [page]


def test_the_number_of_waiting_families_is_in_the_menu_of_those_who_may_read_them(
    someone: Someone, arrange: Any
) -> None:
    def ask(session: Any) -> None:
        schools = list(session.scalars(select(School).order_by(School.id.desc())))
        a_wave(session, "fall", schools)
        place = {"wave_id": "fall", "school_id": "cedar", "language": "en", "kind": "question"}
        open_thread(session.connection(), text="When?", today=date(2026, 10, 1), rng=Random(1), **place)

    arrange(ask)
    leader, elsewhere, translator = someone("leader"), someone("liaison"), someone("translator")
    leader.opens("/staff/").sees("1 waiting")
    elsewhere.opens("/staff/").sees_no("waiting")
    translator.opens("/staff/").sees_no("waiting")


def test_the_page_that_says_the_database_is_away_asks_it_for_no_number(
    site: Any, someone: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: Any) -> None:
        raise OperationalError("select 1", {}, Exception("gone"))

    leader = someone("leader")
    monkeypatch.setattr(sys.modules["engage.sites.liaison.blueprint"], "count_waiting_threads", fail)
    leader.opens("/staff/district/waves", status=503).sees("Something on our side did not work", "Conversations")


def test_nobody_comes_in_without_signing_in(site: Any) -> None:
    stranger = StaffMember(site)
    stranger.opens("/staff/")
    assert stranger.path.startswith("/staff/login")


def test_the_administrator_sees_when_old_data_was_deleted(someone: Someone, arrange: Any, clock: Any) -> None:
    """In the district's time zone: 04:30 UTC is the evening before in Chicago."""

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
