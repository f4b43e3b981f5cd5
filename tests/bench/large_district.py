"""A generated large district for benchmarks. The same size always gives the same district.

    .venv/bin/python -m tests.bench.large_district FOLDER [S|M|L]

Ten languages in the roster, five waves: confidential with codes (closed and open), anonymous with an open link (closed
and open), anonymous with codes (open). Each household of the roster has an invitation in each wave with codes. Rows are
inserted in bulk; answers have the distribution of the demo district's. No names are stored. Not included: paper,
threads, audit log.
"""

import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from gettext import NullTranslations
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from engage.base.catalogs import survey_catalogues
from engage.base.config import Settings
from engage.demo.voices import raw_answers
from engage.domain.intake.submission import build_answer_document
from engage.domain.security.accounts import NewStaff, create_staff
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.question_types import canonical_answers
from engage.services.checkpoints.planning import create_checkpoint
from engage.services.waves.opening import NewInvitation, add_invitations
from engage.storage.engine import connect, write_session
from engage.storage.models.responses import PendingResponse, Response
from engage.storage.models.roster import Guardian, Guardianship, HouseholdGuardian, HouseholdStudent, Student
from engage.storage.models.schools import Household, School
from engage.storage.models.waves import StoredEdition, Wave
from engage.storage.upgrade import upgrade

LANGUAGES = {"en": 520, "es": 210, "ar": 70, "so": 55, "vi": 45, "zh-Hans": 40, "hmn": 25, "my": 18, "ru": 12, "ti": 5}
OFFERED = ("en", "es", "ar", "so", "vi", "zh-Hans")
MODES = {"web": 74, "paper": 22, "interview": 4}
VARIANTS = 400  # different answers to each survey
BATCH = 5_000  # rows in one statement
LEADER, PASSWORD = "leader@large.example", "bench-large-2026"
DRAFT = "bench-draft"  # the draft checkpoint over all waves
OPEN_LINK = "bench"  # the open wave with an open link (used by tests/bench/families.py)


@dataclass(frozen=True, slots=True)
class Size:
    """Numbers of rows for one size."""

    schools: int
    households: int
    responses: int


SIZES = {"S": Size(5, 1_500, 600), "M": Size(40, 12_000, 5_000), "L": Size(200, 60_000, 40_000)}


@dataclass(frozen=True, slots=True)
class Plan:
    """One wave, and its share of the responses in percent."""

    id: str
    slug: str
    identity: str
    entry: str
    open: bool
    share: int


WAVES = (
    Plan("confidential-closed", "home-access", "confidential", "code", False, 30),
    Plan("confidential-open", "family-beliefs", "confidential", "code", True, 15),
    Plan("anonymous-closed", "family-beliefs", "anonymous", "open", False, 25),
    Plan(OPEN_LINK, "family-beliefs", "anonymous", "open", True, 15),
    Plan("anonymous-codes", "home-access", "anonymous", "code", True, 15),
)


def generate(settings: Settings, size: Size, today: date) -> None:
    """Generate the district in an empty data directory."""
    engine = connect(settings.database)
    upgrade(engine)
    rng = Random(2026)
    with write_session(engine) as session:
        homes = _roster(session, size, rng)
        for each in WAVES:
            _wave(session, each, homes, size, today, rng)
        checkpoint = create_checkpoint(session, "Bench draft", today, [each.id for each in WAVES], NullTranslations())
        assert checkpoint.id == DRAFT
        create_staff(session, NewStaff(LEADER, "Leader", ["leader"], (), PASSWORD), datetime.now(UTC))
        session.commit()
    _analyzed(engine)
    engine.dispose()


def school(number: int) -> str:
    """Return a school's id."""
    return f"school-{number:03}"


