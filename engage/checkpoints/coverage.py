"""How many could have answered, as the wave counts them, so that who is missing is seen before what was said."""

from typing import Any

from sqlalchemy import Select, and_, case, exists, func, select
from sqlalchemy.orm import Session

from engage.records.roster import Guardianship, HouseholdGuardian, HouseholdStudent, Student
from engage.records.schools import Household, Wave
from engage.records.strata import strata_of

LEAST = 10  # the public minimum: how many learners or students with a disability a small group has is nobody's business
ASKED = {"english_learners": Student.english_learner, "disabilities": Student.disability}

Counted = Select[*tuple[Any, ...]]


def households(session: Session, wave: Wave) -> dict[str, Any]:
    """Who could have answered a wave: {"all": n, "school": {id: n}, "language": {tag: n}, "counting", "asked"}; {}
    without a roster.

    `counting` is the wave's rule: "family" counts a household once, whatever number of children it has, at its own
    school or else at the first it has a child in; "family_school" once for each of its schools; "student" each student,
    at the household of the first guardian. A split home is two households. Each counts under the language it reads;
    where few of a school were invited in a language, under "other languages", as their answers do. Those who do not
    want to be asked are counted: they could have answered."""
    groups = strata_of(session.connection(), wave.id, wave.identity, wave.entry)
    found: dict[str, Any] = {"all": 0, "school": {}, "language": {}}
    for school, language, number in session.execute(_counted(session, wave)):
        found["all"] += number
        found["school"][school] = found["school"].get(school, 0) + number
        told = groups.told(school, language)
        found["language"][told] = found["language"].get(told, 0) + number
    shown = found if wave.asked == "everyone" else _veiled(found)
    return {**shown, "counting": wave.counting, "asked": wave.asked} if shown.get("all") else {}


def _veiled(found: dict[str, Any]) -> dict[str, Any]:
    """Breakdowns with a small group are left out whole: the rest would give it away."""
    if found["all"] < LEAST:
        return {}
    small = {name for name in ("school", "language") if any(number < LEAST for number in found[name].values())}
    return {name: {} if name in small else told for name, told in found.items()}


def _counted(session: Session, wave: Wave) -> Counted:
    """How many, by school and language."""
    schools = [school.id for school in wave.schools]
    if not session.scalar(select(exists().where(Student.id.is_not(None)))):
        unknown = wave.asked != "everyone" or wave.counting == "student"
        here = Household.school_id.in_([] if unknown else schools)
        return (
            select(Household.school_id, Household.language, func.count())
            .where(here)
            .group_by(Household.school_id, Household.language)
        )
    rule = {"family": _families, "family_school": _families_by_school, "student": _students}[wave.counting]
    among = [Student.school_id.in_(schools)]
    if wave.asked in ASKED:
        among.append(ASKED[wave.asked].is_(True))
    found = rule(schools, among).subquery()
    place, language = found.c.place, found.c.language
    return select(place, language, func.count()).group_by(place, language)


def _families(schools: list[str], among: list[Any]) -> Counted:
    own = case((Household.school_id.in_(schools), Household.school_id), else_=func.min(Student.school_id))
    return (
        select(Household.id, own.label("place"), Household.language)
        .join(HouseholdStudent, HouseholdStudent.household_id == Household.id)
        .join(Student, Student.id == HouseholdStudent.student_id)
        .where(*among)
        .group_by(Household.id, Household.school_id, Household.language)
    )


def _families_by_school(_schools: list[str], among: list[Any]) -> Counted:
    return (
        select(Household.id, Student.school_id.label("place"), Household.language)
        .join(HouseholdStudent, HouseholdStudent.household_id == Household.id)
        .join(Student, Student.id == HouseholdStudent.student_id)
        .where(*among)
        .distinct()
    )


def _students(_schools: list[str], among: list[Any]) -> Counted:
    """Each student once: of two homes, the first guardian's."""
    nearest = func.row_number().over(
        partition_by=Student.id,
        order_by=(Guardianship.position.is_(None), Guardianship.position, Household.id),
    )
    homes = (
        select(Student.school_id.label("place"), Household.language, nearest.label("nearest"))
        .join(HouseholdStudent, HouseholdStudent.student_id == Student.id)
        .join(Household, Household.id == HouseholdStudent.household_id)
        .outerjoin(HouseholdGuardian, HouseholdGuardian.household_id == Household.id)
        .outerjoin(
            Guardianship,
            and_(Guardianship.student_id == Student.id, Guardianship.guardian_id == HouseholdGuardian.guardian_id),
        )
        .where(*among)
        .subquery()
    )
    return select(homes.c.place, homes.c.language).where(homes.c.nearest == 1)
