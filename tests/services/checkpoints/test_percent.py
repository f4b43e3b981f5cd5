"""Percentages are rounded once: compared with exact fractions, and with Wilson intervals of fifty decimals."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

from engage.domain.summaries.intervals import wilson_intervals
from engage.services.checkpoints.figure_rows import FigureRow, format_percent, percent_of
from engage.services.checkpoints.report_parts import GroupCoverage

pytestmark = pytest.mark.slow

MOST = 250  # the largest base for which all counts are tested


def half_up(share):
    """Whole percent of a Fraction or Decimal, halves rounded up."""
    return f"{int(share * 100 + type(share)(1) / 2)}%"


def row(count, answered):
    place = ("w", "s", "q", "one", None, "all", None, "yes")
    return FigureRow(*place, answered, answered, count, count / answered, 0.0, 1.0)


@pytest.mark.parametrize(
    "shown", [percent_of, lambda *pair: row(*pair).percent, lambda *pair: GroupCoverage(None, *pair).percent]
)
def test_every_share_is_rounded_once(shown):
    pairs = [(count, of) for of in range(1, MOST + 1) for count in range(of + 1)]
    wrong = [pair for pair in pairs if shown(*pair) != half_up(Fraction(*pair))]
    assert wrong == []


def test_a_share_that_is_rounded_in_between_would_be_found():
    """23 of 107 are 21.495%: rounded to 21.50% first, then to 22%."""
    assert percent_of(23, 107) == "21%"
    assert half_up(Fraction(round(23 / 107, 4)).limit_denominator(10_000)) == "22%"


def test_every_limit_of_an_interval_is_rounded_once():
    counts, bases = np.array([(count, of) for of in range(1, 121) for count in range(of + 1)]).T
    for ends, sign in zip(wilson_intervals(counts, bases), (-1, 1), strict=True):
        for count, of, end in zip(counts.tolist(), bases.tolist(), ends.tolist(), strict=True):
            assert format_percent(end) == half_up(exact(count, of, sign)), (count, of)


def exact(count, of, sign):
    """Return a limit of the Wilson interval with fifty decimals."""
    with localcontext(prec=50):
        z, n, p = Decimal("1.959963984540054"), Decimal(of), Decimal(count) / of
        if count in (0, of) and (sign < 0) == (count == 0):
            return p
        half = z * (p * (1 - p) / n + z * z / (4 * n * n)).sqrt()
        return (p + z * z / (2 * n) + sign * half) / (1 + z * z / n)
