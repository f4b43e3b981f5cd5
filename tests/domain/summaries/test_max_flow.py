"""Derivable ranges, compared with a linear program (scipy's HiGHS)."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linprog

from engage.domain.summaries.complementary import Cell, add_complementary, is_safe
from engage.domain.summaries.max_flow import derivable_range

pytestmark = pytest.mark.slow


def attack(cells, hidden, place):
    """The oracle: minimum and maximum of one hidden cell, given the published sums and cells."""
    rows, columns = cells.shape
    known = [np.repeat(np.eye(rows), columns, axis=1), np.tile(np.eye(columns), (1, rows))]
    sums = [cells.sum(axis=1), cells.sum(axis=0)]
    shown = ~hidden.ravel()
    matrix = np.vstack([*known, np.eye(rows * columns)[shown]])
    right = np.concatenate([*sums, cells.ravel()[shown]])
    aim = np.zeros(rows * columns)
    aim[place[0] * columns + place[1]] = 1
    found = [linprog(sign * aim, A_eq=matrix, b_eq=right, method="highs") for sign in (1, -1)]
    return found[0].fun, -found[1].fun


TABLES = st.tuples(st.integers(2, 4), st.integers(2, 4)).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.int64, shape, elements=st.integers(0, 15)),
        hnp.arrays(np.bool_, shape, elements=st.booleans()),
    )
)


@settings(max_examples=120, deadline=None)
@given(TABLES, st.data())
def test_equals_the_linear_programme(table, data):
    cells, hidden = table
    place = (data.draw(st.integers(0, cells.shape[0] - 1)), data.draw(st.integers(0, cells.shape[1] - 1)))
    hidden[place] = True
    assert derivable_range(cells, hidden, *place) == pytest.approx(attack(cells, hidden, place), abs=1e-6)


def test_one_hidden_cell_is_found_exactly():
    cells = np.array([[3, 20], [30, 40]])
    assert derivable_range(cells, cells == 3, 0, 0) == (3, 3)


def test_four_hidden_corners_hide_each_other():
    cells = np.array([[3, 20, 11], [30, 40, 12]])
    hidden = np.array([[True, True, False], [True, True, False]])
    assert derivable_range(cells, hidden, 0, 0) == (0, 23)


def big_margins(cells, width):
    """Whether every sum is 0 or large enough, as `add_complementary` requires."""
    return all(((sums == 0) | (sums >= width)).all() for sums in (cells.sum(axis=0), cells.sum(axis=1)))


@settings(max_examples=200, deadline=None)
@given(hnp.arrays(np.int64, st.tuples(st.integers(2, 7), st.integers(2, 5)), elements=st.integers(0, 30)))
def test_complement_makes_every_hidden_cell_safe(cells):
    assume(big_margins(cells, 10) and (cells.sum(axis=0) > 0).sum() > 1 and (cells.sum(axis=1) > 0).sum() > 1)
    primary = (cells > 0) & (cells < 10)
    hidden = add_complementary(cells, primary, 10)
    assert (hidden | ~primary).all()
    for place in np.argwhere(hidden):
        low, high = derivable_range(cells, hidden, *place)
        assert high - low >= 10
        assert is_safe(cells, hidden, Cell(*place), 10)


def test_nothing_small_nothing_hidden():
    cells = np.array([[12, 0], [30, 44]])
    assert not add_complementary(cells, (cells > 0) & (cells < 10), 10).any()


def test_the_smallest_cells_are_taken_as_cover():
    cells = np.array([[3, 60, 12], [14, 50, 13], [80, 90, 99]])
    hidden = add_complementary(cells, cells == 3, 10)
    assert hidden.tolist() == [[True, False, True], [True, False, True], [False, False, False]]
