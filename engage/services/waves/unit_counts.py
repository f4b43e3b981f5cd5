"""Numbers of sampling units of a wave, of all, of those without an access code, and by language, counted by the
database: pages that show numbers need not read the roster."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, exists, func, intersect, literal, null, select, union
from sqlalchemy.orm import Session

from engage.domain.roster.sampling_units import ASKED, list_sampling_units
from engage.services.waves.invitations import find_uninvited_units
from engage.services.waves.populations import FAMILY, STUDENT, count_people, count_slips, list_class_piles
from engage.services.waves.targets import TargetGroups, invitation_language
from engage.storage.models.invitations import Invitation
from engage.storage.models.roster import HouseholdStudent, OptOut, Student
from engage.storage.models.schools import UNDETERMINED, Household, School
from engage.storage.models.waves import Wave


@dataclass(frozen=True, slots=True)
class UnitCounts:
    """Number of units of a wave, without households that opted out, and how many of them have no invitation."""

    total: int
    uninvited: int


def count_units(session: Session, wave: Wave) -> UnitCounts:
    """Count the units as `sampling_units.list_sampling_units` lists them; of educators and students, the codes that a
    pile for each school should have."""
    if wave.population != FAMILY:
        return _count_pile_units(session, wave)
    units = _distinct_units(session, wave).subquery()
    number = session.scalar(select(func.count()).select_from(units)) or 0
    # An intersection, not a lookup for each unit: right after codes were created, PostgreSQL expects the wave to have
    # no invitation, and would read all of them for each unit.
    invited = intersect(select(*_unit_keys(wave, units.c)), _invited_keys(wave)).subquery()
    counts = UnitCounts(number, number - (session.scalar(select(func.count()).select_from(invited)) or 0))
    return counts if wave.counting != "student" else _without_opted_out(session, wave, counts)


def _count_pile_units(session: Session, wave: Wave) -> UnitCounts:
    """Count people of all schools together: codes belong to nobody in particular."""
    schools = [school.id for school in wave.schools]
    if wave.population == STUDENT:
        number = count_slips(list_class_piles(session, schools))
    else:
        number = sum(count_people(session, wave).values())
    codes = session.scalar(select(func.count()).select_from(Invitation).where(Invitation.wave_id == wave.id)) or 0
    return UnitCounts(number, max(0, number - codes))


def _distinct_units(session: Session, wave: Wave) -> Select[*tuple[Any, ...]]:
    """The units by household, school, and student; the two that the wave does not count by are empty."""
    schools, refusing = [school.id for school in wave.schools], select(OptOut.household_id)
    if not session.scalar(select(exists().where(Student.id.is_not(None)))):
        here = (Household.school_id.in_(schools), Household.id.not_in(refusing))
        nobody = () if wave.asked == "everyone" and wave.counting != "student" else (literal(False),)
        return select(
            Household.id.label("household"), Household.school_id.label("school"), null().label("student")
        ).where(*here, *nobody)
    home, place, child = HouseholdStudent.household_id, Student.school_id, Student.id
    columns: dict[str, tuple[Any, ...]] = {
        "family": (home.label("household"), null().label("school"), null().label("student")),
        "family_school": (home.label("household"), place.label("school"), null().label("student")),
        "student": (null().label("household"), null().label("school"), child.label("student")),
    }
    query: Select[*tuple[Any, ...]] = (
        select(*columns[wave.counting])
        .select_from(HouseholdStudent)
        .join(Student, child == HouseholdStudent.student_id)
    )
    query = query.where(place.in_(schools)).distinct()
    query = query.where(ASKED[wave.asked].is_(True)) if wave.asked in ASKED else query
    return query if wave.counting == "student" else query.where(home.not_in(refusing))


def _unit_keys(wave: Wave, unit: Any) -> tuple[Any, ...]:
    """The columns of units that identify one, as `targets.target_key` does."""
    keys = {"student": (unit.student,), "family_school": (unit.household, unit.school)}
    return keys.get(wave.counting, (unit.household,))


def _invited_keys(wave: Wave) -> Select[*tuple[Any, ...]]:
    """The same columns of the units that have an invitation."""
    invited = {"student": (Invitation.student_id,), "family_school": (Invitation.household_id, Invitation.school_id)}
    columns = invited.get(wave.counting, (Invitation.household_id,))
    return select(*columns).where(Invitation.wave_id == wave.id, Invitation.household_id.is_not(None))


def _without_opted_out(session: Session, wave: Wave, counts: UnitCounts) -> UnitCounts:
    """Subtract students whose household opted out: which of two households counts follows from the guardians."""
    schools = [school.id for school in wave.schools]
    refusing = list(list_sampling_units(session, "student", schools, wave.asked, opted_out=True))
    uninvited = len(find_uninvited_units(session, wave, refusing)) if refusing else 0
    return UnitCounts(counts.total - len(refusing), counts.uninvited - uninvited)


def count_targets(session: Session, wave: Wave, schools: Sequence[School]) -> TargetGroups:
    """The targets at some schools of a wave with an open link, by the language they are asked in."""
    groups = TargetGroups(Counter())
    for school_id, tag, number in _count_by_language(session, wave, [school.id for school in schools]):
        if tag == UNDETERMINED:
            groups.unknown[school_id] += number
        else:
            groups.sizes[school_id, invitation_language(wave, tag)] += number
    return groups


def _count_by_language(session: Session, wave: Wave, here: Sequence[str]) -> Iterable[tuple[str, str, int]]:
    """Number of units by school and the language that the household reads."""
    is_rostered = session.scalar(select(exists().where(Student.id.is_not(None))))
    if wave.counting == "student" or not is_rostered:
        schools = [school.id for school in wave.schools]
        units = list_sampling_units(session, wave.counting, schools, wave.asked)
        counted = Counter((unit.school_id, unit.language) for unit in units if unit.school_id in here)
        return [(school_id, tag, number) for (school_id, tag), number in counted.items()]
    placed = _placed_units(wave, here).subquery()
    groups = placed.c.place, placed.c.language
    query = select(*groups, func.count()).where(placed.c.place.in_(here)).group_by(*groups)
    return [(place, tag, number) for place, tag, number in session.execute(query)]


def _placed_units(wave: Wave, here: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """The units of households that may count at one of these schools, each with its school and language."""
    schools = [school.id for school in wave.schools]
    children = select(HouseholdStudent.household_id).join(Student, Student.id == HouseholdStudent.student_id)
    children = children.where(Student.school_id.in_(here))
    candidates = union(select(Household.id).where(Household.school_id.in_(here)), children)
    query = (
        select(Household.id, Household.language)
        .join(HouseholdStudent, HouseholdStudent.household_id == Household.id)
        .join(Student, Student.id == HouseholdStudent.student_id)
        .where(Student.school_id.in_(schools), Household.id.in_(candidates))
        .where(Household.id.not_in(select(OptOut.household_id)))
    )
    query = query.where(ASKED[wave.asked].is_(True)) if wave.asked in ASKED else query
    if wave.counting == "family_school":
        return query.add_columns(Student.school_id.label("place")).distinct()
    place = case((Household.school_id.in_(schools), Household.school_id), else_=func.min(Student.school_id))
    return query.add_columns(place.label("place")).group_by(Household.id, Household.language, Household.school_id)
