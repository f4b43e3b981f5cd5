"""Accounts with one or several roles: which schools they can see, and who stays an administrator."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engage.domain.security.accounts import (
    AccountProblem,
    NewStaff,
    assign_roles,
    compare_access,
    create_staff,
    describe_access,
    is_last_administrator,
)
from engage.domain.security.permissions import ROLES, is_limited_to_schools, sort_roles
from engage.storage.engine import write_session
from engage.storage.models.staff import Organisation, Staff
from tests.makers import a_school

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with write_session(engine) as session:
        a_school(session)
        session.flush()
        yield session


def add(session: Session, email: str, *roles: str, schools: tuple[str, ...] = ()) -> Staff:
    person = create_staff(session, NewStaff(f"{email}@district.example", "", roles, schools), NOW)
    session.flush()
    return person


def test_a_person_has_several_roles_each_once(session: Session) -> None:
    person = add(session, "ana", "liaison", "administrator", "leader", "liaison", schools=("lincoln",))
    assert [role.name for role in person.roles] == ["administrator", "liaison", "leader"]
    assert person.schools == [], "with a district-wide role a person sees all schools"
    add(session, "bo", "leader")
    session.expire_all()
    assert {role.name for role in person.roles} == {"administrator", "liaison", "leader"}


@pytest.mark.parametrize(
    ("roles", "schools", "problem"),
    [
        ((), (), "at least one role"),
        (("liaison", "king"), ("lincoln",), "'king' is not a role"),
        (("liaison",), (), "at least one with --school"),
        (("liaison",), ("atlantis",), "no school atlantis; known: lincoln"),
        (("liaison", "leader"), ("atlantis",), "no school atlantis"),
    ],
)
def test_who_cannot_be_added(session: Session, roles: tuple[str, ...], schools: tuple[str, ...], problem: str) -> None:
    with pytest.raises(AccountProblem, match=problem):
        add(session, "ana", *roles, schools=schools)


def test_schools_and_languages_are_of_those_who_are_liaisons_only(session: Session) -> None:
    person = add(session, "ana", "liaison", schools=("lincoln",))
    person.languages = "es so"
    assign_roles(session, person, ["liaison"], ["lincoln"])
    assert ([school.id for school in person.schools], person.languages) == (["lincoln"], "es so")
    assign_roles(session, person, ["leader", "liaison"], ["lincoln"])
    assert (person.schools, person.languages) == ([], "")
    with pytest.raises(AccountProblem, match="--school"):
        assign_roles(session, person, ["liaison"], [])
    assert {role.name for role in person.roles} == {"leader", "liaison"}


@pytest.mark.parametrize("roles", [("administrator",), ("administrator", "leader", "liaison")])
def test_the_last_administrator_does_not_lose_that_role(session: Session, roles: tuple[str, ...]) -> None:
    last = add(session, "ana", *roles)
    add(session, "bo", "leader", "liaison")
    off = add(session, "cy", "administrator")
    off.active = False
    session.flush()
    assert is_last_administrator(session, last)
    with pytest.raises(AccountProblem, match="the only administrator"):
        assign_roles(session, last, ["leader"], [])
    assert {role.name for role in last.roles} == set(roles)
    assign_roles(session, last, ["administrator", "translator"], [])
    off.active = True
    session.flush()
    assert not is_last_administrator(session, last)
    assert not is_last_administrator(session, off)
    assign_roles(session, last, ["translator"], [])
    session.flush()
    assert is_last_administrator(session, off)
    assert not is_last_administrator(session, last), "who is no administrator is not the last one"


def test_the_audit_log_names_all_roles_before_and_after(session: Session) -> None:
    person = add(session, "ana", "liaison", schools=("lincoln",))
    before = describe_access(person)
    assert before == {"roles": "liaison", "schools": "lincoln", "languages": "all", "organisation": "none"}
    assign_roles(session, person, ["leader", "liaison", "administrator"], [])
    person.organisation = Organisation(name="Harbor House")
    assert compare_access(before, person) == {
        "roles": "liaison → administrator liaison leader",
        "schools": "lincoln → all",
        "organisation": "none → Harbor House",
    }


def test_a_liaison_is_limited_to_schools_without_another_role() -> None:
    assert is_limited_to_schools(["liaison"])
    assert not any(is_limited_to_schools(["liaison", role]) for role in ROLES if role != "liaison")
    assert not is_limited_to_schools([])
    assert not is_limited_to_schools(["king"])
    assert sort_roles(["leader", "king", "administrator", "leader"]) == ["administrator", "leader"]
