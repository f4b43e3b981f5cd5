"""How each population is asked: families choose among several designs; the others have one each.

Educators and students answer anonymously with a code from a pile of their school, on a phone or computer. Liaisons
write down after an event what they heard, signed in, so that nobody needs a code.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from engage.domain.roster.grades import ORDER, grade_rank
from engage.storage.models.roster import HouseholdStudent, OptOut, Student
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave

FAMILY, EDUCATOR, STUDENT, LIAISON = "family", "educator", "student", "liaison"
PILES = frozenset({EDUCATOR, STUDENT})
"""Populations whose codes come from a pile of their school."""
LOWEST_GRADE, HIGHEST_GRADE = "03", "12"  # of students who are asked
NOTICE_DAYS = 14  # families have the notice at least this long before the first day of a survey of students
SAY_NO_DAYS = 3  # before the first day: until then families can say no, and from then on slips are printed


@dataclass(frozen=True, slots=True)
class PopulationDesign:
    """The settings of a wave that follow from its population."""

    identity: str
    entry: str
    modes: tuple[str, ...]
    counting: str
    asked: str = "everyone"


DESIGNS: Mapping[str, PopulationDesign] = {
    EDUCATOR: PopulationDesign("anonymous", "code", ("web",), "educator"),
    STUDENT: PopulationDesign("anonymous", "code", ("web",), "student"),
    LIAISON: PopulationDesign("confidential", "open", ("interview",), "event"),
}
"""Without families, whose waves are designed by the person who opens them."""


@dataclass(frozen=True, slots=True)
class ClassPile:
    """The students of one class of a school who get a slip. `class_name` is empty if the roster has no classes."""

    school_id: str
    grade: str
    class_name: str
    students: tuple[str, ...]


def say_no_by(opens: date) -> date:
    """The last day on which families can say no to a survey of students."""
    return opens - timedelta(days=SAY_NO_DAYS)


def earliest_first_day(notice_on: date) -> date:
    """The earliest first day of a survey of students, by the day on which families were given the notice."""
    return notice_on + timedelta(days=NOTICE_DAYS)


def count_people(session: Session, wave: Wave) -> dict[str, int]:
    """The number of people who could answer, by school: teachers on the roster, or students in the grades that are
    asked, with those who may say no. Schools whose number is unknown are absent; empty for liaisons."""
    schools = [school.id for school in wave.schools]
    if wave.population == EDUCATOR:
        query = select(School.id, School.teachers).where(School.id.in_(schools), School.teachers > 0)
        return {id: number for id, number in session.execute(query) if number is not None}
    if wave.population == STUDENT:
        query_students = select(Student.school_id, Student.grade).where(Student.school_id.in_(schools))
        counted = Counter(school for school, grade in session.execute(query_students) if is_grade_asked(grade))
        return {id: counted[id] for id in schools} if counted else {}
    return {}


def list_class_piles(session: Session, school_ids: Sequence[str]) -> list[ClassPile]:
    """The classes of these schools with their students who get a slip, by school, grade, and class. A student with a
    home that opted out gets none."""
    refusing = exists().where(
        HouseholdStudent.student_id == Student.id, HouseholdStudent.household_id.in_(select(OptOut.household_id))
    )
    query = select(Student.school_id, Student.grade, Student.class_name, Student.id)
    rows = session.execute(query.where(Student.school_id.in_(school_ids), ~refusing).order_by(Student.id))
    classes: dict[tuple[str, str, str], list[str]] = {}
    for school, grade, name, student in rows:
        if is_grade_asked(grade):
            classes.setdefault((school, grade, name), []).append(student)
    return [ClassPile(*key, tuple(students)) for key, students in sorted(classes.items(), key=_class_order)]


def is_grade_asked(grade: str) -> bool:
    """Whether students of a grade are asked (domain/roster/grades.py)."""
    return grade in ORDER and grade_rank(LOWEST_GRADE) <= grade_rank(grade) <= grade_rank(HIGHEST_GRADE)


def count_slips(piles: Iterable[ClassPile]) -> int:
    """How many slips the piles have."""
    return sum(len(pile.students) for pile in piles)


def _class_order(item: tuple[tuple[str, str, str], list[str]]) -> tuple[str, int, str]:
    (school, grade, name), _ = item
    return school, grade_rank(grade), name
