"""Sampling units of a wave, by its rule: a family, a family in each of its schools, or a student.

* family: once per household with a student in these schools, at the household's own school (that of its youngest child)
  or, if that is not among them, at the first one with a student of the household.
* family_school: once per household and school of these in which it has a student.
* student: once per student of these schools, in the household of the first guardian. A child with two homes is one
  unit.

`asked_rule` selects units with an English learner or with a student who has a disability; if students are counted, it
applies to the students themselves. Without a roster, households count at the school in their row.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select, true, union
from sqlalchemy.orm import Session

from engage.storage.models.roster import Guardianship, HouseholdGuardian, HouseholdStudent, OptOut, Student
from engage.storage.models.schools import Household

BATCH = 1000  # rows read at a time
Condition = ColumnElement[bool]  # on a household
ASKED = {"english_learners": Student.english_learner, "disabilities": Student.disability}


@dataclass(frozen=True, slots=True)
class SamplingUnit:
    """One unit, which receives one invitation. `language` is the one the household reads; `student_id` is None unless
    students are counted."""

    household_id: str
    school_id: str
    language: str
    student_id: str | None = None


def list_sampling_units(
    session: Session, rule: str, school_ids: Collection[str], asked_rule: str, *, opted_out: bool | None = False
) -> Iterator[SamplingUnit]:
    """Yield the sampling units, by household id.

    Opted-out households are left out (`opted_out` False), the only ones (True), or included (None): all who could have
    answered.
    """
    if rule == "student" and opted_out:
        homes = HouseholdStudent.household_id.in_(select(OptOut.household_id))
        yield from _student_units(session, school_ids, asked_rule, _opt_out_condition(True), among=homes)
    else:
        yield from _list_units(session, rule, school_ids, asked_rule, _opt_out_condition(opted_out))


def list_units_at_school(
    session: Session, rule: str, school_ids: Collection[str], asked_rule: str, school_id: str
) -> list[SamplingUnit]:
    """Return the sampling units that count at one of these schools, by household id, without opted-out households.
    Only the households with a student at the school, or whose own school it is, are read."""
    if rule == "student":
        here = _list_units(session, rule, [school_id], asked_rule, _opt_out_condition(False))
        return list(here) if school_id in school_ids else []
    there = union(
        select(Household.id).where(Household.school_id == school_id),
        select(HouseholdStudent.household_id)
        .join(Student, Student.id == HouseholdStudent.student_id)
        .where(Student.school_id == school_id),
    )
    condition = and_(Household.id.in_(there), _opt_out_condition(False))
    return [
        unit for unit in _list_units(session, rule, school_ids, asked_rule, condition) if unit.school_id == school_id
    ]


def _list_units(
    session: Session, rule: str, school_ids: Collection[str], asked_rule: str, condition: Condition
) -> Iterator[SamplingUnit]:
    """Yield the units of the households that meet a condition."""
    if rule == "student":
        yield from _student_units(session, school_ids, asked_rule, condition)
    elif session.scalar(select(exists().where(Student.id.is_not(None)))):
        yield from _family_units(session, rule, school_ids, asked_rule, condition)
    elif asked_rule == "everyone":
        query = select(Household.id, Household.school_id, Household.language).where(
            Household.school_id.in_(school_ids), condition
        )
        yield from (SamplingUnit(*row) for row in _stream_rows(session, query.order_by(Household.id)))


def _family_units(
    session: Session, rule: str, school_ids: Collection[str], asked_rule: str, condition: Condition
) -> Iterator[SamplingUnit]:
    query = (
        select(Household.id, Household.language, Household.school_id, Student.school_id.label("place"))
        .join(HouseholdStudent, HouseholdStudent.household_id == Household.id)
        .join(Student, Student.id == HouseholdStudent.student_id)
        .where(Student.school_id.in_(school_ids), condition, *_asked_conditions(asked_rule))
        .order_by(Household.id)
    )
    for id, rows in groupby(_stream_rows(session, query), key=lambda row: row.id):
        home = list(rows)
        places = sorted({row.place for row in home})
        if rule != "family_school":
            places = [home[0].school_id if home[0].school_id in school_ids else places[0]]
        yield from (SamplingUnit(id, place, home[0].language) for place in places)


def _student_units(
    session: Session, school_ids: Collection[str], rule: str, condition: Condition, among: Condition | None = None
) -> Iterator[SamplingUnit]:
    """Yield each student in one household: that of the first guardian, else the first by id. The condition is on that
    household, so it is applied after the household has been chosen; only students with a row of HouseholdStudent that
    meets `among` are read."""
    place = func.min(Guardianship.position).label("place")
    query = (
        select(
            Student.id, Student.school_id, Household.id.label("household"), Household.language, condition.label("in")
        )
        .join(HouseholdStudent, HouseholdStudent.student_id == Student.id)
        .join(Household, Household.id == HouseholdStudent.household_id)
        .outerjoin(HouseholdGuardian, HouseholdGuardian.household_id == Household.id)
        .outerjoin(
            Guardianship,
            and_(Guardianship.student_id == Student.id, Guardianship.guardian_id == HouseholdGuardian.guardian_id),
        )
        .where(Student.school_id.in_(school_ids), *_asked_conditions(rule))
        .group_by(Student.id, Student.school_id, Household.id, Household.language)
        .order_by(Student.id, place.is_(None), place, Household.id)
    )
    if among is not None:
        query = query.where(Student.id.in_(select(HouseholdStudent.student_id).where(among)))
    firsts = (next(rows) for _, rows in groupby(_stream_rows(session, query), key=lambda row: row.id))
    yield from (SamplingUnit(row.household, row.school_id, row.language, row.id) for row in firsts if row[4])


def _opt_out_condition(opted_out: bool | None) -> Condition:
    if opted_out is None:
        return true()
    refusing = Household.id.in_(select(OptOut.household_id))
    return refusing if opted_out else ~refusing


def _asked_conditions(rule: str) -> list[Any]:
    return [ASKED[rule].is_(True)] if rule in ASKED else []


def _stream_rows(session: Session, query: Select[*tuple[Any, ...]]) -> Iterator[Any]:
    return iter(session.execute(query.execution_options(yield_per=BATCH)))
