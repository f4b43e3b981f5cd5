"""Reminders: which language groups of a school have a low response, in bands that reveal no single answer.

Answers are rounded down to a multiple of ten and a group has at least ten households. So a band changes at most once in
ten answers, and it cannot reveal whether a particular family has answered today.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from gettext import NullTranslations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engage.services.waves.targets import TargetGroups
from engage.storage.language_groups import load_language_groups
from engage.storage.models.invitations import Invitation
from engage.storage.models.roster import OptOut
from engage.storage.models.waves import Wave

STEP = 10  # answers; the public minimum
LEAST = 10  # households: a smaller group is never shown
QUARTER, HALF = 1 / 4, 1 / 2

FEW, SOME, HALF_OR_MORE = "few", "some", "half"
BANDS = {FEW: (0, 25), SOME: (25, 50), HALF_OR_MORE: (50, 100)}
"""The bands, lowest first, each with its limits in percent of the households."""


@dataclass(frozen=True, slots=True)
class ReminderGroup:
    """The households of one school that read one language: how many are asked, and the band of those that answered."""

    language: str
    expected: int
    band: str


def round_responses(counted: Mapping[tuple[str, str], int], school_id: str) -> dict[str, int]:
    """Responses of a school by the language group that they are counted under, each rounded down to a multiple of ten;
    `counted` is by school and language."""
    return {language: number - number % STEP for (school, language), number in counted.items() if school == school_id}


def count_invitations(session: Session, wave: Wave) -> TargetGroups:
    """Invitations of a wave, without those of households that opted out. An index has all that is counted, except the
    few of opted-out households, which are subtracted."""
    groups = Invitation.school_id, Invitation.language
    counted = select(*groups, func.count()).where(Invitation.wave_id == wave.id).group_by(*groups)
    out = counted.where(Invitation.household_id.in_(select(OptOut.household_id)))
    sizes, refusing = (
        Counter({(school, language): number for school, language, number in session.execute(query)})
        for query in (counted, out)
    )
    return TargetGroups(sizes - refusing)


def merge_language_groups(session: Session, wave: Wave, groups: TargetGroups) -> TargetGroups:
    """The groups merged as responses are: in an anonymous wave, small languages of a school are one group."""
    strata = load_language_groups(session.connection(), wave.id)
    sizes: Counter[tuple[str, str]] = Counter()
    for (school_id, language), number in groups.sizes.items():
        sizes[school_id, strata.group(school_id, language)[1]] += number
    return TargetGroups(sizes, groups.unknown)


def rank_groups(expected: Mapping[str, int], answered: Mapping[str, int]) -> list[ReminderGroup]:
    """The groups that are large enough, lowest band first."""
    ranked = [
        ReminderGroup(language, number, response_band(answered.get(language, 0), number))
        for language, number in expected.items()
        if number >= LEAST
    ]
    order = list(BANDS)
    return sorted(ranked, key=lambda group: (order.index(group.band), -group.expected, group.language))


def response_band(answered: int, expected: int) -> str:
    """The band of the share that has answered; `answered` is rounded already."""
    share = answered / expected
    return FEW if share < QUARTER else SOME if share < HALF else HALF_OR_MORE


def band_names(words: NullTranslations) -> dict[str, str]:
    """The labels of the bands."""
    return {
        # translators: in a table: how many of the households have answered
        FEW: words.gettext("fewer than a quarter"),
        # translators: in a table: how many of the households have answered
        SOME: words.gettext("a quarter to half"),
        # translators: in a table: how many of the households have answered
        HALF_OR_MORE: words.gettext("about half or more"),
    }
