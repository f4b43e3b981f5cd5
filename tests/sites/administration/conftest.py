"""An administrator of a district with two schools."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engage.storage.engine import read_session, write_session
from engage.storage.models.base import Base
from tests.makers import PASSWORD, a_school, staff
from tests.people import StaffMember


@pytest.fixture
def stored(engine: Engine) -> Callable[..., list[Any]]:
    """Returns the current rows of a table."""

    def rows(table: type[Base]) -> list[Any]:
        with read_session(engine) as session:
            return list(session.scalars(select(table)))

    return rows


@pytest.fixture
def arrange(engine: Engine) -> Callable[[Callable[[Session], Any]], Any]:
    """Adds something to the database."""

    def put(make: Callable[[Session], Any]) -> Any:
        with write_session(engine) as session:
            made = make(session)
            session.commit()
            return made

    return put


@pytest.fixture
def district(arrange: Any) -> None:
    """Two schools and one person of each role."""

    def make(session: Session) -> None:
        schools = [a_school(session), a_school(session, "cedar", "Cedar Middle School")]
        session.flush()
        for role in ("administrator", "liaison", "leader", "translator"):
            staff(session, role, schools[:1] if role == "liaison" else [], f"{role}@district.example")

    arrange(make)


@pytest.fixture
def someone(site: Any, district: None) -> Callable[[str], StaffMember]:
    """A signed-in person with a role."""

    def comes(role: str) -> StaffMember:
        person = StaffMember(site)
        person.signs_in(f"{role}@district.example", PASSWORD)
        return person

    return comes
