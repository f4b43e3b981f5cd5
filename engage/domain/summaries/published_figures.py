"""The figures of one wave for one audience, as JSON types. `plain_tables` builds them, and checkpoints freeze them.

None stands for a hidden number. Shares are relative to those who answered, from 0 to 1, not rounded; `low` and `high`
are the limits of their Wilson interval.
"""

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict

from engage.domain.summaries.suppression import LEADERS, PUBLIC, SuppressionPolicy

GroupDimension = Literal["school", "language", "mode"]
GROUP_DIMENSIONS: tuple[GroupDimension, ...] = ("school", "language", "mode")
FAMILY = "family"
AUDIENCES = ("leaders", "public")

GroupCounts = dict[str, int | None]
"""Responses by code of a group."""

HouseholdNumber = int | dict[str, int] | None
"""Number of households: a number, a band ({"below": n} or {"least": n}), or None if nothing is published."""


class ShareCell(TypedDict):
    """One answer in one group: the choice's code (or "answered"), its count, and its share."""

    code: str
    count: int | None
    share: float | None
    low: float | None
    high: float | None


class GroupFigures(TypedDict):
    """A question in one group (None: total). `base` is the number asked, `answered` the number of those who answered;
    `apart` has the counts without an answer, by code."""

    group: str | None
    base: int | None
    answered: int | None
    cells: list[ShareCell]
    apart: dict[str, int | None]


class QuestionFigures(TypedDict):
    """One question. `section` is None if it is not repeated; `effect` is its design effect; `breakdowns` has its groups
    by "all" or dimension."""

    question: str
    kind: str
    section: str | None
    effect: float
    breakdowns: dict[str, list[GroupFigures]]


class ResponseCounts(TypedDict):
    """Number of responses: total, and by group of each dimension."""

    all: int | None
    school: GroupCounts
    language: GroupCounts
    mode: GroupCounts


class HouseholdCounts(TypedDict, total=False):
    """Number of households that could have answered, as an audience sees it; empty without a roster."""

    all: HouseholdNumber
    school: dict[str, HouseholdNumber]
    language: dict[str, HouseholdNumber]


class AudienceFigures(TypedDict):
    """All figures of one wave for one audience. Documents of format 1 have no `households`."""

    responses: ResponseCounts
    questions: list[QuestionFigures]
    households: NotRequired[HouseholdCounts]


def shown_dimensions(population: str) -> tuple[str, ...]:
    """Return the groups that the figures of a population are broken down by: of others than families, schools only."""
    return GROUP_DIMENSIONS if population == FAMILY else ("school",)


def audience_policies(population: str) -> Mapping[str, SuppressionPolicy]:
    """Return the policy for each audience. Educators and students are shown to leaders by the rule for the public: a
    colleague who knows a school's staff recognizes one of five more easily than a family of the district."""
    return {"leaders": LEADERS if population == FAMILY else PUBLIC, "public": PUBLIC}


def audience_minimums(population: str) -> dict[str, int]:
    """Return the least number of respondents that is shown, for each audience."""
    return {audience: policy.minimum for audience, policy in audience_policies(population).items()}
