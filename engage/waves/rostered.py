"""The households of some schools, from the roster's tables, as the units that a wave counts by."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.records.roster import HouseholdStudent, OptOut, Student
from engage.records.schools import Household


@dataclass(frozen=True, slots=True)
class Chance:
    """One unit."""

    household_id: str
    school_id: str
    language: str
    student_id: str | None = None


def units(session: Session, rule: str, school_ids: set[str], asked: str) -> Iterator[Chance]:
    """Every unit of these schools; households that do not want to be asked are left out."""
    seen: set[str] = set()
    for _, rows in groupby(session.execute(_rows()), key=lambda row: row.id):
        home = list(rows)
        children = [row for row in home if row.student_id is not None and _wanted(row, asked)]
        if asked != "everyone" and not children:
            continue
        if rule == "student":
            for row in children:
                if row.school in school_ids and row.student_id not in seen:
                    seen.add(row.student_id)
                    yield Chance(row.id, row.school, row.language, row.student_id)
            continue
        places = {row.school for row in children} | {home[0].school_id}
        here = [place for place in sorted(places) if place in school_ids]
        if rule == "family" and here:
            here = [home[0].school_id] if home[0].school_id in here else here[:1]
        yield from (Chance(home[0].id, place, home[0].language) for place in here)


def _rows() -> Any:
    return (
        select(
            Household.id,
            Household.school_id,
            Household.language,
            Student.id.label("student_id"),
            Student.school_id.label("school"),
            Student.english_learner,
            Student.disability,
        )
        .outerjoin(HouseholdStudent, HouseholdStudent.household_id == Household.id)
        .outerjoin(Student, Student.id == HouseholdStudent.student_id)
        .where(Household.id.not_in(select(OptOut.household_id)))
        .order_by(Household.id, Student.id)
    )


def _wanted(row: Any, asked: str) -> bool:
    return asked == "everyone" or bool(row.english_learner if asked == "english_learners" else row.disability)
