"""Sessions in the database: listed, ended from another browser, and invalid from the next request."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from engage import create_app
from engage.base.config import Settings
from engage.domain.security.accounts import new_uniquifier
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.staff import Staff, StaffSession
from tests.conftest import close
from tests.makers import PASSWORD, staff
from tests.people import StaffMember

pytestmark = pytest.mark.slow

EMAIL, OTHER = "ana@district.example", "ben@district.example"


@pytest.fixture
def door(settings: Settings, engine: Engine, moment: list[datetime]) -> Iterator[Any]:
    """A site with two liaisons."""
    with write_session(engine) as session:
        staff(session, "liaison", email=EMAIL)
        staff(session, "liaison", email=OTHER)
        session.commit()
    made = create_app(settings, lambda: moment[0])
    yield made
    close(made)


@pytest.fixture
def ana(door: Any) -> StaffMember:
    return StaffMember(door).signs_in(EMAIL, PASSWORD)


def kept(engine: Engine) -> list[StaffSession]:
    with read_session(engine) as session:
        return list(session.scalars(select(StaffSession).order_by(StaffSession.began_at)))


def out(person: StaffMember) -> bool:
    return person.opens("/staff/me").path.startswith("/staff/login")


def test_the_cookie_holds_a_secret_that_the_database_does_not(ana: StaffMember, engine: Engine, door: Any) -> None:
    with ana.client.application.staff.test_request_context():
        cookie = ana.client.get_cookie("staff")
        app = ana.client.application.staff
        held = app.session_interface.get_signing_serializer(app).loads(cookie.value)
    (row,) = kept(engine)
    assert held["key"] not in row.id
    assert len(held["key"]) >= 43, "256 random bits"
    assert "_id" not in held, "Flask-Login's digest of the browser's address"


def test_one_is_ended_from_another_at_its_next_page(ana: StaffMember, door: Any, engine: Engine) -> None:
    elsewhere = StaffMember(door).signs_in(EMAIL, PASSWORD)
    elsewhere.opens("/staff/me").sees(EMAIL)
    ana.opens("/staff/me").sees("Where you are signed in", "this browser")
    begin = next(form for form in ana.page.all("form") if (form.get("action") or "").endswith("/end"))
    ana.sends(button=next(begin.all("button")).text).sees("That browser was signed out.")
    assert out(elsewhere)
    assert not out(ana)
    assert len(kept(engine)) == 1


def test_all_others_are_ended_at_their_next_page(ana: StaffMember, door: Any, engine: Engine) -> None:
    others = [StaffMember(door).signs_in(EMAIL, PASSWORD) for _ in range(3)]
    ben = StaffMember(door).signs_in(OTHER, PASSWORD)
    ana.opens("/staff/me")
    ana.sends(button="Sign out everywhere else").sees("You are signed out everywhere else.")
    assert all(out(each) for each in others)
    assert not out(ana)
    assert not out(ben)
    with read_session(engine) as session:
        told = session.scalars(select(AuditEvent).where(AuditEvent.deed == "sign out everywhere")).one()
    assert (told.actor, told.detail) == (EMAIL, '{"sessions":3}')


def test_nobody_ends_the_session_of_another(ana: StaffMember, door: Any, engine: Engine) -> None:
    ben = StaffMember(door).signs_in(OTHER, PASSWORD)
    with read_session(engine) as session:
        his = session.scalars(select(Staff.id).where(Staff.email == OTHER)).one()
    theirs = next(row for row in kept(engine) if row.staff_id == his)
    ana.opens("/staff/me")
    for made_up in (theirs.id, "0" * 64, "x", "%00", "é" * 64):
        answer = ana.client.post(f"/staff/me/sessions/{made_up}/end", data={"csrf_token": ana.field("csrf_token")})
        assert answer.status_code == 404
    assert not out(ben)


def test_signing_out_takes_the_session_from_the_database(ana: StaffMember, engine: Engine) -> None:
    cookie = ana.client.get_cookie("staff").value
    ana.opens("/staff/me").signs_out()
    assert kept(engine) == []
    ana.client.set_cookie("staff", cookie, path="/")
    assert out(ana), "a cookie that was copied before is worth nothing"


def test_a_cookie_of_before_signing_in_is_worth_nothing(door: Any) -> None:
    ana = StaffMember(door).opens("/staff/login")
    planted = ana.client.get_cookie("staff").value
    ana.sends(email=EMAIL, password=PASSWORD)
    thief = StaffMember(door)
    thief.client.set_cookie("staff", planted, path="/")
    assert out(thief)


def test_a_persons_new_handle_ends_the_session_whatever_the_row_says(ana: StaffMember, engine: Engine) -> None:
    with write_session(engine) as session:
        session.scalars(select(Staff).where(Staff.email == EMAIL)).one().fs_uniquifier = new_uniquifier()
        session.commit()
    assert out(ana)


def test_that_it_is_at_work_is_written_at_most_once_a_minute(
    ana: StaffMember, engine: Engine, moment: list[datetime], door: Any
) -> None:
    began = moment[0].replace(tzinfo=None)
    state = door.staff.extensions["engage"]
    written = []
    event.listen(
        state.engine,
        "before_cursor_execute",
        lambda _c, _u, statement, *_rest: written.append(statement) if statement.startswith("UPDATE") else None,
    )
    for _ in range(12):
        moment[0] += timedelta(seconds=10)
        ana.opens("/staff/me")
    assert len(written) == 2
    assert all("staff_sessions" in statement for statement in written)
    (row,) = kept(engine)
    assert row.began_at == began
    assert row.seen_at == began + timedelta(minutes=2)


def test_sessions_that_are_over_are_swept_away_when_someone_signs_in(
    ana: StaffMember, engine: Engine, moment: list[datetime], door: Any
) -> None:
    moment[0] += timedelta(hours=13)
    StaffMember(door).signs_in(OTHER, PASSWORD)
    assert len(kept(engine)) == 1


def test_a_changed_password_ends_the_others_and_keeps_how_this_one_began(ana: StaffMember, door: Any) -> None:
    elsewhere = StaffMember(door).signs_in(EMAIL, PASSWORD)
    before = ana.client.get_cookie("staff").value
    ana.opens("/staff/me").sends(button="Change password", old=PASSWORD, new="nine loud herons")
    assert out(elsewhere)
    ana.opens("/staff/me").sees("this browser", "Password")
    elsewhere.client.set_cookie("staff", before, path="/")
    assert out(elsewhere), "the cookie of before is worth nothing"
