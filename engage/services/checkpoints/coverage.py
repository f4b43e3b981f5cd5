"""The number of households, educators, or students that could have answered a wave, as the denominator of coverage."""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from sqlalchemy.orm import Session

from engage.services.checkpoints.household_counts import RosterCounts
from engage.services.waves.populations import count_people
from engage.storage.language_groups import load_language_groups
from engage.storage.models.schools import UNDETERMINED
from engage.storage.models.waves import Wave

LEAST = 10  # the public minimum: a small group's number of learners or students with a disability is not published


class CoverageUnit(Protocol):
    """One sampling unit, as the roster has it."""

    @property
    def school_id(self) -> str: ...
    @property
    def language(self) -> str: ...


def count_households(session: Session, wave: Wave, units: Iterable[CoverageUnit]) -> RosterCounts:
    """Count who could have answered a wave; {} without a roster.

    `units` are all units of the roster by the wave's own rule (`sampling_units.list_sampling_units`), including those
    who opted out: they could have answered. Each is counted under its school and the language that it reads, or under
    the merged groups, as its answers are.
    """
    groups = load_language_groups(session.connection(), wave.id)
    schools: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    for (school, language), number in Counter((unit.school_id, unit.language) for unit in units).items():
        school_group, language_group = groups.group(school, language)
        schools[school_group] += number
        languages[language_group] += number
    total = schools.total()
    if not total or (wave.asked != "everyone" and total < LEAST):
        return {}
    return {
        "all": total,
        "school": _drop_small_breakdown(schools, wave),
        "language": _drop_small_breakdown(languages, wave),
        "counting": wave.counting,
        "asked": wave.asked,
    }


def count_population(session: Session, wave: Wave) -> RosterCounts:
    """Count the educators or students who could have answered a wave, by school or under the merged schools, as their
    answers are; {} if the roster does not have the number of a school, and for liaisons."""
    groups = load_language_groups(session.connection(), wave.id)
    people = count_people(session, wave)
    if not people or len(people) < len(wave.schools):
        return {}
    schools: Counter[str] = Counter()
    for school, number in people.items():
        schools[groups.group(school, UNDETERMINED)[0]] += number
    return {
        "all": schools.total(),
        "school": dict(schools),
        "language": {},
        "counting": wave.counting,
        "asked": wave.asked,
    }


def _drop_small_breakdown(numbers: Counter[str], wave: Wave) -> dict[str, int]:
    """The numbers by group. For a wave that asks only some students, none if any group is small: it could be derived
    from the rest."""
    is_small = wave.asked != "everyone" and any(number < LEAST for number in numbers.values())
    return {} if is_small else dict(numbers)
