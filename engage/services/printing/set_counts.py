"""How many sets a school's households need: told before anything is printed."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from engage.domain.roster.sampling_units import list_sampling_units
from engage.services.printing.recipients import list_recipients
from engage.storage.models.schools import UNDETERMINED, School, Wave


@dataclass(frozen=True, slots=True)
class SetCounts:
    """Sets by class ("" where it is not known) and language; `refusing` households are not printed for. `languages`:
    those there are sets in, in the wave's order; `unknown`: sets for households of which no language is known."""

    sets: dict[str, dict[str, int]]
    languages: list[str]
    refusing: int
    unknown: int = 0

    @property
    def total(self) -> int:
        """How many sets in all."""
        return sum(sum(some.values()) for some in self.sets.values())


def count_sets(session: Session, wave: Wave, school: School) -> SetCounts:
    """The households of a school that a wave asks, as the roster knows them today."""
    sets: dict[str, dict[str, int]] = {}
    unknown = 0
    for each in list_recipients(session, wave, school, None):
        unknown += each.unit.language == UNDETERMINED
        some = sets.setdefault(each.group, {})
        some[each.language] = some.get(each.language, 0) + 1
    places = [place.id for place in wave.schools]
    out = list_sampling_units(session, "family", places, wave.asked, opted_out=True)
    tags = [tag for tag in wave.offered if any(tag in some for some in sets.values())]
    return SetCounts(sets, tags, len({each.household_id for each in out if each.school_id == school.id}), unknown)
