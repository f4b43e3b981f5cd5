"""Emails with a link to choose a password: no difference for unknown addresses, valid once, and for a limited time."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from engage import create_app
from engage.base.config import Settings
from engage.domain.security import password_links
from engage.storage.engine import read_session, write_session
from engage.storage.models.mail import Mail
from engage.storage.models.staff import Staff
from tests.conftest import close
from tests.makers import PASSWORD, staff
from tests.people import StaffMember

EMAIL = "ana@district.example"
NEW = "eleven blue kettles"


@pytest.fixture
def door(settings: Settings, engine: Engine, moment: list[datetime]) -> Iterator[Any]:
    """A site with a liaison who speaks Spanish."""
    with write_session(engine) as session:
        staff(session, "liaison", email=EMAIL, language="es")
        session.commit()
    made = create_app(settings, lambda: moment[0])
    yield made
    close(made)


def letters(door: Any) -> list[dict[str, str]]:
    state = door.staff.extensions["engage"]
    with read_session(state.engine) as session:
        return [json.loads(state.sealer.open(each.sealed)) for each in session.scalars(select(Mail))]


def asks(door: Any, email: str, status: int = 200) -> StaffMember:
    person = StaffMember(door).opens("/staff/login").follows("I forgot my password")
    return person.sends(email=email, status=status)


def link(door: Any) -> str:
    texts = "\n".join(each["text"] for each in letters(door))
    return re.findall(r"http://127\.0\.0\.1:8000(/staff/welcome/\S+)", texts)[-1]


def test_a_forgotten_password_is_chosen_anew(door: Any) -> None:
    elsewhere = StaffMember(door).signs_in(EMAIL, PASSWORD)
    asks(door, "Ana@District.Example").sees("If this address belongs to an account")
    (letter,) = letters(door)
    assert letter["to"] == EMAIL
    person = StaffMember(door).opens(link(door)).sees("Choose a password").sees_no("Welcome.")
    person.sends(new="short", status=422).sees("at least 12 characters")
    person.sends(new=NEW).sees("Your password is set.")
    elsewhere.opens("/staff/me")
    assert elsewhere.path.startswith("/staff/login")
    StaffMember(door).signs_in(EMAIL, NEW)
    refused = StaffMember(door).opens("/staff/login").sends(email=EMAIL, password=PASSWORD)
    assert refused.path == "/staff/login"


def test_a_link_works_once(door: Any) -> None:
    asks(door, EMAIL)
    used = link(door)
    StaffMember(door).opens(used).sends(new=NEW)
    StaffMember(door).opens(used, status=410).sees("This link no longer works")


@pytest.mark.parametrize("late", [timedelta(hours=2), timedelta(days=8)])
def test_a_link_works_for_two_hours(door: Any, moment: list[datetime], late: timedelta) -> None:
    asks(door, EMAIL)
    moment[0] += late - timedelta(seconds=1) if late < timedelta(days=1) else timedelta()
    person = StaffMember(door).opens(link(door))
    moment[0] += late
    person.sends(new=NEW, status=410)


def test_a_password_changed_meanwhile_spends_the_link(door: Any) -> None:
    asks(door, EMAIL)
    ana = StaffMember(door).signs_in(EMAIL, PASSWORD)
    ana.opens("/staff/me")
    token = ana.field("csrf_token")
    ana.client.post("/staff/me/password", data={"csrf_token": token, "old": PASSWORD, "new": NEW})
    StaffMember(door).opens(link(door), status=410)


def test_someone_who_left_gets_no_letter_and_no_way_in(door: Any, engine: Engine) -> None:
    asks(door, EMAIL)
    with write_session(engine) as session:
        session.scalars(select(Staff)).one().active = False
        session.commit()
    StaffMember(door).opens(link(door), status=410)
    asks(door, EMAIL)
    assert len(letters(door)) == 1


def test_no_more_than_one_letter_in_five_minutes(door: Any, moment: list[datetime]) -> None:
    for _ in range(3):
        asks(door, EMAIL).sees("If this address belongs to an account")
    assert len(letters(door)) == 1
    moment[0] += timedelta(minutes=5)
    asks(door, EMAIL)
    assert len(letters(door)) == 2


@pytest.mark.parametrize("email", ["nobody@district.example", "", "no address", "a\x00b@c.example", "x" * 100_000, "%"])
def test_a_stranger_reads_the_same_and_no_letter_is_kept(door: Any, email: str) -> None:
    known = asks(door, EMAIL).page.text
    assert asks(door, email).page.text == known
    assert len(letters(door)) == 1


@pytest.mark.sqlite
def test_a_stranger_waits_as_long(door: Any, moment: list[datetime]) -> None:
    """Work is measured in calls instead of seconds, so that a busy machine has no effect."""
    work: dict[str, int] = {}
    for turn in range(2):  # the first fills the caches
        moment[0] += timedelta(minutes=6)
        for email in (EMAIL, "nobody@district.example"):
            person = StaffMember(door).opens("/staff/forgot")
            token = {"csrf_token": person.field("csrf_token"), "email": email}
            with counted_calls() as calls:
                person.client.post("/staff/forgot", data=token, environ_base={"REMOTE_ADDR": f"192.0.2.{turn}"})
            work[email] = len(calls)
    one, other = work.values()
    assert max(one, other) < 1.25 * min(one, other), f"{work}: without a letter for nobody it is many times less"
    assert len(letters(door)) == 2


@contextmanager
def counted_calls() -> Iterator[list[None]]:
    """Count every call of a Python or C function in the block."""
    calls: list[None] = []
    before = sys.getprofile()
    sys.setprofile(lambda _frame, event, _arg: calls.append(None) if event in ("call", "c_call") else None)
    try:
        yield calls
    finally:
        sys.setprofile(before)


@pytest.mark.sqlite
def test_letters_are_asked_for_slowly(door: Any) -> None:
    for _ in range(10):
        asks(door, EMAIL)
    asks(door, EMAIL, status=429)


@pytest.mark.parametrize(
    "made_up", ["x", "1", "1.reset.9999999999.0", "1.invitation.9.", "99.reset.1.é", "1..." + "0" * 9]
)
def test_made_up_links_open_nothing(door: Any, made_up: str) -> None:
    StaffMember(door).opens(f"/staff/welcome/{made_up}", status=410)


def test_a_link_cannot_be_stretched_or_turned_into_another(door: Any, engine: Engine, clock: Any) -> None:
    with read_session(engine) as session:
        ana = session.scalars(select(Staff)).one()
    key = b"k" * 32
    good = password_links.make_token(key, ana, "reset", clock())
    id, kind, until, proof = good.split(".")
    assert password_links.verify_token(key, good, ana, clock()) == "reset"
    for bad in (
        f"{id}.invitation.{until}.{proof}",
        f"{id}.{kind}.{int(until) + 1}.{proof}",
        f"2.{kind}.{until}.{proof}",
    ):
        assert password_links.verify_token(key, bad, ana, clock()) is None
    assert password_links.verify_token(b"l" * 32, good, ana, clock()) is None


def test_a_changed_password_is_told_by_letter(door: Any) -> None:
    """So that the person notices if someone else did it."""
    StaffMember(door).signs_in(EMAIL, PASSWORD).opens("/staff/me").sends(old=PASSWORD, new=NEW)
    (letter,) = letters(door)
    assert letter["to"] == EMAIL
    asks(door, EMAIL)
    StaffMember(door).opens(link(door)).sends(new=PASSWORD)
    told = [each["text"] for each in letters(door) if "/staff/welcome/" not in each["text"]]
    assert told == [letter["text"]] * 2