def _roster(session: Session, size: Size, rng: Random) -> list[dict[str, Any]]:
    """Add schools and households with one to three children and a guardian. Returns the households' rows."""
    session.add_all(School(id=school(each), name=f"School {each:03}") for each in range(size.schools))
    session.flush()
    schools = rng.choices(range(size.schools), [rng.uniform(1, 5) for _ in range(size.schools)], k=size.households)
    spoken = rng.choices(list(LANGUAGES), list(LANGUAGES.values()), k=size.households)
    homes = [
        {"id": f"{rng.getrandbits(128):032x}", "school_id": school(at), "language": language}
        for at, language in zip(schools, spoken, strict=True)
    ]
    children = [(home, f"s{at}-{child}") for at, home in enumerate(homes) for child in range(rng.choice((1, 1, 2, 3)))]
    _add(session, Household, homes)
    _add(session, Student, ({"id": id, "school_id": home["school_id"], "grade": "03"} for home, id in children))
    _add(session, Guardian, ({"id": f"g{at}", "reads": home["language"]} for at, home in enumerate(homes)))
    _add(session, HouseholdStudent, ({"household_id": home["id"], "student_id": id} for home, id in children))
    guardians = {home["id"]: f"g{at}" for at, home in enumerate(homes)}
    _add(session, HouseholdGuardian, ({"household_id": id, "guardian_id": each} for id, each in guardians.items()))
    rows = ({"student_id": id, "guardian_id": guardians[home["id"]], "position": 0} for home, id in children)
    _add(session, Guardianship, rows)
    return homes


def _wave(session: Session, about: Plan, homes: list[dict[str, Any]], size: Size, today: date, rng: Random) -> None:
    edition = build_edition(shipped_survey(about.slug), survey_catalogues())
    if session.get(StoredEdition, edition.digest) is None:
        about_edition = {"digest": edition.digest, "slug": about.slug, "document": edition.document}
        session.add(StoredEdition(**about_edition, stored_on=today))
    opens, closes = today - timedelta(days=60), today + timedelta(days=60 if about.open else -10)
    wave = Wave(
        id=about.id,
        edition_digest=edition.digest,
        title=about.id,
        opens=opens,
        closes=closes,
        identity=about.identity,
        entry=about.entry,
        languages=" ".join(OFFERED),
        results_on=None,
    )
    wave.schools = list(session.scalars(select(School)))
    session.add(wave)
    session.flush()
    if about.entry == "code":
        add_invitations(session, wave, _invited(about, homes))
    _respond(session, wave, about, homes, size.responses * about.share // 100, rng)


def _invited(about: Plan, homes: list[dict[str, Any]]) -> Iterator[NewInvitation]:
    for home in homes:
        digest = hashlib.sha256(f"{about.id} {home['id']}".encode()).hexdigest()
        yield NewInvitation(digest, home["school_id"], _asked_in(home["language"]), home["id"])


def _asked_in(language: str) -> str:
    return language if language in OFFERED else "en"


def _respond(session: Session, wave: Wave, about: Plan, homes: list[dict[str, Any]], number: int, rng: Random) -> None:
    """Add responses of this number of households, all pending for the columns."""
    survey = shipped_survey(about.slug)
    documents = {}
    for language in OFFERED:
        raw = [raw_answers(survey, language, rng) for _ in range(VARIANTS // len(OFFERED))]
        documents[language] = [
            canonical_answers(build_answer_document(survey, wave, each, "web")).decode() for each in raw
        ]
    modes = rng.choices(list(MODES), list(MODES.values()), k=number)
    rows = []
    for home, mode in zip(rng.sample(homes, number), modes, strict=True):
        language = _asked_in(home["language"])
        rows.append(
            {"id": f"{rng.getrandbits(128):032x}", "wave_id": wave.id, "school_id": home["school_id"]}
            | {"language": language, "mode": mode, "day": wave.opens, "answers": rng.choice(documents[language])}
            | {"submission": f"{rng.getrandbits(256):064x}"}
            | {"provenance": None if mode == "web" else f"{rng.getrandbits(256):064x}"}
        )
    rows.sort(key=lambda row: row["id"])
    _add(session, Response, rows)
    _add(session, PendingResponse, ({"response_id": row["id"], "wave_id": row["wave_id"]} for row in rows))


def _add(session: Session, table: type[Any], rows: Any) -> None:
    rows = list(rows)
    for start in range(0, len(rows), BATCH):
        session.execute(insert(table), rows[start : start + BATCH])


def _analyzed(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")


def main() -> None:
    """Generate a district and print how long it took."""
    folder, size = Path(sys.argv[1]), SIZES[sys.argv[2] if len(sys.argv) > 2 else "L"]
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    generate(Settings(data_dir=folder), size, date.today())
    bytes_ = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    print(f"{size}: {time.perf_counter() - began:.0f} s, {bytes_ / 1e6:.0f} MB in {folder}")


if __name__ == "__main__":
    main()
