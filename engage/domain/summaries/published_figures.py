"""The figures that one audience sees of one wave, as JSON types: `plain_tables` makes them, checkpoints freeze them.

None stands for a number that is hidden. Shares are of those who answered, from 0 to 1, not rounded; `low` and `high`
are the limits of their Wilson interval.
"""

from typing import Literal, NotRequired, TypedDict

GroupDimension = Literal["school", "language", "mode"]
GROUP_DIMENSIONS: tuple[GroupDimension, ...] = ("school", "language", "mode")

GroupCounts = dict[str, int | None]
"""Responses by code of a group."""

HouseholdNumber = int | dict[str, int] | None
"""Households: a number, a band ({"below": n} or {"least": n}), or None where nothing is published."""


class ShareCell(TypedDict):
    """One answer of one group: the choice's code (or "answered"), how many chose it, and their share."""

    code: str
    count: int | None
    share: float | None
    low: float | None
    high: float | None


class GroupFigures(TypedDict):
    """A question in one group (None: everybody). `base` had the question, `answered` of them answered; `apart` counts
    those without an answer, by code."""

    group: str | None
    base: int | None
    answered: int | None
    cells: list[ShareCell]
    apart: dict[str, int | None]


class QuestionFigures(TypedDict):
    """One question: `section` is None where it is not repeated, `effect` its design effect, `breakdowns` its groups by
    "all" or dimension."""

    question: str
    kind: str
    section: str | None
    effect: float
    breakdowns: dict[str, list[GroupFigures]]


class ResponseCounts(TypedDict):
    """How many responded: in all, and by group of each dimension."""

    all: int | None
    school: GroupCounts
    language: GroupCounts
    mode: GroupCounts


class HouseholdCounts(TypedDict, total=False):
    """How many could have answered, as an audience sees it; empty where no roster says so."""

    all: HouseholdNumber
    school: dict[str, HouseholdNumber]
    language: dict[str, HouseholdNumber]


class AudienceFigures(TypedDict):
    """Everything one audience sees of one wave. A document of format 1 has no `households` here."""

    responses: ResponseCounts
    questions: list[QuestionFigures]
    households: NotRequired[HouseholdCounts]
