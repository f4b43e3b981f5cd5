"""By which class a household's paper is sorted and handed out: that of its youngest child in the school."""

from collections.abc import Collection, Container, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.records.roster import HouseholdStudent, Student
from engage.roster.grades import rank

AT_ONCE = 1000  # rows read at a time


def classes(session: Session, household_ids: Collection[str], school_id: str) -> dict[str, str]:
    """Household id to the class of its youngest child in this school (lowest grade, then lowest id), as the school
    names it; "" where that is not known, or where the household has no child there."""
    found = dict.fromkeys(household_ids, "")
    youngest: dict[str, tuple[int, str]] = {}
    for home, child, grade, name in _children(session, found, school_id):
        place = (rank(grade), child)
        if home not in youngest or place < youngest[home]:
            youngest[home], found[home] = place, name
    return found


def _children(session: Session, homes: Container[str], school_id: str) -> Iterator[tuple[str, str, str, str]]:
    """Household, child, grade and class of these households' children in the school. The whole school is read at once:
    asked for some households at a time, SQLite goes through all of its students each time."""
    wanted = (
        select(HouseholdStudent.household_id, Student.id, Student.grade, Student.class_name)
        .join(Student, Student.id == HouseholdStudent.student_id)
        .where(Student.school_id == school_id)
        .execution_options(yield_per=AT_ONCE)
    )
    for row in session.execute(wanted):
        if row.household_id in homes:
            yield row.household_id, row.id, row.grade, row.class_name
