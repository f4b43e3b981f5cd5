"""The recipients of paper sets at a school: one per sampling unit, in the order of distribution."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.handout_list import student_label
from engage.domain.roster.classes import Child, youngest_children
from engage.domain.roster.sampling_units import SamplingUnit, list_sampling_units, list_units_at_school
from engage.domain.roster.staging_db import batches
from engage.domain.security.encryption import SealBroken, Sealer
from engage.services.waves.targets import invitation_language
from engage.storage.models.roster import Student
from engage.storage.models.schools import UNDETERMINED, Household, School
from engage.storage.models.waves import Wave

AT_ONCE = 500  # rows per query: databases limit the number of parameters


@dataclass(frozen=True, slots=True)
class Recipient:
    """The recipient of one set. `language` is the one the wave asks the household in; `group` the class that
    distributes it, empty if unknown; `names` the people it is for, () if the district stores no names; `number` the
    district's number of the child who carries it home, empty without a roster."""

    unit: SamplingUnit
    language: str
    group: str
    names: tuple[str, ...]
    number: str = ""

    def lines(self, school: School, serial: str, outside: str) -> list[str]:
        """The lines on the outside: for a window envelope the names and the class, otherwise class and serial."""
        place = " · ".join(each for each in (school.name, self.group) if each)
        if outside == "window":
            return window_lines(self.names, self.number, self.language, place, serial)
        return [place, serial]


def window_lines(names: tuple[str, ...], number: str, language: str, place: str, serial: str) -> list[str]:
    """The lines visible through an envelope's window: names; if none are stored, the student's number, in the language
    of the sheet; without a roster, the serial."""
    if names:
        return [*names, place]
    return [student_label(number, catalogue(language), LANGUAGES[language]), place] if number else [place, serial]


def list_recipients(session: Session, wave: Wave, school: School, sealer: Sealer | None) -> list[Recipient]:
    """The recipients, sorted by class, language, name, and the child's number; without a roster by the households' ids,
    which are random. Households that opted out are excluded. Without `sealer` no names are read."""
    places = [place.id for place in wave.schools]
    here = list_units_at_school(session, wave.counting, places, wave.asked, school.id)
    children = _find_children(session, here, school)
    names = dict(_read_names(session, here, sealer)) if sealer else {}
    recipients = [
        Recipient(
            unit, invitation_language(wave, unit.language), child.class_name, names.get(_unit_key(unit), ()), child.id
        )
        for unit, child in zip(here, children, strict=True)
    ]
    order = {tag: place for place, tag in enumerate(wave.offered)}
    groups = {group: natural_sort_key(group) for group in {each.group for each in recipients}}
    return sorted(
        recipients,
        key=lambda each: (groups[each.group], order[each.language], each.names, each.number, _unit_key(each.unit)),
    )


def natural_sort_key(name: str) -> tuple[bool, list[tuple[bool, int, str]]]:
    """A sort key that puts 3B before 10A, and an empty name last."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return not name, [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def read_greeting(sealed: bytes | None, sealer: Sealer) -> tuple[str, str]:
    """A household's guardians and students by name; empty if none are stored or the seal is broken."""
    try:
        greeting = json.loads(sealer.open(sealed)) if sealed else {}
    except (SealBroken, ValueError):
        greeting = {}
    return ", ".join(map(str, greeting.get("guardians", []))), ", ".join(map(str, greeting.get("students", [])))


def _unit_key(unit: SamplingUnit) -> tuple[str, str]:
    return unit.household_id, unit.student_id or ""


def _find_children(session: Session, here: list[SamplingUnit], school: School) -> list[Child]:
    """The child of each unit: the student itself, or the household's youngest at the school."""
    students = dict(_read_students(session, here))
    homes = youngest_children(session, {unit.household_id for unit in here if unit.student_id is None}, school.id)
    return [
        homes[unit.household_id] if unit.student_id is None else Child(unit.student_id, students[unit.student_id][0])
        for unit in here
    ]


def _read_names(
    session: Session, here: list[SamplingUnit], sealer: Sealer
) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    greetings = dict(_read_greetings(session, here, sealer))
    students = dict(_read_students(session, here))
    for unit in here:
        guardians, children = greetings.get(unit.household_id, ("", ""))
        if unit.student_id is not None:
            children = _read_sealed(students[unit.student_id][1], sealer)
        if lines := tuple(each for each in (guardians, children) if each):
            yield _unit_key(unit), lines


def _read_students(session: Session, here: list[SamplingUnit]) -> Iterator[tuple[str, tuple[str, bytes | None]]]:
    """Class and sealed name by student, for units that are students."""
    for some in batches({unit.student_id for unit in here if unit.student_id is not None}, AT_ONCE):
        for row in session.execute(select(Student.id, Student.class_name, Student.name).where(Student.id.in_(some))):
            yield row.id, (row.class_name, row.name)


def _read_greetings(
    session: Session, here: list[SamplingUnit], sealer: Sealer
) -> Iterator[tuple[str, tuple[str, str]]]:
    for some in batches({unit.household_id for unit in here}, AT_ONCE):
        query = select(Household.id, Household.greeting).where(Household.id.in_(some))
        for home, sealed in session.execute(query.where(Household.greeting.is_not(None))):
            yield home, read_greeting(sealed, sealer)


def _read_sealed(sealed: bytes | None, sealer: Sealer) -> str:
    try:
        return sealer.open(sealed) if sealed else ""
    except SealBroken:
        return ""


@dataclass(frozen=True, slots=True)
class SetCounts:
    """Number of sets by class (empty if unknown) and language. `refusing`: households that opted out. `languages`:
    those with sets, in the wave's order; `unknown`: sets for households of unknown language."""

    sets: dict[str, dict[str, int]]
    languages: list[str]
    refusing: int
    unknown: int = 0

    @property
    def total(self) -> int:
        """The total number of sets."""
        return sum(sum(some.values()) for some in self.sets.values())


def count_sets(session: Session, wave: Wave, school: School) -> SetCounts:
    """Count the households of a school that a wave asks, by the current roster."""
    sets: dict[str, dict[str, int]] = {}
    unknown = 0
    for recipient in list_recipients(session, wave, school, None):
        unknown += recipient.unit.language == UNDETERMINED
        some = sets.setdefault(recipient.group, {})
        some[recipient.language] = some.get(recipient.language, 0) + 1
    places = [place.id for place in wave.schools]
    out = list_sampling_units(session, "family", places, wave.asked, opted_out=True)
    tags = [tag for tag in wave.offered if any(tag in some for some in sets.values())]
    return SetCounts(sets, tags, len({each.household_id for each in out if each.school_id == school.id}), unknown)
