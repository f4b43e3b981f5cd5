"""By which child a household's paper is sorted and handed out: its youngest in the school."""

from collections.abc import Collection, Container, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.domain.roster.grades import grade_rank
from engage.storage.models.roster import HouseholdStudent, Student

AT_ONCE = 1000  # rows read at a time


@dataclass(frozen=True, slots=True)
class Child:
    """`id` is the district's own; `class_name` as the school names it, "" where it is not known."""

    id: str = ""
    class_name: str = ""


def youngest_children(session: Session, household_ids: Collection[str], school_id: str) -> dict[str, Child]:
    """Household id to its youngest child in this school (lowest grade, then lowest id); a child without id and class
    where the household has none there."""
    youngest = dict.fromkeys(household_ids, Child())
    first: dict[str, tuple[int, str]] = {}
    for home, child, grade, name in _children_in_school(session, youngest, school_id):
        place = (grade_rank(grade), child)
        if home not in first or place < first[home]:
            first[home], youngest[home] = place, Child(child, name)
    return youngest


def _children_in_school(session: Session, homes: Container[str], school_id: str) -> Iterator[tuple[str, str, str, str]]:
    """Household, child, grade and class of these households' children in the school. The whole school is read at once:
    asked for some households at a time, SQLite goes through all of its students each time."""
    query = (
        select(HouseholdStudent.household_id, Student.id, Student.grade, Student.class_name)
        .join(Student, Student.id == HouseholdStudent.student_id)
        .where(Student.school_id == school_id)
        .execution_options(yield_per=AT_ONCE)
    )
    for row in session.execute(query):
        if row.household_id in homes:
            yield row.household_id, row.id, row.grade, row.class_name
