"""Who can sign in to the staff pages, for how long, and what others can learn from the sign-in page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from argon2 import PasswordHasher
from flask import Blueprint
from sqlalchemy import Engine
from werkzeug.test import Client

from engage.app import Site
from engage.app import build_site as build
from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.domain.security import passwords
from engage.domain.security.passwords import LEAST
from engage.services.runtime import open_runtime
from engage.storage.engine import write_session
from engage.storage.models.staff import Staff
from engage.web.auth import sign_in_limits
from engage.web.permissions import enters
from tests.conftest import close
from tests.makers import PASSWORD, staff
from tests.people import StaffMember
from tests.speed import REAL_PASSWORDS

pytestmark = pytest.mark.slow

EMAIL = "ana@district.example"


@contextmanager
def a_site(settings: Settings, moment: list[datetime]) -> Iterator[Site]:
    home = Blueprint("home", __name__)
    home.record(lambda state: state.app.add_url_rule("/staff/", "home", enters("manage yourself")(lambda: HOME)))
    home.add_url_rule("/staff/summaries", "summaries", enters("see summaries")(lambda: HOME))
    made = build(open_runtime(settings, lambda: moment[0]), [Blueprint("family", __name__)], [home])
    yield made
    close(made)


HOME = (
    '<!doctype html><html lang="en" dir="ltr"><head><title>Home</title></head>'
    "<body><main><h1>Home</h1></main></body></html>"
)


@pytest.fixture
def door(settings: Settings, engine: Engine, moment: list[datetime]) -> Iterator[Site]:
    with write_session(engine) as session:
        staff(session, "liaison", email=EMAIL)
        session.commit()
    with a_site(settings, moment) as made:
        yield made


@pytest.fixture
def ana(door: Site) -> StaffMember:
    return StaffMember(door)


def change(engine: Engine, **values: Any) -> None:
    with write_session(engine) as session:
        person = session.query(Staff).filter_by(email=EMAIL).one()
        for name, value in values.items():
            setattr(person, name, value)
        session.commit()


def test_she_signs_in_sees_her_pages_and_signs_out(ana: StaffMember) -> None:
    ana.signs_in(EMAIL, PASSWORD).opens("/staff/me").sees(EMAIL).signs_out()
    assert ana.path == "/staff/login"
    ana.opens("/staff/me")
    assert ana.path.startswith("/staff/login")


def test_the_address_may_be_capitalised(ana: StaffMember) -> None:
    ana.signs_in("Ana@District.Example", PASSWORD)


def test_after_signing_in_she_is_where_she_wanted_to_go(ana: StaffMember) -> None:
    ana.opens("/staff/me").sends(email=EMAIL, password=PASSWORD)
    assert ana.path == "/staff/me"


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, "wrong"), ("nobody@district.example", PASSWORD), ("no address", PASSWORD), ("", "")]
)
def test_the_refusal_is_the_same_whoever_asks(ana: StaffMember, email: str, password: str) -> None:
    ana.opens("/staff/login").sends(email=email, password=password)
    ana.sees("is not correct. Try again").sees_no("exist", "disabled", "account is")
    assert ana.field("email") == email
    assert ana.field("password") == ""


def test_someone_who_left_does_not_come_in(ana: StaffMember, engine: Engine) -> None:
    change(engine, active=False)
    ana.opens("/staff/login").sends(email=EMAIL, password=PASSWORD).sees("is not correct. Try again")


def test_someone_who_leaves_is_out_at_once(ana: StaffMember, engine: Engine) -> None:
    ana.signs_in(EMAIL, PASSWORD)
    change(engine, active=False)
    ana.opens("/staff/me")
    assert ana.path.startswith("/staff/login")


@pytest.fixture
def real_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as in production (tests/speed.py)."""
    passes, memory, lanes = REAL_PASSWORDS
    hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes)
    monkeypatch.setattr(passwords, "_hasher", hasher)


@pytest.mark.sqlite
def test_an_unknown_address_takes_as_long_as_a_wrong_password(
    real_passwords: None, ana: StaffMember, door: Site
) -> None:
    times: dict[str, list[float]] = {EMAIL: [], "nobody@district.example": []}
    for number in range(7):
        for email, spent in times.items():
            stranger = StaffMember(door).opens("/staff/login")
            start = perf_counter()
            stranger.sends(email=email, password=f"wrong {number}")
            spent.append(perf_counter() - start)
    one, other = (median(spent) for spent in times.values())
    assert max(one, other) < 3 * min(one, other), "without the second hash it is ten times faster"


def test_idle_for_half_an_hour_and_she_signs_in_again(ana: StaffMember, moment: list[datetime]) -> None:
    ana.signs_in(EMAIL, PASSWORD)
    moment[0] += timedelta(minutes=29)
    ana.opens("/staff/me").sees(EMAIL)
    moment[0] += timedelta(minutes=29)
    ana.opens("/staff/me").sees(EMAIL)
    moment[0] += timedelta(minutes=31)
    ana.opens("/staff/me")
    assert ana.path.startswith("/staff/login")


