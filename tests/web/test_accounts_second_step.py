"""The second step of signing in: an app and recovery codes; and what a password alone does not allow."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import Engine, select

from engage import create_app
from engage.base.config import Settings
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.mail import Mail
from engage.storage.models.staff import Staff, StaffSession
from tests.conftest import close
from tests.makers import PASSWORD, staff
from tests.people import StaffMember

pytestmark = pytest.mark.slow

EMAIL = "ada@district.example"
PAGE = "/staff/me/second-factor"
STRONG = "/staff/administration/staff"


@pytest.fixture
def door(settings: Settings, engine: Engine, moment: list[datetime]) -> Iterator[Any]:
    """A site where the second step is required, and its administrator."""
    with write_session(engine) as session:
        staff(session, "administrator", email=EMAIL)
        session.commit()
    made = create_app(replace(settings, second_factor="required"), lambda: moment[0])
    yield made
    close(made)


@pytest.fixture
def ada(door: Any) -> StaffMember:
    """The administrator, signed in with a password."""
    return StaffMember(door).signs_in(EMAIL, PASSWORD)


def the_key(page: Any) -> str:
    return next(one.text for one in page.all("p") if one.get("class") == "code").replace("-", "").replace(" ", "")


def set_up(person: StaffMember, moment: list[datetime]) -> tuple[pyotp.TOTP, list[str]]:
    """Set up an app; returns it and the recovery codes."""
    person.opens(f"{PAGE}/app")
    app = pyotp.TOTP(the_key(person.page))
    person.sends(code=app.at(moment[0])).sees("They are shown only once")
    return app, [one.text for one in next(o for o in person.page.all("ul") if o.get("class") == "codes").all("li")]


def half_way(door: Any, **headers: str) -> StaffMember:
    person = StaffMember(door).opens("/staff/login")
    return person.sends(email=EMAIL, password=PASSWORD).sees("One more step")


def ada_in(engine: Engine) -> Staff:
    with read_session(engine) as session:
        return session.scalars(select(Staff).where(Staff.email == EMAIL)).one()


def test_a_password_alone_opens_no_page_with_power(ada: StaffMember, moment: list[datetime]) -> None:
    ada.opens(STRONG).sees("This page requires a second step", "Second step at sign-in")
    assert ada.path == f"{PAGE}?next={STRONG}"
    ada.opens("/staff/me")
    answer = ada.client.post(STRONG, data={"csrf_token": ada.field("csrf_token"), "email": "x@y.example"})
    assert answer.status_code == 403
    assert "This page requires a second step" in answer.text


def test_once_set_up_it_leads_back_and_is_asked_for(
    ada: StaffMember, door: Any, moment: list[datetime], engine: Engine
) -> None:
    ada.opens(STRONG)
    ada.follows("Set up the app")
    app = pyotp.TOTP(the_key(ada.page))
    ada.sends(code=app.at(moment[0])).sees("They are shown only once").follows("I have saved them. Continue")
    assert ada.path == STRONG
    moment[0] += timedelta(minutes=1)
    person = half_way(door)
    person.opens("/staff/me")
    assert person.path.startswith("/staff/login"), "the password alone opens nothing"
    person = half_way(door)
    person.sends(code="000000", status=422).sees("This code is not correct")
    person.sends(code=app.at(moment[0]))
    assert person.path == "/staff/"
    person.opens(STRONG).sees("Add a staff member")
    stored = ada_in(engine)
    assert app.secret not in (stored.tf_totp_secret or "")
    with read_session(engine) as session:
        told = [(each.deed, each.detail) for each in session.scalars(select(AuditEvent).order_by(AuditEvent.number))]
    assert told == [
        ("sign in", '{"by":"password"}'),
        ("change sign-in", '{"what":"app"}'),
        ("sign in", '{"by":"code"}'),
    ]


def test_setting_it_up_ends_sessions_begun_without_it(ada: StaffMember, door: Any, moment: list[datetime]) -> None:
    elsewhere = StaffMember(door).signs_in(EMAIL, PASSWORD)
    set_up(ada, moment)
    elsewhere.opens("/staff/me")
    assert elsewhere.path.startswith("/staff/login")
    ada.opens("/staff/me").sees("You use an authenticator app.", "10 recovery codes left")


def test_the_wanted_page_is_reached_through_the_second_step(ada: StaffMember, door: Any, moment: Any) -> None:
    app, _ = set_up(ada, moment)
    moment[0] += timedelta(minutes=1)
    person = StaffMember(door).opens("/staff/me")
    person.sends(email=EMAIL, password=PASSWORD).sends(code=app.at(moment[0]))
    assert person.path == "/staff/me"


@pytest.mark.parametrize("written", ["123 456", "１２３４５６", "١٢٣٤٥٦"])
def test_digits_of_any_script_and_spacing_are_read(written: str) -> None:
    from engage.web.auth.totp import _digits

    assert _digits(written) == "123456"


def test_a_code_is_taken_once(ada: StaffMember, door: Any, moment: list[datetime]) -> None:
    app, _ = set_up(ada, moment)
    half_way(door).sends(code=app.at(moment[0]), status=422).sees("already used")
    moment[0] += timedelta(seconds=30)
    half_way(door).sends(code=app.at(moment[0]))
    half_way(door).sends(code=app.at(moment[0]), status=422)


def test_a_recovery_code_is_taken_once_and_not_kept(
    ada: StaffMember, door: Any, moment: list[datetime], engine: Engine
) -> None:
    _, codes = set_up(ada, moment)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"\w{4}-\w{4}-\w{4}", code) for code in codes)
    stored = ada_in(engine).mf_recovery_codes or ""
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)
    person = half_way(door)
    person.sends(code=codes[3].lower().replace("-", " "))
    person.opens("/staff/me").sees("9 recovery codes left", "Password and recovery code")
    half_way(door).sends(code=codes[3], status=422)
    half_way(door).sends(code=codes[4])


def test_new_recovery_codes_replace_the_old(ada: StaffMember, door: Any, moment: list[datetime]) -> None:
    _, codes = set_up(ada, moment)
    ada.opens(PAGE).sends(button="Create new codes").sees("They are shown only once")
    half_way(door).sends(code=codes[0], status=422)


def test_without_the_app_a_password_is_enough_again(
    ada: StaffMember, door: Any, moment: list[datetime], engine: Engine
) -> None:
    set_up(ada, moment)
    ada.opens(PAGE).sends(button="Remove the app").sees("App codes are off")
    ada.opens(STRONG).sees("This page requires a second step")
    person = StaffMember(door).signs_in(EMAIL, PASSWORD)
    assert person.path == "/staff/"
    assert ada_in(engine).mf_recovery_codes is None


def test_the_second_step_does_not_wait_for_ever(ada: StaffMember, door: Any, moment: list[datetime]) -> None:
    app, _ = set_up(ada, moment)
    person = half_way(door)
    moment[0] += timedelta(minutes=11)
    person.sends(code=app.at(moment[0]))
    assert person.path == "/staff/login"


def test_a_password_changed_meanwhile_ends_the_half_way(
    ada: StaffMember, door: Any, moment: list[datetime], engine: Engine
) -> None:
    app, _ = set_up(ada, moment)
    person = half_way(door)
    ada.opens("/staff/me").sends(button="Change password", old=PASSWORD, new="nine loud herons")
    moment[0] += timedelta(minutes=1)
    person.sends(code=app.at(moment[0]))
    assert person.path == "/staff/login"


def test_a_session_left_open_cannot_change_how_one_signs_in(ada: StaffMember, moment: list[datetime]) -> None:
    moment[0] += timedelta(minutes=16)
    ada.opens(f"{PAGE}/app").sees("Enter your password again")
    ada.sends(password="wrong", status=422).sees("not your password")
    ada.sends(password=PASSWORD).sees("Scan this QR code with the app.")


@pytest.mark.sqlite
def test_codes_are_guessed_at_slowly(ada: StaffMember, door: Any, moment: list[datetime]) -> None:
    set_up(ada, moment)
    person = half_way(door)
    for number in range(10):
        person.sends(code=f"{number:06}", status=422)
    person.sends(code="000010", status=429)


@pytest.mark.parametrize("code", ["", "\x00", "x" * 100_000, "१२३", "'; drop table staff; --", "²²²²²²", "-12345"])
def test_any_code_is_answered_in_words(ada: StaffMember, door: Any, moment: list[datetime], code: str) -> None:
    set_up(ada, moment)
    half_way(door).sends(code=code, status=422).sees("This code is not correct")


def test_a_stranger_is_not_asked_for_a_code(door: Any) -> None:
    stranger = StaffMember(door).opens("/staff/login/second")
    assert stranger.path == "/staff/login"


def test_each_change_of_the_second_step_is_told_by_letter(
    ada: StaffMember, moment: list[datetime], engine: Engine
) -> None:
    def told() -> int:
        with read_session(engine) as session:
            return len([each for each in session.scalars(select(Mail)) if each.kind == "sign-in changed"])

    set_up(ada, moment)
    assert told() == 1
    ada.opens("/staff/me/second-factor").sends(button="Remove the app")
    assert told() == 2


def test_where_it_is_only_offered_a_line_reminds(settings: Settings, engine: Engine, clock: Any) -> None:
    with write_session(engine) as session:
        staff(session, "administrator", email=EMAIL)
        session.commit()
    made = create_app(settings, clock)
    try:
        ada = StaffMember(made).signs_in(EMAIL, PASSWORD)
        ada.opens(STRONG).sees("Only a password protects this page.", "Add a second step", "Add a staff member")
        ada.opens("/staff/").sees_no("Only a password protects")
    finally:
        close(made)


def test_every_sign_in_has_a_row_of_its_own(ada: StaffMember, door: Any, engine: Engine) -> None:
    StaffMember(door).signs_in(EMAIL, PASSWORD)
    with read_session(engine) as session:
        rows = session.scalars(select(StaffSession)).all()
    assert [(row.by, row.strong) for row in rows] == [("password", False)] * 2
    columns = {column.name for column in StaffSession.__table__.columns}
    assert columns == {"id", "staff_id", "began_at", "seen_at", "strong", "by"}, "no address, no browser's name"
