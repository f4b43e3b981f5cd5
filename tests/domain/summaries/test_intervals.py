"""Wilson intervals, compared with statsmodels, and properties that hold for every count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from engage.domain.summaries.intervals import newcombe_intervals, wilson_intervals

pytestmark = pytest.mark.slow

PAIRS = st.lists(
    st.integers(1, 5000).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base))), min_size=1, max_size=20
)


@given(PAIRS)
def test_equals_statsmodels(pairs):
    counts, bases = np.array(pairs).T
    low, high = wilson_intervals(counts, bases)
    expected = proportion_confint(counts, bases, alpha=0.05, method="wilson")
    np.testing.assert_allclose((low, high), expected, rtol=0, atol=1e-12)


@given(PAIRS)
def test_holds_the_share_and_narrows_with_the_base(pairs):
    counts, bases = np.array(pairs).T
    low, high = wilson_intervals(counts, bases)
    assert np.all((low >= 0) & (low <= counts / bases) & (counts / bases <= high) & (high <= 1))
    narrow_low, narrow_high = wilson_intervals(4 * counts, 4 * bases)
    assert np.all((low <= narrow_low) & (narrow_high <= high))


def test_a_whole_table_shares_its_bases_row_by_row():
    low, high = wilson_intervals(np.array([[1, 9], [20, 20]]), np.array([[10], [40]]))
    assert low[0, 0] == pytest.approx(proportion_confint(1, 10, method="wilson")[0], abs=1e-12)
    assert high[1, 0] == high[1, 1] == pytest.approx(proportion_confint(20, 40, method="wilson")[1], abs=1e-12)


def test_nobody_asked_says_nothing():
    low, high = wilson_intervals(np.array([0]), np.array([0]))
    assert (low[0], high[0]) == (0.0, 1.0)


@pytest.mark.parametrize(("count", "base"), [(-1, 3), (4, 3)])
def test_impossible_shares_are_refused(count, base):
    with pytest.raises(ValueError, match="needs 0 <= count"):
        wilson_intervals(np.array([1, count]), np.array([3, base]))


@given(PAIRS, PAIRS)
def test_differences_equal_statsmodels(pairs, others):
    length = min(len(pairs), len(others))
    (counts, bases), (other_counts, other_bases) = np.array(pairs[:length]).T, np.array(others[:length]).T
    low, high = newcombe_intervals(counts, bases, other_counts, other_bases)
    for at in range(length):
        expected = confint_proportions_2indep(
            counts[at], bases[at], other_counts[at], other_bases[at], method="newcomb", compare="diff"
        )
        assert (low[at], high[at]) == pytest.approx(expected, abs=1e-9)


def test_a_published_example_of_newcombe():
    """56/70 and 48/80: 0.0524 to 0.3339 (Newcombe 1998, table II, method 10)."""
    low, high = newcombe_intervals(*(np.array([each]) for each in (56, 70, 48, 80)))
    assert (low[0], high[0]) == pytest.approx((0.0524, 0.3339), abs=5e-5)
