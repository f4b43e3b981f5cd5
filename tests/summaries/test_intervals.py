"""Wilson's interval against statsmodels, and what must hold for every count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from engage.summaries.intervals import wilson, wilson_all

PAIRS = st.integers(1, 5000).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base)))


@given(PAIRS)
def test_equals_statsmodels(pair):
    assert wilson(*pair) == pytest.approx(proportion_confint(*pair, alpha=0.05, method="wilson"), abs=1e-12)


@given(PAIRS)
def test_whole_tables_equal_single_cells(pair):
    low, high = wilson_all(np.array([pair[0]]), np.array([pair[1]]))
    assert (low[0], high[0]) == pytest.approx(wilson(*pair), abs=1e-12)


@given(PAIRS, st.integers(1, 5000))
def test_holds_the_share_and_narrows_with_the_population(pair, missing):
    count, base = pair
    low, high = wilson(count, base, base + missing)
    wide_low, wide_high = wilson(count, base)
    assert low <= count / base <= high
    assert wide_low - 1e-12 <= low
    assert high <= wide_high + 1e-12


def test_finite_population_uses_the_effective_number():
    # n = 40 of N = 100: n' = 40 * 99 / 60 = 66; 16.5 of 66 is the same share as 10 of 40
    assert wilson(10, 40, 100) == pytest.approx(proportion_confint(16.5, 66, alpha=0.05, method="wilson"), abs=1e-12)


def test_everybody_answered_leaves_no_doubt():
    assert wilson(3, 12, 12) == (0.25, 0.25)


def test_nobody_asked_says_nothing():
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson_all(np.array([0]), np.array([0]))
    assert (low[0], high[0]) == (0.0, 1.0)


@pytest.mark.parametrize("bad", [(-1, 3, None), (4, 3, None), (3, 5, 4)])
def test_impossible_shares_are_refused(bad):
    with pytest.raises(ValueError, match="needs 0 <= count"):
        wilson(*bad)
