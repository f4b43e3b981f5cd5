"""Functions that add test data to the session; the test commits.

By default a wave has the survey of tests/small.toml, is open between October 1 and 31, 2026, by an open link, and
anonymous.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from engage.base.catalogs import survey_catalogues
from engage.base.config import Settings
from engage.domain.intake.group_encryption import GROUP_KEY, ResponseGroup, open_group
from engage.domain.intake.submission import StoredResponse, Submission, accept_response
from engage.domain.security import form_serials
from engage.domain.security.accounts import NewStaff, create_staff
from engage.domain.security.encryption import derive_key
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.model import Survey
from engage.questionnaire.parser import read_survey
from engage.services.waves import privacy_notice
from engage.services.waves.opening import add_unnamed_invitations, ensure_salt
from engage.services.waves.populations import DESIGNS, PopulationDesign
from engage.services.waves.screening import NONE, Decision, screening_items, store_decisions
from engage.storage.language_groups import OTHER
from engage.storage.models.paper import PrintRun, Sheet
from engage.storage.models.responses import MODES, Response
from engage.storage.models.schools import School
from engage.storage.models.staff import Staff
from engage.storage.models.waves import StoredEdition, Wave

PASSWORD = "seven quiet otters"
_numbers = count(1)


def a_survey() -> Survey:
    """Return a survey with one question of each kind, a rule, and a repeated block."""
    return read_survey(Path(__file__).with_name("small.toml"))


def a_school(session: Session, id: str = "lincoln", name: str = "Lincoln Elementary") -> School:
    """Return a school, which is added if it does not exist."""
    school = session.get(School, id) or School(id=id, name=name)
    session.add(school)
    return school


def an_edition(session: Session, survey: Survey | None = None) -> StoredEdition:
    """Return the current edition of a survey in every language, which is added if it does not exist."""
    edition = build_edition(survey or a_survey(), survey_catalogues())
    stored = session.get(StoredEdition, edition.digest) or StoredEdition(
        digest=edition.digest,
        slug=(survey or a_survey()).slug,
        document=edition.document,
        stored_on=date(2026, 9, 30),
    )
    session.add(stored)
    return stored


def a_wave(
    session: Session,
    id: str = "fall",
    schools: Sequence[School] = (),
    survey: Survey | None = None,
    *,
    opens: date = date(2026, 10, 1),
    closes: date = date(2026, 10, 31),
    results_on: date | None = date(2026, 11, 20),
    identity: str = "anonymous",
    entry: str = "open",
    languages: Sequence[str] = ("en", "es", "ar"),
) -> Wave:
    """Add a wave, with its own school if none is given; of a survey that is not for families, as it is asked."""
    population = survey.population if survey else "family"
    design = DESIGNS.get(population, PopulationDesign(identity, entry, MODES, "family"))
    wave = Wave(
        id=id,
        edition=an_edition(session, survey),
        title=f"The {id} wave",
        opens=opens,
        closes=closes,
        results_on=results_on,
        identity=design.identity,
        entry=design.entry,
        modes=" ".join(design.modes),
        counting=design.counting,
        population=population,
        languages=" ".join(languages),
        schools=list(schools) or [a_school(session)],
        privacy_notice=privacy_notice.build_notice_json(session, design.identity, design.entry, languages, population),
    )
    ensure_salt(wave)
    session.add(wave)
    session.flush()
    return wave


def screened(session: Session, *surveys: Survey) -> None:
    """Record for every question of these surveys that it is in no protected area."""
    for survey in surveys:
        store_decisions(session, dict.fromkeys(screening_items(survey), Decision(NONE)), None, date(2026, 8, 1))


def group_key(settings: Settings) -> bytes:
    """Return the key with which a site with these settings encrypts the groups of anonymous responses."""
    return derive_key(settings.secret().encode(), GROUP_KEY)


def group_of(settings: Settings, response: Response) -> ResponseGroup:
    """Return the group of a stored response, decrypted if necessary."""
    if response.sealed_group is not None:
        return open_group(group_key(settings), response.id, response.sealed_group)
    return ResponseGroup(response.school_id or OTHER, response.language, response.mode, response.answered_in or OTHER)


def staff(session: Session, role: str, schools: Sequence[School] = (), email: str = "", language: str = "en") -> Staff:
    """Add a person who signs in with PASSWORD. A liaison works with Lincoln by default."""
    session.flush()
    if role == "liaison" and not schools:
        schools = [a_school(session)]
        session.flush()
    email = email or f"{role}{next(_numbers)}@district.example"
    now = datetime(2026, 9, 1, tzinfo=UTC)
    person = create_staff(
        session, NewStaff(email, f"A {role}", [role], [school.id for school in schools], PASSWORD), now
    )
    person.language = language
    session.flush()
    return person


def printed_sheets(
    session: Session, wave: Wave, by: Staff, copies: int = 2, *, school: str = "lincoln", language: str = "en"
) -> list[str]:
    """Return the serials of sheets that were printed for a wave and have not been returned."""
    number = next(_numbers)
    run = PrintRun(
        id=f"{number:032x}",
        wave_id=wave.id,
        school_id=school,
        language=language,
        copies=copies,
        paper="letter",
        large_print=False,
        printed_by=by.id,
        printed_on=date(2026, 10, 2),
    )
    session.add(run)
    session.flush()
    found = list(islice(form_serials.generate_serials(Random(number), ()), copies))
    session.add_all(Sheet(serial=serial, run_id=run.id) for serial in found)
    session.flush()
    return found


def accept(
    connection: Connection, survey: Any, wave: Any, *, today: date, rng: Random, **fields: Any
) -> StoredResponse:
    """Store a response as intake does; `fields` are those of a Submission."""
    return accept_response(connection, Submission(survey, wave, **fields), today=today, rng=rng)


def a_slip_wave(
    session: Session,
    population: str,
    digests: Sequence[str] = (),
    survey: Survey | None = None,
    languages: Sequence[str] = ("en", "es", "ar"),
) -> Wave:
    """Add an anonymous wave that educators or students of Lincoln answer with codes from a pile; its id is the
    population. By default it asks the shipped survey for them."""
    asked = survey or shipped_survey({"educator": "educator-beliefs", "student": "student-voice"}[population])
    wave = a_wave(session, population, survey=replace(asked, population=population), languages=languages)
    add_unnamed_invitations(session, wave, "lincoln", "und", digests)
    return wave