def test_no_session_lasts_longer_than_twelve_hours(ana: StaffMember, moment: list[datetime]) -> None:
    ana.signs_in(EMAIL, PASSWORD)
    for _ in range(36):
        moment[0] += timedelta(minutes=20)
        ana.opens("/staff/me").sees(EMAIL)
    moment[0] += timedelta(minutes=1)
    ana.opens("/staff/me")
    assert ana.path.startswith("/staff/login")


HOSTILE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "https:evil.example",
    "https:///evil.example",
    "javascript:alert(1)",
    "\tjavascript:alert(1)",
    "http://localhost@evil.example/",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "%2f%2fevil.example",
    "/%5cevil.example",
]


@pytest.mark.sqlite
@pytest.mark.parametrize("target", HOSTILE)
def test_nobody_is_sent_away_after_signing_in(door: Site, target: str) -> None:
    ana = StaffMember(door).opens("/staff/login?next=" + quote(target))
    form = {"email": EMAIL, "password": PASSWORD, "next": target, "csrf_token": ana.field("csrf_token") or ""}
    answer = ana.client.post("/staff/login?next=" + quote(target), data=form)
    assert answer.status_code == 302
    # Browsers remove leading control characters and spaces, and treat a backslash as a slash
    where = re.sub(r"[\x00-\x20]", "", answer.headers["Location"]).replace("\\", "/")
    assert not where.startswith("//"), where
    assert urlsplit(urljoin("http://localhost/staff/login", where))[:2] == ("http", "localhost"), where


def test_a_form_without_its_token_is_refused(door: Site, ana: StaffMember) -> None:
    assert Client(door).post("/staff/login", data={"email": EMAIL, "password": PASSWORD}).status_code == 400
    ana.signs_in(EMAIL, PASSWORD)
    assert ana.client.post("/staff/logout").status_code == 400
    ana.opens("/staff/me").sees(EMAIL)
    assert ana.client.post("/staff/me/language", data={"language": "es"}).status_code == 400


def test_signing_out_is_never_a_link(ana: StaffMember) -> None:
    ana.signs_in(EMAIL, PASSWORD).opens("/staff/logout", status=405)


def test_nothing_planted_before_signing_in_is_kept(ana: StaffMember) -> None:
    ana.opens("/staff/login")
    before = ana.field("csrf_token")
    ana.sends(email=EMAIL, password=PASSWORD)
    assert ana.client.post("/staff/me/language", data={"language": "es", "csrf_token": before}).status_code == 400


@pytest.mark.sqlite
def test_the_cookie_tells_browsers_to_guard_it(settings: Settings, moment: list[datetime]) -> None:
    with a_site(replace(settings, base_url="https://engage.sites.district.example"), moment) as made:
        answer = Client(made).get("/staff/login", base_url="https://engage.sites.district.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-staff=")
    parts = {part.strip() for part in cookie.split(";")}
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert not any(part.startswith("Domain") for part in parts)


