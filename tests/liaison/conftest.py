"""A wave at Lincoln and at Cedar, its sheets, and a liaison of Lincoln at the desk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engage.questionnaire.library import shipped_survey
from engage.records.base import Base
from engage.records.session import reading, writing
from tests.makers import PASSWORD, a_school, a_wave, printed_sheets, staff
from tests.people import Liaison


@pytest.fixture
def stored(engine: Engine) -> Callable[..., list[Any]]:
    """Every row of a table, as it stands now."""

    def rows(table: type[Base]) -> list[Any]:
        with reading(engine) as session:
            return list(session.scalars(select(table)))

    return rows


@pytest.fixture
def arrange(engine: Engine) -> Callable[[Callable[[Session], Any]], Any]:
    """Put something into the database."""

    def put(make: Callable[[Session], Any]) -> Any:
        with writing(engine) as session:
            made = make(session)
            session.commit()
            return made

    return put


@dataclass
class Desk:
    """Serials by what they belong to."""

    english: list[str]
    spanish: list[str]
    arabic: list[str]
    foreign: list[str]
    access: list[str]
    known: list[str]


@pytest.fixture
def desk(arrange: Any) -> Desk:
    """The small survey and the one about learning at home, printed for two schools."""

    def make(session: Session) -> Desk:
        schools = [a_school(session), a_school(session, "cedar", "Cedar Middle School")]
        small = a_wave(session, "fall", schools)
        access = a_wave(session, "access", schools, shipped_survey("home-access"), identity="confidential")
        known = a_wave(session, "known", schools, identity="confidential")
        by = staff(session, "liaison", schools[:1], "lin@district.example")
        staff(session, "liaison", schools[:1], "second@district.example")
        staff(session, "liaison", schools[1:], "ced@district.example")
        return Desk(
            printed_sheets(session, small, by),
            printed_sheets(session, small, by, language="es"),
            printed_sheets(session, small, by, language="ar"),
            printed_sheets(session, small, by, school="cedar"),
            printed_sheets(session, access, by),
            printed_sheets(session, known, by, copies=6),
        )

    return arrange(make)


@pytest.fixture
def liaison(site: Any, desk: Desk) -> Liaison:
    """The liaison of Lincoln, signed in."""
    liaison = Liaison(site)
    liaison.signs_in("lin@district.example", PASSWORD)
    return liaison


@pytest.fixture
def second(site: Any, desk: Desk) -> Liaison:
    """Another liaison of Lincoln, signed in."""
    liaison = Liaison(site)
    liaison.signs_in("second@district.example", PASSWORD)
    return liaison
