"""By which class a household's paper is sorted and handed out: that of its youngest child in the school."""

from collections.abc import Collection, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.records.roster import HouseholdStudent, Student
from engage.roster.grades import rank
from engage.roster.stage import batches

AT_ONCE = 500  # households asked about in one query: every database takes so many values


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


def _children(session: Session, homes: Collection[str], school_id: str) -> Iterator[tuple[str, str, str, str]]:
    wanted = (
        select(HouseholdStudent.household_id, Student.id, Student.grade, Student.class_name)
        .join(Student, Student.id == HouseholdStudent.student_id)
        .where(Student.school_id == school_id)
    )
    for some in batches(homes, AT_ONCE):
        for row in session.execute(wanted.where(HouseholdStudent.household_id.in_(some))):
            yield row.household_id, row.id, row.grade, row.class_name
