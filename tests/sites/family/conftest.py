"""Waves for families to answer."""

import base64
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engage.domain.intake import drafts
from engage.domain.intake.draft_encryption import DRAFT_KEY, phone_draft_keys
from engage.domain.security.access_codes import ACCESS_KEY, digest, generate_access_code
from engage.questionnaire.library import shipped_survey
from engage.services.waves.opening import add_unnamed_invitations
from engage.storage.engine import read_session, write_session
from engage.storage.models.base import Base
from tests.makers import a_school, a_wave
from tests.people import Family


@pytest.fixture
def stored(engine: Engine) -> Callable[[type[Base]], list[Any]]:
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
def small(arrange: Any) -> str:
    """An open, anonymous wave with a question of each kind, at one school."""
    arrange(a_wave)
    return "fall"


@pytest.fixture
def access(arrange: Any) -> str:
    """The shipped survey about learning at home, confidential, at two schools."""

    def make(session: Session) -> Any:
        schools = [a_school(session), a_school(session, "harbor", "Harbor Middle School")]
        survey = shipped_survey("home-access", version=1)
        return a_wave(session, "access", schools, survey, identity="confidential", languages=("en", "es", "ar"))

    arrange(make)
    return "access"


@pytest.fixture
def beliefs(arrange: Any) -> str:
    """The shipped survey about beliefs, anonymous, at one school."""
    arrange(lambda session: a_wave(session, "beliefs", survey=shipped_survey("family-beliefs", version=1)))
    return "beliefs"


@pytest.fixture
def code(arrange: Any, site: Any) -> str:
    """An access code of a wave with codes, at Lincoln."""
    minted = generate_access_code(Random(3))
    key = site.family.extensions["engage"].secret(ACCESS_KEY)

    def make(session: Session) -> None:
        wave = a_wave(session, "invited", entry="code", identity="confidential")
        add_unnamed_invitations(session, wave, "lincoln", "en", [digest(minted, key)])

    arrange(make)
    return minted


@pytest.fixture
def private(arrange: Any, site: Any) -> list[str]:
    """Twelve access codes of an anonymous wave with codes, at Lincoln."""
    minted = [generate_access_code(Random(seed)) for seed in range(40, 52)]
    key = site.family.extensions["engage"].secret(ACCESS_KEY)

    def make(session: Session) -> None:
        wave = a_wave(session, "private", entry="code")
        add_unnamed_invitations(session, wave, "lincoln", "en", [digest(each, key) for each in minted])

    arrange(make)
    return minted


@pytest.fixture
def drafted(site: Any, engine: Engine) -> Callable[[Family, str], dict[str, list[str]]]:
    """Returns a family's draft in a wave, decrypted with its cookie and the site's key."""

    def opened(family: Family, wave: str = "fall") -> dict[str, list[str]]:
        cookie = family.cookie(wave)
        assert cookie is not None
        secret = base64.urlsafe_b64decode(cookie.partition(".")[0] + "=")
        key = site.family.extensions["engage"].secret(DRAFT_KEY)
        kept = drafts.peek_draft(engine, phone_draft_keys(secret, wave, key))
        assert kept is not None
        return kept.raw

    return opened


@pytest.fixture
def family(site: Any) -> Family:
    """A family member with a phone."""
    return Family(site)
