"""Nobody can be identified: a linear program attacks the published figures without success."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.domain.summaries.suppression import (
    HIDDEN,
    LEADERS,
    PUBLIC,
    SuppressionPolicy,
    TableContext,
    Universe,
    build_universe,
    merge_sets,
    singleton_sets,
    suppress_table,
)
from engage.domain.summaries.tables import Table
from tests.domain.summaries.attack import Attacker, hidden_numbers, random_joint, table_of

pytestmark = pytest.mark.slow

EPSILON = 1e-6


def both_audiences(table, leaders=LEADERS, public=PUBLIC):
    wave = build_universe(table.margins, None, leaders)
    first = suppress_table(table, wave, leaders)
    second = suppress_table(table, build_universe(table.margins, None, public, wave), public, TableContext(first))
    return first, second


def narrowest(attacker, shown, width, rng, most=2):
    """Return the narrowest range that the attack derives for a few hidden numbers."""
    places = hidden_numbers(shown)
    chosen = [places[at] for at in rng.permutation(len(places))[:most]]
    for place in chosen:
        low, high = attacker.range(*place)
        assert high - low >= width - EPSILON, (place, low, high)
    return len(chosen)


def test_the_attack_recovers_nothing_on_a_thousand_waves():
    rng = np.random.default_rng(20261122)
    attacked = 0
    for _ in range(1000):
        joint = random_joint(rng)
        for_leaders, for_public = both_audiences(table_of(joint))
        public, everything = Attacker(joint.shape), Attacker(joint.shape)
        for attacker, documents in ((public, [for_public]), (everything, [for_leaders, for_public])):
            for document in documents:
                attacker.read(document)
        attacked += narrowest(public, for_public, PUBLIC.minimum, rng)
        attacked += narrowest(everything, for_leaders, LEADERS.minimum, rng, 1)
    assert attacked > 1500


def only_primary(table, minimum):
    """Hide the small cells and nothing else, as many tools do."""
    wave = build_universe(table.margins, None, SuppressionPolicy(1))
    shown = suppress_table(table, wave, SuppressionPolicy(1, unanimous_below=0))
    for cells in shown.by.values():
        cells[(cells > 0) & (cells < minimum)] = HIDDEN
    return shown


def test_the_same_attack_recovers_cells_when_only_small_cells_are_hidden():
    rng = np.random.default_rng(7)
    recovered = 0
    for _ in range(40):
        joint = random_joint(rng)
        shown = only_primary(table_of(joint), 10)
        attacker = Attacker(joint.shape)
        attacker.read(shown)
        for place in hidden_numbers(shown)[:3]:
            low, high = attacker.range(*place)
            recovered += high - low < EPSILON
    assert recovered > 20


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_shown_is_true_and_never_small(seed):
    table = table_of(random_joint(np.random.default_rng(seed)))
    for shown, policy in zip(both_audiences(table), (LEADERS, PUBLIC), strict=True):
        for counts, truth in [(shown.overall, table.overall), *((shown.by[each], table.by[each]) for each in table.by)]:
            visible = counts != HIDDEN
            assert (counts[visible] == truth[visible]).all()
            assert not ((counts > 0) & (counts < policy.minimum)).any()
        for bases in shown.bases.values():
            assert not ((bases > 0) & (bases < policy.minimum)).any()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_public_never_sees_what_leaders_do_not(seed):
    for_leaders, for_public = both_audiences(table_of(random_joint(np.random.default_rng(seed))))
    for dimension in for_leaders.by:
        seen = (for_leaders.by[dimension] == HIDDEN) & (for_public.by[dimension] != HIDDEN)
        assert not seen.any()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_small_groups_never_show_that_all_said_the_same(seed):
    table = table_of(random_joint(np.random.default_rng(seed)))
    for shown in both_audiences(table):
        for dimension, cells in shown.by.items():
            bases = table.by[dimension].sum(axis=1)
            whole = (cells == bases[:, None]) & (cells > 0) & (bases < 20)[:, None]
            everybody = (table.overall == table.overall.sum()) & (table.overall >= 20)
            assert not (whole & ~everybody).any()


def table(by, dimension="school"):
    cells = np.array(by)
    columns = tuple(f"c{number}" for number in range(cells.shape[1]))
    return Table(columns, cells.sum(axis=0), {dimension: cells})


def shown(by, minimum=10):
    made = table(by)
    return suppress_table(
        made, build_universe(made.margins, None, SuppressionPolicy(minimum)), SuppressionPolicy(minimum)
    )


def test_below_the_minimum_nothing_is_shown_at_all():
    nothing = shown([[3, 0], [4, 2]])
    assert nothing.nothing
    assert (nothing.overall == HIDDEN).all()
    assert (nothing.by["school"] == HIDDEN).all()
    assert (nothing.bases["school"] == HIDDEN).all()


def test_a_lone_small_group_takes_the_next_smallest_with_it():
    assert shown([[2, 2], [20, 21], [30, 60]]).bases["school"].tolist() == [HIDDEN, HIDDEN, 90]


def test_small_groups_that_are_enough_together_take_nobody():
    assert shown([[4, 3], [3, 5], [20, 21], [30, 60]]).bases["school"].tolist() == [HIDDEN, HIDDEN, 41, 90]


def test_empty_groups_show_nothing_and_cover_nothing():
    some = shown([[2, 2], [0, 0], [20, 21], [30, 60]])
    assert some.bases["school"].tolist() == [HIDDEN, 0, HIDDEN, 90]
    assert some.by["school"][1].tolist() == [0, 0]


def test_a_rare_answer_is_hidden_with_the_next_rarest_everywhere():
    some = shown([[60, 20, 2], [60, 20, 0]])
    assert some.overall.tolist() == [120, HIDDEN, HIDDEN]
    assert some.by["school"].tolist() == [[60, HIDDEN, HIDDEN], [60, HIDDEN, HIDDEN]]


def test_an_answer_nobody_gave_is_shown_as_nought():
    some = shown([[60, 20, 0], [60, 20, 0]])
    assert some.by["school"].tolist() == [[60, 20, 0], [60, 20, 0]]


def test_large_tables_are_left_as_they_are():
    counts = [[30, 40, 50], [12, 20, 0], [99, 10, 70]]
    assert shown(counts).by["school"].tolist() == counts


def test_all_the_same_in_a_small_group_is_hidden():
    some = shown([[15, 0], [40, 30]])
    assert some.by["school"].tolist() == [[HIDDEN, HIDDEN], [HIDDEN, HIDDEN]]
    assert shown([[25, 0], [40, 30]]).by["school"].tolist() == [[25, 0], [40, 30]]


def test_all_the_same_in_a_small_wave_is_hidden():
    some = shown([[12, 0, 0]])
    assert some.base == 12
    assert (some.overall == HIDDEN).all()


def test_columns_are_joined_within_their_class_where_that_is_enough():
    made = table([[30, 3, 20, 25], [30, 1, 20, 25]])
    of = build_universe(made.margins, None, PUBLIC)
    assert (1, 2) in suppress_table(made, of, PUBLIC).sets
    assert (1, 3) in suppress_table(made, of, PUBLIC, TableContext(classes=("yes", "no", "yes", "no"))).sets
    assert (1, 2) in suppress_table(made, of, PUBLIC, TableContext(classes=("yes", "no", "yes", "yes"))).sets


def test_merged_sets_part_nothing():
    assert merge_sets(((0, 1), (2,), (3,), (4,)), ((0,), (1, 2), (3,), (4,))) == ((0, 1, 2), (3,), (4,))


def test_forced_cells_are_hidden_and_covered():
    made = table([[40, 60], [50, 70], [30, 35]])
    forced = {"school": np.array([[True, False], [False, False], [False, False]])}
    some = suppress_table(made, build_universe(made.margins, None, PUBLIC), PUBLIC, TableContext(forced=forced))
    assert (some.by["school"] == HIDDEN).sum() == 4


def test_twelve_children_of_two_families_are_two():
    children = np.array([[12, 30], [40, 40]])
    families = np.array([[2, 25], [30, 30]])
    of = Table(("a", "b"), children.sum(axis=0), {"school": children})
    counted = Table(("a", "b"), families.sum(axis=0), {"school": families})
    both = Table(of.columns, of.overall, of.by, counted)
    some = suppress_table(both, build_universe(both.margins, counted.margins, PUBLIC), PUBLIC)
    assert some.by["school"][0, 0] == HIDDEN


@pytest.mark.parametrize("dimension", ["school", "language", "mode"])
def test_dimensions_tell_nothing_about_each_other(dimension):
    """The joint program over school x language x mode derives no more than the single table."""
    rng = np.random.default_rng(11)
    for _ in range(12):
        joint = random_joint(rng)
        _, document = both_audiences(table_of(joint))
        everything, alone = Attacker(joint.shape), Attacker(joint.shape)
        everything.read(document)
        alone.read(_only(document, dimension))
        for place in [each for each in hidden_numbers(document) if each[0] == dimension][:2]:
            assert everything.range(*place) == pytest.approx(alone.range(*place), abs=EPSILON)


def _only(document, dimension):
    bases, cells = {dimension: document.bases[dimension]}, {dimension: document.by[dimension]}
    return replace(document, bases=bases, by=cells)


def test_a_universe_hidden_from_the_wider_audience_stays_hidden():
    made = table([[20, 20], [30, 10]])
    hidden = Universe(made.margins, {"school": singleton_sets(2)}, shown=False)
    assert not build_universe(made.margins, None, PUBLIC, hidden).shown