@pytest.mark.sqlite
def test_an_account_is_guessed_at_slowly_but_the_school_is_not_locked_out(door: Site) -> None:
    guesser = StaffMember(door).opens("/staff/login")
    for _ in range(10):
        guesser.sends(email=EMAIL, password="wrong")
    guesser.sends(email=EMAIL, password="wrong", status=429)
    assert int(guesser.response.headers["Retry-After"]) > 0
    colleague = StaffMember(door).opens("/staff/login")
    colleague.sends(email="ben@district.example", password="wrong")
    away = Client(door)
    token = StaffMember(door).opens("/staff/login")
    form = {"email": EMAIL, "password": "wrong", "csrf_token": token.field("csrf_token")}
    elsewhere = token.client.post("/staff/login", data=form, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 200, "she may still come in from home"
    assert away.get("/staff/login").status_code == 200


@pytest.mark.sqlite
def test_however_many_guess_its_owner_signs_in_from_a_network_of_her_own(
    door: Site, settings: Settings, moment: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_limits, "PER_ACCOUNT", "6 per hour")
    with a_site(settings, moment) as made:
        page = StaffMember(made).opens("/staff/login")
        form = {"email": EMAIL, "password": "wrong", "csrf_token": page.field("csrf_token")}
        guessed = []
        for number in range(25):
            place = {"REMOTE_ADDR": f"2001:db8:{number % 5:x}::{number:x}"}
            guessed.append(page.client.post("/staff/login", data=form, environ_base=place).status_code)
        right = {"data": form | {"password": PASSWORD}, "environ_base": {"REMOTE_ADDR": "198.51.100.4"}}
        answer = page.client.post("/staff/login", **right)
    free = 5 * 3  # three from each network are not counted against the account
    assert guessed == [200] * (free + 6) + [429] * (25 - free - 6)
    assert answer.status_code == 302


def test_other_spellings_of_an_address_are_tries_at_the_same_account(door: Site) -> None:
    """The account lookup folds all spellings, so counting does too."""
    spellings = [EMAIL, "ANA@district.example", " ana@District.example", "ana@\u24d3istrict.example"]
    spellings.append("ana@\uff44istrict.example")
    guesser = StaffMember(door).opens("/staff/login")
    for number in range(10):
        guesser.sends(email=spellings[number % len(spellings)], password="wrong")
    for spelling in spellings:
        guesser.opens("/staff/login").sends(email=spelling, password="wrong", status=429)
    StaffMember(door).opens("/staff/login").sends(email="ben@district.example", password="wrong")


@pytest.mark.sqlite
def test_signing_in_rightly_does_not_count_as_a_try(door: Site) -> None:
    for _ in range(12):
        StaffMember(door).signs_in(EMAIL, PASSWORD)


def test_she_chooses_the_language_of_her_pages(ana: StaffMember) -> None:
    ana.signs_in(EMAIL, PASSWORD).opens("/staff/me")
    for tag in LANGUAGES:
        names = {option.text for option in ana.page.all("option")}
        assert LANGUAGES[tag].name in names
        form = {"language": tag, "csrf_token": ana.field("csrf_token") or ""}
        assert ana.client.post("/staff/me/language", data=form).status_code == 302
        assert ana.opens("/staff/me").language == tag


def test_an_unknown_language_is_refused_in_words(ana: StaffMember) -> None:
    ana.signs_in(EMAIL, PASSWORD).opens("/staff/me")
    form = {"language": "xx'--", "csrf_token": ana.field("csrf_token") or ""}
    answer = ana.client.post("/staff/me/language", data=form)
    assert answer.status_code == 422
    assert "Choose a language from the list" in answer.text


@pytest.mark.sqlite
def test_before_signing_in_the_browser_says_the_language(door: Site) -> None:
    answer = Client(door).get("/staff/login", headers={"Accept-Language": "ar-EG, es;q=0.8"})
    assert '<html lang="ar" dir="rtl">' in answer.text
    assert '<html lang="en"' in Client(door).get("/staff/login", headers={"Accept-Language": "tlh"}).text


def test_a_new_password_takes_the_place_of_the_old_and_ends_other_sessions(ana: StaffMember, door: Site) -> None:
    elsewhere = StaffMember(door).signs_in(EMAIL, PASSWORD)
    ana.signs_in(EMAIL, PASSWORD).opens("/staff/me")
    ana.sends(old=PASSWORD, new="nine loud herons").sees("was changed", EMAIL)
    ana.opens("/staff/me").sees(EMAIL)
    elsewhere.opens("/staff/me")
    assert elsewhere.path.startswith("/staff/login")
    elsewhere.sends(email=EMAIL, password=PASSWORD).sees("is not correct. Try again")
    elsewhere.signs_in(EMAIL, "nine loud herons")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("wrong", "nine loud herons", "not your password"),
        (PASSWORD, "short", f"at least {LEAST} characters"),
        (PASSWORD, "x" * 201, "at most 200 characters"),
        (PASSWORD, "abababababab", "different characters"),
        (PASSWORD, "I am Ana herself", "email address"),
    ],
)
def test_a_weak_or_unproven_password_is_refused_in_words(ana: StaffMember, old: str, new: str, words: str) -> None:
    ana.signs_in(EMAIL, PASSWORD).opens("/staff/me").sends(old=old, new=new, status=422).sees(words)
    StaffMember(ana.client.application).signs_in(EMAIL, PASSWORD)


@pytest.mark.sqlite
def test_a_browser_left_alone_cannot_be_used_to_guess_the_password(ana: StaffMember) -> None:
    ana.signs_in(EMAIL, PASSWORD).opens("/staff/me")
    for _ in range(10):
        ana.sends(old="wrong", new="nine loud herons", status=422)
    ana.sends(old="wrong", new="nine loud herons", status=429)


def test_pages_of_others_are_refused_not_hidden_behind_the_door(ana: StaffMember) -> None:
    ana.signs_in(EMAIL, PASSWORD).opens("/staff/summaries", status=403).sees("do not have access to this page")


@pytest.mark.sqlite
def test_the_family_app_knows_no_staff_page(door: Site) -> None:
    assert door.family is not None
    assert door.staff is not None
    assert not [rule for rule in door.family.url_map.iter_rules() if rule.rule.startswith("/staff")]
    assert all(rule.rule.startswith("/staff") for rule in door.staff.url_map.iter_rules())


@pytest.mark.sqlite
def test_no_library_of_signing_in_brings_a_page_of_its_own(door: Site) -> None:
    assert door.staff is not None
    views = {rule.endpoint: door.staff.view_functions[rule.endpoint] for rule in door.staff.url_map.iter_rules()}
    assert {name for name in views if name.startswith("sign_in.")} == {
        "sign_in.page",
        "sign_in.enter",
        "sign_in.sign_out",
    }
    theirs = [name for name, view in views.items() if not view.__module__.startswith(("engage.", "tests."))]
    assert theirs == []


def test_signing_in_does_not_rewrite_the_stored_password(ana: StaffMember, engine: Engine) -> None:
    with write_session(engine) as session:
        before = session.query(Staff.password).filter_by(email=EMAIL).scalar()
    ana.signs_in(EMAIL, PASSWORD)
    with write_session(engine) as session:
        assert session.query(Staff.password).filter_by(email=EMAIL).scalar() == before
