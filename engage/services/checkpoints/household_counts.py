"""Numbers of households that may be published where a group's number of answers is suppressed.

No group has more answers than the roster has households for it: if two small groups of 2 and 3 households gave 5
answers together, both numbers would be revealed. So for the suppressed groups of one breakdown together:

* each number is published if the ranges that can be derived stay at least `minimum` wide;
* otherwise the smallest numbers, as few as possible, are published as a range: {"below": n} or {"least": n}, where n is
  twice the minimum;
* otherwise none of them is published (None).

The attacker model: everything published is known (all other groups and all totals), and a suppressed group has between
0 answers and as many as it has households. A suppressed answer has at most the count of its suppressed group.
"""

from collections.abc import Iterator, Mapping
from typing import TypedDict

from engage.domain.summaries.published_figures import HouseholdCounts, HouseholdNumber, ResponseCounts

Limits = tuple[int, int]


class RosterCounts(TypedDict, total=False):
    """How many households could have answered a wave; empty without a roster. `counting` and `asked` are the wave's own
    rule (storage/models/waves.py Wave)."""

    all: int
    school: dict[str, int]
    language: dict[str, int]
    counting: str
    asked: str


def visible_households(households: RosterCounts, responses: ResponseCounts, minimum: int) -> HouseholdCounts:
    """The numbers of households that an audience sees. `responses` are the response counts that it sees; `minimum` is
    its minimum."""
    if not households:
        return {}
    everybody, answered = households["all"], responses["all"]
    if answered is None:  # fewer than the minimum in total
        everyone = everybody if everybody >= 2 * minimum else {"below": 2 * minimum}
        return {"all": everyone, "school": {}, "language": {}}
    return {
        "all": everybody,
        "school": _suppress_breakdown(households["school"], responses["school"], answered, minimum),
        "language": _suppress_breakdown(households["language"], responses["language"], answered, minimum),
    }


def _suppress_breakdown(
    sizes: Mapping[str, int], responses: Mapping[str, int | None], answered: int, minimum: int
) -> dict[str, HouseholdNumber]:
    hidden = {each: sizes[each] for each, count in responses.items() if count is None and each in sizes}
    rest = answered - sum(count for count in responses.values() if count is not None)
    return {**sizes, **_choose_safe_counts(hidden, rest, minimum)}


def _choose_safe_counts(sizes: Mapping[str, int], answered: int, minimum: int) -> Mapping[str, HouseholdNumber]:
    """The most precise option that protects every group."""
    if answered > sum(sizes.values()):  # the roster does not limit the answers
        return dict.fromkeys(sizes)
    for option in _count_options(sizes, 2 * minimum):
        if all(_is_wide_enough(limits, sizes, answered, minimum) for limits in _derive_limits(option, sizes)):
            return option
    return dict.fromkeys(sizes)


def _count_options(sizes: Mapping[str, int], edge: int) -> Iterator[dict[str, HouseholdNumber]]:
    yield dict(sizes)
    order = sorted(sizes, key=lambda each: (sizes[each], each))
    for number in range(2, len(order) + 1):
        bands: dict[str, HouseholdNumber] = {
            each: {"below" if sizes[each] < edge else "least": edge} for each in order[:number]
        }
        yield {**sizes, **bands}


def _derive_limits(option: Mapping[str, HouseholdNumber], sizes: Mapping[str, int]) -> Iterator[Limits]:
    """The least and greatest number of households of each group that can be derived, if the sum of the inexact ones is
    known."""
    total = sum(sizes[each] for each, number in option.items() if not isinstance(number, int))
    ranges = {each: _count_range(number, total) for each, number in option.items()}
    banded = [limits for each, limits in ranges.items() if not isinstance(option[each], int)]
    least, most = (sum(each[at] for each in banded) for at in (0, 1))
    for each, (low, high) in ranges.items():
        if isinstance(option[each], int):
            yield low, high
        else:
            yield max(low, total - (most - high)), min(high, total - (least - low))


def _count_range(number: HouseholdNumber, total: int) -> Limits:
    if isinstance(number, int):
        return number, number
    band = number or {}
    return band.get("least", 0), band["below"] - 1 if "below" in band else total


def _is_wide_enough(limits: Limits, sizes: Mapping[str, int], answered: int, minimum: int) -> bool:
    """Whether the range that can be derived is wide enough, both for a group and for an answer given by all suppressed
    groups together."""
    low, high = limits
    others = sum(sizes.values()) - low
    # The width is concave in the number of answers, so checking the least and the greatest count is enough.
    return all(min(count, high) - max(0, count - others) >= minimum for count in (minimum, answered))
