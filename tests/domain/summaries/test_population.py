"""Intervals for a finite population: compared with statsmodels with n (N - 1) / (N - n), and the numbers they may
use."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from engage.domain.summaries.intervals import wilson_intervals
from engage.domain.summaries.population import with_population

NUMBERS = st.tuples(st.integers(1, 3000), st.integers(0, 3000), st.integers(1, 4000))
TRIPLES = NUMBERS.map(
    lambda drawn: (drawn[1] % (drawn[0] + 1), drawn[0], drawn[0] + drawn[2])
)  # count, base, population


def expected(count, n, population, effect=1.0):
    effective = n / effect * (population - 1) / (population - n)
    return proportion_confint(count / n * effective, effective, alpha=0.05, method="wilson")


@settings(deadline=None)
@given(st.lists(TRIPLES, min_size=1, max_size=15), st.sampled_from([1.0, 1.4, 2.6]))
def test_equals_statsmodels_with_the_effective_number(triples, effect):
    counts, bases, populations = np.array(triples).T
    found = wilson_intervals(counts, bases, populations.astype(float), effect)
    np.testing.assert_allclose(found, expected(counts, bases, populations, effect), rtol=0, atol=1e-9)


def test_who_is_all_there_is_is_sure():
    low, high = wilson_intervals(np.array([30, 0, 7]), np.array([40, 3, 7]), np.array([40.0, 3.0, 7.0]))
    assert low.tolist() == high.tolist() == [0.75, 0.0, 1.0]


def test_an_unknown_population_is_infinite():
    some = wilson_intervals(np.array([30]), np.array([40]), np.array([np.nan]))
    np.testing.assert_array_equal(some, wilson_intervals(np.array([30]), np.array([40])))


def test_a_population_smaller_than_its_answers_is_refused():
    with pytest.raises(ValueError, match="a population holds"):
        wilson_intervals(np.array([3]), np.array([40]), np.array([39.0]))


def figures(rows, responses, effect=1.0):
    """Return plain figures of one question: (breakdown, group, base, answered, count) each."""
    breakdowns = {each: [] for each in ("all", "school", "language", "mode")}
    for breakdown, group, base, answered, count in rows:
        share = None if None in (answered, count) else count / answered
        cell = {"code": "yes", "count": count, "share": share, "low": 0.0, "high": 1.0}
        breakdowns[breakdown].append({"group": group, "base": base, "answered": answered, "cells": [cell], "apart": {}})
    return {"responses": responses, "questions": [{"question": "q", "effect": effect, "breakdowns": breakdowns}]}


RESPONSES = {"all": 288, "school": {"a": 200, "b": 88}, "language": {"so": None}, "mode": {"web": 144}}
HOUSEHOLDS = {"all": 402, "school": {"a": 300, "b": {"below": 10}}, "language": {}}


def interval(*row, effect=1.0):
    made = with_population(figures([row], RESPONSES, effect), HOUSEHOLDS)
    (cell,) = made["questions"][0]["breakdowns"][row[0]][0]["cells"]
    return cell["low"], cell["high"]


def test_the_demos_internet_question():
    """288 of 402 households: 80% to 88% for an infinite population, 82% to 87% for this one."""
    low, high = interval("all", None, 288, 288, 245)
    assert (round(low, 2), round(high, 2)) == (0.83, 0.87)
    assert (low, high) == pytest.approx(expected(245, 288, 402), abs=1e-12)


@pytest.mark.parametrize(
    ("row", "population"),
    [
        (("all", None, 288, 270, 245), 402),
        (("school", "a", 200, 150, 100), 300),
        (("all", None, 72, 70, 40), 402 * 72 / 288),  # a question for a quarter of the families
        (("mode", "web", 144, 140, 70), 402 / 2),
    ],
)
def test_a_group_has_its_share_of_the_households(row, population):
    assert interval(*row) == pytest.approx(expected(row[4], row[3], population), abs=1e-12)


def test_children_are_as_sure_as_their_families():
    assert interval("all", None, 600, 580, 300, effect=1.8) == pytest.approx(
        expected(300, 580, 402 * 600 / 288, 1.8), abs=1e-12
    )


@pytest.mark.parametrize(
    "row",
    [
        ("school", "b", 88, 80, 40),  # its households are published as a band
        ("language", "so", 20, 20, 10),  # the number of responses is hidden
        ("all", None, None, 70, 40),  # the number asked is hidden
    ],
)
def test_what_is_not_told_is_not_used(row):
    assert interval(*row) == pytest.approx(proportion_confint(row[4], row[3], method="wilson"), abs=1e-12)


def test_more_answers_than_households_are_no_sample_of_them():
    made = with_population(figures([("all", None, 288, 288, 245)], RESPONSES), {**HOUSEHOLDS, "all": 287})
    (cell,) = made["questions"][0]["breakdowns"]["all"][0]["cells"]
    assert cell["high"] == pytest.approx(proportion_confint(245, 288, method="wilson")[1], abs=1e-12)


def test_hidden_cells_stay_as_they_are():
    made = with_population(figures([("all", None, 288, None, None)], RESPONSES), HOUSEHOLDS)
    (cell,) = made["questions"][0]["breakdowns"]["all"][0]["cells"]
    assert cell["share"] is None


def simulated(rounds):
    """Return how often the interval contains the share in a population of 402 of whom 288 answer."""
    rng = np.random.default_rng(4)
    counts = rng.hypergeometric(60, 342, 288, rounds)
    low, high = wilson_intervals(counts, np.full(rounds, 288), np.full(rounds, 402.0))
    return float(((low <= 60 / 402) & (high >= 60 / 402)).mean())


def test_it_holds_the_share_of_the_roster_as_often_as_it_says():
    assert 0.935 <= simulated(20_000) <= 0.985
