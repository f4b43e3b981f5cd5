"""Waves for families to answer."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engage.access.codes import ACCESS_KEY, digest, mint
from engage.questionnaire.library import shipped_survey
from engage.records.base import Base
from engage.records.responses import Invitation
from engage.records.session import reading, writing
from tests.makers import a_school, a_wave
from tests.people import Family


@pytest.fixture
def stored(engine: Engine) -> Callable[[type[Base]], list[Any]]:
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


@pytest.fixture
def small(arrange: Any) -> str:
    """An open, anonymous wave with a question of each kind, at one school."""
    arrange(a_wave)
    return "fall"


@pytest.fixture
def access(arrange: Any) -> str:
    """The shipped survey about learning at home, confidential, at two schools."""

    def make(session: Session) -> Any:
        schools = [a_school(session), a_school(session, "harbor", "Harbor Middle School")]
        survey = shipped_survey("home-access")
        return a_wave(session, "access", schools, survey, identity="confidential", languages=("en", "es", "ar"))

    arrange(make)
    return "access"


@pytest.fixture
def beliefs(arrange: Any) -> str:
    """The shipped survey about beliefs, anonymous, at one school."""
    arrange(lambda session: a_wave(session, "beliefs", survey=shipped_survey("family-beliefs")))
    return "beliefs"


@pytest.fixture
def code(arrange: Any, site: Any) -> str:
    """An access code of a wave that is entered by code only, at Lincoln."""
    minted = mint(Random(3))
    key = site.family.extensions["engage"].secret(ACCESS_KEY)

    def make(session: Session) -> None:
        wave = a_wave(session, "invited", entry="code", identity="confidential")
        row = {"digest": digest(minted, key), "wave_id": wave.id, "school_id": "lincoln", "language": "en"}
        session.add(Invitation(**row, household_id=None, used_on=None))

    arrange(make)
    return minted


@pytest.fixture
def family(site: Any) -> Family:
    """Someone with a phone."""
    return Family(site)
