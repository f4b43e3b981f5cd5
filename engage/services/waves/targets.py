"""The targets of a wave: a household, a household in each of its schools, or each student, as the wave counts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from engage.storage.models.schools import UNDETERMINED
from engage.storage.models.waves import Wave

FALLBACK = "en"
TargetKey = tuple[str, str, str | None]  # household, school, student


class SamplingTarget(Protocol):
    """One target, as the roster has it; `student_id` is None if a family is asked."""

    @property
    def household_id(self) -> str: ...
    @property
    def school_id(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def student_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class TargetGroups:
    """Number of targets by school and language. `unknown`: by school, those in no group, because their responses are
    counted under the language of the page, and their own is unknown."""

    sizes: Counter[tuple[str, str]]
    unknown: Counter[str] = field(default_factory=Counter)

    def of(self, school_id: str) -> dict[str, int]:
        """Number of targets by language tag, of one school."""
        return {language: number for (school, language), number in self.sizes.items() if school == school_id}


def invitation_language(wave: Wave, language: str) -> str:
    """The language a household is asked in: its own if the wave offers it, else English, else the wave's first."""
    offered = wave.offered
    return language if language in offered else FALLBACK if FALLBACK in offered else offered[0]


def group_targets(wave: Wave, units: Iterable[SamplingTarget]) -> TargetGroups:
    """The targets of a wave with an open link, by the language they are asked in."""
    groups = TargetGroups(Counter())
    for unit in units:
        if unit.language == UNDETERMINED:
            groups.unknown[unit.school_id] += 1
        else:
            groups.sizes[unit.school_id, invitation_language(wave, unit.language)] += 1
    return groups


def target_key(counting: str, household_id: str, school_id: str, student_id: str | None) -> TargetKey:
    """The key of a target: a target with a code under it gets no second one, even if the roster changes."""
    if counting == "student":
        return "", "", student_id
    return household_id, school_id if counting == "family_school" else "", None
