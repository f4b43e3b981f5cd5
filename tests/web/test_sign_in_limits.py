"""Limits on failed sign-in attempts, and what counts as one."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from engage import create_app
from engage.base.config import Settings
from engage.storage.engine import write_session
from engage.web.auth import sign_in_limits
from engage.web.auth.sign_in_limits import SENDS_MAIL, SignInTry, WrongTries
from tests.conftest import close
from tests.makers import PASSWORD, staff
from tests.people import StaffMember

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]

EMAIL = "ana@district.example"
VIEW = "sign_in.enter"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_limits, "PER_ACCOUNT_AND_NETWORK", "4 per 15 minutes")
    monkeypatch.setattr(sign_in_limits, "PER_ACCOUNT", "2 per hour")
    monkeypatch.setattr(sign_in_limits, "PER_NETWORK", "6 per 15 minutes")


def wrong(tries: WrongTries, tried: SignInTry) -> int:
    """Record a failed attempt; returns the seconds to wait if it is refused."""
    bounds = tries.bounds(tried)
    seconds = tries.seconds_to_wait(bounds)
    if not seconds:
        tries.count(tried, bounds)
    return seconds


def test_one_account_from_one_network(few: None) -> None:
    tries, tried = WrongTries(), SignInTry(VIEW, "ana", "192.0.2.1")
    assert [bool(wrong(tries, tried)) for _ in range(6)] == [False] * 4 + [True] * 2
    assert 0 < wrong(tries, tried) <= 15 * 60 + 1


def test_many_accounts_from_one_network(few: None) -> None:
    tries = WrongTries()
    waits = [wrong(tries, SignInTry(VIEW, f"person {number}", "192.0.2.1")) for number in range(8)]
    assert [bool(seconds) for seconds in waits] == [False] * 6 + [True] * 2
    assert wrong(tries, SignInTry(VIEW, "person 9", "192.0.2.2")) == 0


def test_one_account_from_many_networks_but_three_tries_of_each_are_free(few: None) -> None:
    tries = WrongTries()
    for number in range(5):
        waits = [wrong(tries, SignInTry(VIEW, "ana", f"192.0.2.{number}")) for _ in range(4)]
        assert [bool(seconds) for seconds in waits] == [False] * 3 + [number >= 2]
    assert wrong(tries, SignInTry(VIEW, "ana", "198.51.100.4")) == 0, "her own network was not wrong before"


def test_mail_to_one_account_is_limited_from_every_network(few: None) -> None:
    tries = WrongTries()
    waits = [wrong(tries, SignInTry(SENDS_MAIL, "ana", f"192.0.2.{number}")) for number in range(4)]
    assert [bool(seconds) for seconds in waits] == [False, False, True, True]


def test_each_form_counts_for_itself(few: None) -> None:
    tries = WrongTries()
    for _ in range(4):
        wrong(tries, SignInTry(VIEW, "ana", "192.0.2.1"))
    assert wrong(tries, SignInTry("second.passkey", "ana", "192.0.2.1")) == 0


@pytest.fixture
def ana(few: None, settings: Settings, engine: Engine) -> Iterator[StaffMember]:
    with write_session(engine) as session:
        staff(session, "liaison", email=EMAIL)
        session.commit()
    made: Any = create_app(settings)
    yield StaffMember(made)
    close(made)


def test_a_form_without_its_token_is_no_try(ana: StaffMember) -> None:
    ana.opens("/staff/login")
    for _ in range(8):
        assert ana.client.post("/staff/login", data={"email": EMAIL, "password": "wrong"}).status_code == 400
    ana.signs_in(EMAIL, PASSWORD)


def test_reading_the_page_is_no_try_and_is_never_refused(ana: StaffMember) -> None:
    for _ in range(8):
        ana.opens("/staff/login")
    for _ in range(4):
        ana.sends(email=EMAIL, password="wrong")
    ana.sends(email=EMAIL, password=PASSWORD, status=429).sees("Too many tries")
    assert 0 < int(ana.response.headers["Retry-After"]) <= 15 * 60 + 1
    ana.opens("/staff/login")
