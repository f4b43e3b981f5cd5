"""Percentages as people read them: whole percent, halves rounded up, rounded once, the same in every output."""

import math


def percent_of(count: int, of: int) -> str:
    """The share count/of, from the counts themselves; `of` is at least 1."""
    return f"{(200 * count + of) // (2 * of)}%"


def format_percent(share: float | None) -> str | None:
    """A limit of a likely range (0..1, not rounded before); None where there is none."""
    return None if share is None else f"{math.floor(share * 100 + 0.5)}%"
