"""Copy of the current roster from the database to the staging database, with names decrypted."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.domain.roster.import_state import roster_version
from engage.domain.roster.staging_db import BATCH, StagingDb
from engage.storage.models.roster import (
    Guardian,
    Guardianship,
    HouseholdGuardian,
    HouseholdStudent,
    Student,
)
from engage.storage.models.schools import Household, School

KEPT = "kept"  # in place of an encrypted name when names are no longer stored; it differs from every value to store


class TextSealer(Protocol):
    """Encrypts and decrypts texts (domain/security/encryption.py)."""

    def seal(self, text: str) -> bytes: ...

    def open(self, sealed: bytes) -> str: ...


def copy_current_roster(session: Session, stage: StagingDb, sealer: TextSealer, keep_names: bool) -> None:
    """Copy the current roster to the staging database. Raises what `sealer` raises if a name cannot be decrypted."""

    def opened(sealed: bytes | None) -> str | None:
        return None if sealed is None else sealer.open(sealed) if keep_names else KEPT

    stage.sql.execute("begin")
    stage.keep("moment", roster_version(session))
    school = select(School.id, School.name, School.source_id, School.active, School.teachers)
    stage.put("now_schools", _stream_rows(session, school))
    student = select(Student.id, Student.school_id, Student.grade, Student.home_language, Student.english_learner)
    student = student.add_columns(Student.disability, Student.name, Student.class_name)
    stage.put("now_students", ((*row[:6], opened(row[6]), row[7]) for row in _stream_rows(session, student)))
    guardian = select(Guardian.id, Guardian.reads, Guardian.speaks, Guardian.home, Guardian.contact)
    stage.put("now_guardians", ((*row[:4], opened(row[4])) for row in _stream_rows(session, guardian)))
    link = select(Guardianship.student_id, Guardianship.guardian_id, Guardianship.position)
    stage.put("now_links", _stream_rows(session, link))
    home = select(Household.id, Household.school_id, Household.language, Household.speaks, Household.greeting)
    stage.put("now_households", ((*row[:4], opened(row[4])) for row in _stream_rows(session, home)))
    for kind, table, member in (
        ("s", HouseholdStudent, HouseholdStudent.student_id),
        ("g", HouseholdGuardian, HouseholdGuardian.guardian_id),
    ):
        rows = _stream_rows(session, select(member, table.household_id))
        stage.put("now_members", _with_kind(kind, rows))
    stage.sql.execute("commit")


def _with_kind(kind: str, rows: Iterator[Any]) -> Iterator[Any]:
    return ((kind, *row) for row in rows)


def _stream_rows(session: Session, query: Any) -> Iterator[Any]:
    rows = session.connection().execute(query.execution_options(yield_per=BATCH))
    return (tuple(row) for row in rows)


def school_id_generator(session: Session) -> Callable[[str], str]:
    """Return a function that makes unused school ids and never returns one twice."""
    taken = set(session.scalars(select(School.id)))

    def free(slug: str) -> str:
        id, number = slug, 1
        while id in taken:
            number += 1
            id = f"{slug}-{number}"
        taken.add(id)
        return id

    return free
