"""A generated large district for benchmarks. The same size always gives the same district.

    .venv/bin/python -m tests.bench.large_district FOLDER [S|M|L]

Ten languages in the roster, six waves: confidential with codes (closed, open, and open without codes and responses so
far), anonymous with an open link (closed and open), anonymous with codes (open). Otherwise each household of the roster
has an invitation in each wave with codes. Rows are inserted in bulk; answers have the distribution of the demo
district's. Names and contacts are invented and encrypted. Paper, conversations, staff, the audit log, opt-outs, and a
published checkpoint come from `large_history`.
"""

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from gettext import NullTranslations
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engage.base.catalogs import survey_catalogues
from engage.base.config import Settings
from engage.demo.voices import raw_answers
from engage.domain.intake.group_encryption import GROUP_KEY, ResponseGroup, seal_group
from engage.domain.intake.submission import build_answer_document
from engage.domain.security.encryption import Sealer, derive_key
from engage.questionnaire.editions import build_edition, load_edition
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.question_types import canonical_answers
from engage.services.checkpoints.planning import create_checkpoint
from engage.services.waves.opening import NewInvitation, add_invitations
from engage.storage.engine import connect, write_session
from engage.storage.language_groups import OTHER
from engage.storage.models.responses import JOINED, PendingResponse, Response
from engage.storage.models.roster import Guardian, Guardianship, HouseholdGuardian, HouseholdStudent, Student
from engage.storage.models.schools import Household, School
from engage.storage.models.waves import StoredEdition, Wave
from engage.storage.upgrade import upgrade
from tests.bench.large_history import add_history, add_rows, school

LANGUAGES = {"en": 520, "es": 210, "ar": 70, "so": 55, "vi": 45, "zh-Hans": 40, "hmn": 25, "my": 18, "ru": 12, "ti": 5}
OFFERED = ("en", "es", "ar", "so", "vi", "zh-Hans")
MODES = {"web": 74, "paper": 22, "interview": 4}
VARIANTS = 400  # different answers to each survey
DRAFT = "bench-draft"  # the draft checkpoint over all waves
NEW = "codes-new"  # the open wave without codes and responses
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
    invites: bool = True
    """Whether households have invitations, if it has codes."""


@dataclass(frozen=True, slots=True)
class Making:
    """What the rows of a district depend on; `key` encrypts groups of anonymous responses."""

    rng: Random
    key: bytes
    today: date


WAVES = (
    Plan("confidential-closed", "home-access", "confidential", "code", False, 30),
    Plan("confidential-open", "family-beliefs", "confidential", "code", True, 15),
    Plan("anonymous-closed", "family-beliefs", "anonymous", "open", False, 25),
    Plan(OPEN_LINK, "family-beliefs", "anonymous", "open", True, 15),
    Plan("anonymous-codes", "home-access", "anonymous", "code", True, 15),
    Plan(NEW, "family-beliefs", "confidential", "code", True, 0, invites=False),
)


def generate(settings: Settings, size: Size, today: date) -> None:
    """Generate the district in an empty data directory."""
    engine = connect(settings.database)
    upgrade(engine)
    making = Making(Random(2026), derive_key(settings.secret().encode(), GROUP_KEY), today)
    with write_session(engine) as session:
        homes = _roster(session, size, making.rng, Sealer.of(settings))
        for each in WAVES:
            _wave(session, each, homes, size.responses, making)
        counted = [each.id for each in WAVES if each.share]
        checkpoint = create_checkpoint(session, "Bench draft", today, counted, NullTranslations())
        assert checkpoint.id == DRAFT
        session.commit()
    add_history(settings, engine, size.schools, today)
    _analyzed(engine)
    engine.dispose()


def _roster(session: Session, size: Size, rng: Random, sealer: Sealer) -> list[dict[str, Any]]:
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
    add_rows(session, Household, ({**home, "greeting": sealer.seal(_greeting(at))} for at, home in enumerate(homes)))
    add_rows(session, Student, (_student(home, id, sealer) for home, id in children))
    add_rows(session, Guardian, (_guardian(at, home, sealer) for at, home in enumerate(homes)))
    add_rows(session, HouseholdStudent, ({"household_id": home["id"], "student_id": id} for home, id in children))
    guardians = {home["id"]: f"g{at}" for at, home in enumerate(homes)}
    add_rows(session, HouseholdGuardian, ({"household_id": id, "guardian_id": each} for id, each in guardians.items()))
    rows = ({"student_id": id, "guardian_id": guardians[home["id"]], "position": 0} for home, id in children)
    add_rows(session, Guardianship, rows)
    return homes


