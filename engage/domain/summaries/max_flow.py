"""Exact bounds for hidden cells that can be derived from the published cells and margins of a table.

For nonnegative integer counts with known row and column sums, the minimum and maximum of a sum of hidden cells in one
row are maximum flows (L. R. Ford and D. R. Fulkerson, 1956; for cell suppression L. H. Cox, JASA 90, 1995). The nodes
are rows and columns. An edge from a row to a column lowers the hidden cell between them (by at most its value); the
reverse edge raises it (without limit). Shown cells have no capacity.

A network holds one set of hidden cells and answers any number of queries about it. Rows and columns are bits of
integers, so that each search step processes all rows of a column at once.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]
_NO_LIMIT = 1 << 40


class _Step(NamedTuple):
    """A step from a column to the next through a row: the row's cell in the first is raised, and in the next is
    lowered."""

    column: int
    row: int
    next: int


def derivable_range(cells: Counts, hidden: Mask, row: int, column: int, enough: int = _NO_LIMIT) -> tuple[int, int]:
    """Return (low, high) of the hidden cell; stops once high - low has reached `enough`.

    `cells` are the true counts; `hidden` marks the cells that are not published.
    """
    up, down = Network(cells, hidden).slack(int(row), 1 << int(column), enough)  # numpy integers have 64 bits
    value = int(cells[row, column])
    return value - down, value + up


class Network:
    """The hidden cells of a table. `hide` adds cells; queries do not change it."""

    def __init__(self, cells: Counts, hidden: Mask) -> None:
        self._cells: list[list[int]] = cells.tolist()
        width = cells.shape[1]
        self._hidden = [_mask_bits(hidden[:, each]) for each in range(width)]  # by column: the rows with a hidden cell
        self._falling = [_mask_bits(hidden[:, each] & (cells[:, each] > 0)) for each in range(width)]  # can be lowered
        self._width = width

    def hide(self, row: int, column: int) -> None:
        """Hide another cell."""
        self._hidden[column] |= 1 << row
        if self._cells[row][column]:
            self._falling[column] |= 1 << row

    def slack(self, row: int, inside: int, enough: int = _NO_LIMIT) -> tuple[int, int]:
        """Return how much the sum of a row's hidden cells, over the columns whose bits are set in `inside`, can rise
        and fall. Stops once both together have reached `enough`."""
        hidden_here = [each for each in range(self._width) if self._hidden[each] >> row & 1]
        inner = [each for each in hidden_here if inside >> each & 1]
        outer = [each for each in hidden_here if not inside >> each & 1]
        up = self._shift(row, outer, inner, enough)
        return up, self._shift(row, inner, outer, enough - up) if up < enough else 0

    def _shift(self, row: int, giving: list[int], taking: list[int], most: int) -> int:
        """Return how much can be moved from a row's cells in some columns to those in others, at most `most`."""
        line = self._cells[row]
        remaining = {column: line[column] for column in giving if line[column]}
        changed: dict[tuple[int, int], int] = {}
        total = 0
        while remaining and total < most and (path := self._path(row, remaining, taking)):
            first = path[0].column
            amount = min(most - total, remaining[first], *(self._cells[step.row][step.next] for step in path))
            for step in path:
                self._move(changed, step.row, step.column, amount)
                self._move(changed, step.row, step.next, -amount)
            remaining[first] -= amount
            if not remaining[first]:
                del remaining[first]
            total += amount
        for (at, column), value in changed.items():
            self._set(at, column, value)
        return total

    def _path(self, row: int, starts: Iterable[int], ends: list[int]) -> list[_Step]:
        """Return a shortest path from one of some columns to another that avoids `row`; empty if there is none."""
        reached_by: dict[int, _Step | None] = dict.fromkeys(starts)
        goals = set(ends)
        unvisited = [each for each in range(self._width) if each not in reached_by]
        open_rows, frontier = ~(1 << row), list(reached_by)
        while frontier and unvisited:
            layer: list[int] = []
            for column in frontier:
                reached = self._hidden[column] & open_rows
                for following in [each for each in unvisited if self._falling[each] & reached]:
                    falling = self._falling[following] & reached
                    reached_by[following] = _Step(column, (falling & -falling).bit_length() - 1, following)
                    if following in goals:
                        return list(_trace_steps(reached_by, following))
                    unvisited.remove(following)
                    layer.append(following)
                open_rows &= ~reached
            frontier = layer
        return []

    def _move(self, changed: dict[tuple[int, int], int], row: int, column: int, by: int) -> None:
        changed.setdefault((row, column), self._cells[row][column])
        self._set(row, column, self._cells[row][column] + by)

    def _set(self, row: int, column: int, value: int) -> None:
        self._cells[row][column] = value
        if value:
            self._falling[column] |= 1 << row
        else:
            self._falling[column] &= ~(1 << row)


def column_bits(columns: Mask) -> int:
    """Return a set of columns as bits for `Network.slack`."""
    return _mask_bits(columns)


def _mask_bits(mask: Mask) -> int:
    return int.from_bytes(np.packbits(mask, bitorder="little").tobytes(), "little")


def _trace_steps(reached_by: dict[int, _Step | None], column: int) -> Iterator[_Step]:
    steps = []
    while (step := reached_by[column]) is not None:
        steps.append(step)
        column = step.column
    return reversed(steps)
