"""Leaders and the data of a district for their pages."""

from collections.abc import Callable
from datetime import date, timedelta
from gettext import NullTranslations
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from engage.demo.voices import raw_answers
from engage.domain.intake.group_assignment import assign_due_groups
from engage.domain.summaries import release_history
from engage.questionnaire.library import shipped_survey
from engage.services.checkpoints.planning import create_checkpoint
from engage.storage.engine import write_session
from engage.storage.models.schools import Household
from tests.makers import PASSWORD, a_school, a_wave, accept, staff
from tests.people import Leader, StaffMember
from tests.seeds import Rows, collect_rows, insert_rows
from tests.speed import release_figures_once

Sign = Callable[..., StaffMember]


@pytest.fixture
def signs_in(site: Any, engine: Engine) -> Sign:
    """Someone with a role, signed in: `signs_in("leader", language="ar")`."""

    def sign(role: str, schools: tuple[str, ...] = (), language: str = "en") -> StaffMember:
        with write_session(engine) as session:
            own = [a_school(session, each, each.title()) for each in schools]
            email = staff(session, role, own, language=language).email
            session.commit()
        visitor = Leader(site) if role == "leader" else StaffMember(site)
        visitor.opens("/staff/login?next=/staff/me").sends(email=email, password=PASSWORD)
        return visitor

    return sign


@pytest.fixture
def leader(signs_in: Sign) -> StaffMember:
    """A leader, signed in."""
    return signs_in("leader")


@pytest.fixture
def shared_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suppress figures of the same answers once for all tests that use this (tests/speed.py)."""
    monkeypatch.setattr(release_history, "release_figures", release_figures_once)


WAVES = {"home-access": "access", "family-beliefs": "beliefs"}
IDENTITIES = {"access": "confidential", "beliefs": "anonymous"}  # help requests are counted if confidential
PLACES = {"lincoln": "Lincoln Elementary", "cedar": "Cedar Hill =1+1", "high": "<b>River</b> High"}
TONGUES = {"en": 40, "es": 22, "ar": 9, "so": 3}  # households of each school by reading language


@pytest.fixture(scope="session")
def answers_of_a_district(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Two closed waves that 190 households answered, online and on paper; with groups of all sizes."""
    return collect_rows(_district, tmp_path_factory.mktemp("district"))


def _district(session: Any) -> None:
    rng = Random(7)
    schools = [a_school(session, *each) for each in PLACES.items()]
    waves = {
        slug: a_wave(
            session, id, schools, shipped_survey(slug, version=1), identity=IDENTITIES[id], **DAYS, languages=TONGUES
        )
        for slug, id in WAVES.items()
    }
    for home in households(rng):
        session.add(Household(id=f"{rng.getrandbits(128):032x}", school_id=home[0], language=home[1]))
        if rng.random() < 0.85:
            for slug, wave in waves.items():
                answers(session, wave, shipped_survey(slug, version=1), home, rng)
    assign_due_groups(session.connection(), KEY, CLOSED + timedelta(days=1))  # as the nightly run does


@pytest.fixture
def answered(engine: Engine, answers_of_a_district: Rows) -> list[str]:
    """The two waves with their answers. Their ids."""
    insert_rows(engine, answers_of_a_district)
    return sorted(WAVES.values())


KEY = bytes(32)  # groups are assigned, so no key is needed to decrypt them
OPENED, CLOSED = date(2026, 9, 1), date(2026, 9, 30)
DAYS = {"opens": OPENED, "closes": CLOSED}


def households(rng: Random) -> list[tuple[str, str]]:
    """(school, language) of each household; the high school is small."""
    found = []
    for place, school in enumerate(PLACES):
        for language, count in TONGUES.items():
            found += [(school, language)] * (count // (1 + place))
    rng.shuffle(found)
    return found


def answers(session: Any, wave: Any, survey: Any, home: tuple[str, str], rng: Random) -> None:
    """Store one household's random answers, as intake does."""
    paper = rng.random() < 0.3
    accept(
        session.connection(),
        survey,
        wave,
        school_id=home[0],
        language=home[1],
        mode="paper" if paper else "web",
        raw=raw_answers(survey, home[1], rng),
        submission_key=f"{rng.getrandbits(256):064x}",
        today=OPENED,
        rng=rng,
        provenance=f"{rng.getrandbits(256):064x}" if paper else None,
        group_key=KEY,
    )


@pytest.fixture
def planned(engine: Engine, answered: list[str]) -> str:
    """A checkpoint over both waves, still a draft. Its id."""
    with write_session(engine) as session:
        made = create_checkpoint(session, "What families said, fall", date(2026, 10, 20), answered, NullTranslations())
        session.commit()
        return made.id