def _greeting(at: int) -> str:
    return json.dumps({"guardians": [f"Guardian {at}"], "students": [f"Child {at}"]})


def _student(home: dict[str, Any], id: str, sealer: Sealer) -> dict[str, Any]:
    room = f"3{'ABCD'[int(id.partition('-')[0][1:]) % 4]}"
    name = sealer.seal(f"Child {id}")
    return {"id": id, "school_id": home["school_id"], "grade": "03", "class_name": room, "name": name}


def _guardian(at: int, home: dict[str, Any], sealer: Sealer) -> dict[str, Any]:
    contact = sealer.seal(json.dumps({"name": f"Guardian {at}", "email": f"guardian{at}@large.example"}))
    return {"id": f"g{at}", "reads": home["language"], "contact": contact}


def _wave(session: Session, about: Plan, homes: list[dict[str, Any]], responses: int, making: Making) -> None:
    today = making.today
    edition = build_edition(shipped_survey(about.slug, version=1), survey_catalogues())
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
    if about.entry == "code" and about.invites:
        add_invitations(session, wave, _invited(about, homes))
    _respond(session, wave, homes, responses * about.share // 100, making)


def _invited(about: Plan, homes: list[dict[str, Any]]) -> Iterator[NewInvitation]:
    for home in homes:
        digest = hashlib.sha256(f"{about.id} {home['id']}".encode()).hexdigest()
        yield NewInvitation(digest, home["school_id"], _asked_in(home["language"]), home["id"])


def _asked_in(language: str) -> str:
    return language if language in OFFERED else "en"


def _respond(session: Session, wave: Wave, homes: list[dict[str, Any]], number: int, making: Making) -> None:
    """Add responses of this number of households, all pending for the columns."""
    documents, rng = _documents(wave, making.rng), making.rng
    key = making.key if wave.identity == "anonymous" and wave.closes > making.today else None
    modes = rng.choices(list(MODES), list(MODES.values()), k=number)
    rows = []
    for home, mode in zip(rng.sample(homes, number), modes, strict=True):
        id, language = f"{rng.getrandbits(128):032x}", _asked_in(home["language"])
        group = ResponseGroup(home["school_id"], language, mode, language)
        rows.append(
            {"id": id, "wave_id": wave.id, "day": wave.opens, "answers": rng.choice(documents[language])}
            | {"submission": f"{rng.getrandbits(256):064x}"}
            | {"provenance": None if mode == "web" else f"{rng.getrandbits(256):064x}"}
            | _group_columns(id, group, key)
        )
    rows.sort(key=lambda row: row["id"])
    add_rows(session, Response, rows)
    add_rows(session, PendingResponse, ({"response_id": row["id"], "wave_id": row["wave_id"]} for row in rows))


def _documents(wave: Wave, rng: Random) -> dict[str, list[str]]:
    """Answers to the wave's survey as stored, by language."""
    survey = load_edition(wave.edition.document).survey("en")
    documents = {}
    for language in OFFERED:
        raw = [raw_answers(survey, language, rng) for _ in range(VARIANTS // len(OFFERED))]
        documents[language] = [
            canonical_answers(build_answer_document(survey, wave, each, "web")).decode() for each in raw
        ]
    return documents


def _group_columns(id: str, group: ResponseGroup, key: bytes | None) -> dict[str, Any]:
    """The group of a response, encrypted if there is a key, as while an anonymous wave is open."""
    if key:
        sealed = {"mode": JOINED, "sealed_group": seal_group(key, id, group)}
        return {"school_id": None, "language": OTHER, "answered_in": None} | sealed
    columns = {"school_id": group.school, "language": group.language, "answered_in": group.answered_in}
    return columns | {"mode": group.mode, "sealed_group": None}


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
