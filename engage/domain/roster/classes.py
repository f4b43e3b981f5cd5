"""The class by which a household's paper forms are sorted and handed out: that of its youngest child in the school."""

from collections.abc import Collection, Container, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.domain.roster.grades import grade_rank
from engage.storage.models.roster import HouseholdStudent, Student

AT_ONCE = 1000  # rows read at a time


@dataclass(frozen=True, slots=True)
class Child:
    """`id` is the district's id; `class_name` is the school's name of the class, "" if unknown."""

    id: str = ""
    class_name: str = ""


def youngest_children(session: Session, household_ids: Collection[str], school_id: str) -> dict[str, Child]:
    """Return each household's youngest child in this school (lowest grade, then lowest id), by household id.

    A household without a child there has a Child with empty id and class.
    """
    youngest = dict.fromkeys(household_ids, Child())
    first: dict[str, tuple[int, str]] = {}
    for home, child, grade, name in _children_in_school(session, youngest, school_id):
        place = (grade_rank(grade), child)
        if home not in first or place < first[home]:
            first[home], youngest[home] = place, Child(child, name)
    return youngest


def _children_in_school(session: Session, homes: Container[str], school_id: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield household, child, grade, and class for children of these households in the school.

    Reads the whole school at once: SQLite would scan all its students for each batch of households.
    """
    query = (
        select(HouseholdStudent.household_id, Student.id, Student.grade, Student.class_name)
        .join(Student, Student.id == HouseholdStudent.student_id)
        .where(Student.school_id == school_id)
        .execution_options(yield_per=AT_ONCE)
    )
    for row in session.execute(query):
        if row.household_id in homes:
            yield row.household_id, row.id, row.grade, row.class_name
