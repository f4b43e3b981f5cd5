"""How many could have answered, as the wave counts them, so that who is missing is seen before what was said."""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from sqlalchemy.orm import Session

from engage.services.checkpoints.household_counts import RosterCounts
from engage.storage.language_groups import load_language_groups
from engage.storage.models.waves import Wave

LEAST = 10  # the public minimum: how many learners or students with a disability a small group has is nobody's business


class CoverageUnit(Protocol):
    """One chance to answer, as the roster knows it."""

    @property
    def school_id(self) -> str: ...
    @property
    def language(self) -> str: ...


def count_households(session: Session, wave: Wave, units: Iterable[CoverageUnit]) -> RosterCounts:
    """Who could have answered a wave; {} without a roster.

    `units` are all who stand on the roster by the wave's own rule (`sampling_units.list_sampling_units`), those too
    who do not want to be asked: they could have answered. Each counts under its school and the language it reads, or
    under what these are joined to, as their answers are."""
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


def _drop_small_breakdown(numbers: Counter[str], wave: Wave) -> dict[str, int]:
    """The numbers by group; of a wave that does not ask everyone, none if one is small: the rest would give it away."""
    is_small = wave.asked != "everyone" and any(number < LEAST for number in numbers.values())
    return {} if is_small else dict(numbers)
