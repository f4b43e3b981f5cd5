"""Families as clusters: compared with statsmodels' cluster-robust variance, and by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS

from engage.domain.summaries.clusters import COARSE, ENOUGH, FINE, design_effect
from engage.domain.summaries.column_store import rebuild_columns
from engage.domain.summaries.counting import count_figures
from engage.domain.summaries.intervals import wilson_intervals
from tests.domain.summaries.waves import stored
from tests.questionnaire.every_kind import EVERY_KIND


def effect(parents, marks):
    return design_effect([(parents.astype(np.uint32), marks)], marks.sum(axis=0).astype(np.int64), len(parents))


def families(number, rng, icc, shares=(0.3, 0.7)):
    """Return (family, answer) of the children of families of 1 to 4, whose answers have the intraclass correlation
    `icc`."""
    parents = np.repeat(np.arange(number), rng.integers(1, 5, number))
    own = rng.choice(len(shares), len(parents), p=shares)
    common = rng.choice(len(shares), number, p=shares)[parents]
    alike = rng.random(len(parents)) < np.sqrt(icc)
    answers = np.where(alike, common, own)
    return parents, (answers[:, None] == np.arange(len(shares))).astype(np.uint8)


def sandwich(parents, marks):
    """Return the same from statsmodels: the variance of a mean with clusters, summed over the answers."""
    clustered = independent = 0.0
    for column in marks.T.astype(float):
        fit = OLS(column, np.ones(len(column))).fit(cov_type="cluster", cov_kwds={"groups": parents})
        wide = len(column) / (len(column) - 1)  # its small-sample factor, in addition to families / (families - 1)
        clustered += fit.cov_params()[0, 0] / wide * (len(column) - 1) / len(column) * wide
        independent += column.mean() * (1 - column.mean()) / len(column)
    return clustered / independent


@pytest.mark.parametrize("icc", [0, 0.3, 0.6, 0.8, 1])
@pytest.mark.parametrize("shares", [(0.3, 0.7), (0.1, 0.2, 0.3, 0.4), (0.02, 0.98)])
def test_equals_the_cluster_robust_variance(icc, shares):
    parents, marks = families(300, np.random.default_rng(1), icc, shares)
    wanted = max(1.0, sandwich(parents, marks))
    assert wanted - 1e-9 <= effect(parents, marks) <= wanted + FINE + 1e-9


def test_of_few_families_all_children_count_as_alike():
    parents, marks = families(ENOUGH // 2, np.random.default_rng(1), 0)
    sizes = np.bincount(parents)
    wanted = (sizes**2).sum() / sizes.sum()
    assert wanted <= effect(parents, marks) <= wanted + COARSE


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_it_is_never_below_one_and_stands_in_steps(seed):
    rng = np.random.default_rng(seed)
    found = effect(*families(int(rng.integers(1, 200)), rng, rng.random()))
    assert found >= 1
    assert found * 10 == pytest.approx(round(found * 10))


def test_nobody_and_no_difference():
    none = np.zeros((0, 2), np.uint8)
    assert effect(np.zeros(0), none) == 1.0
    same = np.ones((300, 1), np.uint8)
    assert effect(np.arange(300), same) == 1.0


def coverage(icc, rounds, number=150, population=None):
    """Return how often the interval contains the true share, with and without the design effect."""
    rng = np.random.default_rng(round(icc * 10))
    held = np.zeros(2)
    for _ in range(rounds):
        parents, marks = families(number, rng, icc)
        for at, used in enumerate((effect(parents, marks), 1.0)):
            low, high = wilson_intervals(np.array([marks[:, 0].sum()]), np.array([len(parents)]), effects=used)
            held[at] += low[0] <= 0.3 <= high[0]
    return held / rounds


@pytest.mark.parametrize("icc", [0.3, 0.6, 0.8])
def test_the_interval_holds_the_share_as_often_as_it_says(icc):
    with_families, without = coverage(icc, 1000)
    print(f"ICC {icc}: {with_families:.1%}, without regard to families {without:.1%}")
    assert with_families >= 0.93
    assert without < 0.925


@pytest.mark.thorough
@pytest.mark.parametrize("icc", [0, 0.3, 0.6, 0.8, 1])
@pytest.mark.parametrize("number", [30, 60, 150, 600])
def test_the_interval_holds_the_share_in_waves_of_all_sizes(icc, number):
    assert coverage(icc, 4000, number)[0] >= 0.93


def test_a_wave_has_the_effect_of_each_question_its_children_have(tmp_path):
    rng = np.random.default_rng(8)
    rows, parents, devices = [], [], []
    for number in range(200):
        children = [{"device": str(rng.choice(["pc", "none"]))}] * int(rng.integers(1, 4))
        rows.append(stored(number, {"count": len(children), "child": children}, f"s{number % 3}"))
        parents += [number] * len(children)
        devices += [[each["device"] == name for name in ("none", "pc")] for each in children]
    figures = count_figures(rebuild_columns(tmp_path, EVERY_KIND, rows, 0))
    assert {*figures.effects} == {each for each, section in figures.sections.items() if section}
    assert figures.effects["device"] == effect(np.array(parents), np.array(devices, np.uint8))
    assert figures.effects["device"] > 1.8
    assert figures.most == {"child": 3}
