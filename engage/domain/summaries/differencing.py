"""Protection against differencing: what can be derived from a table and an earlier version of it.

Someone who sees a table twice also knows the table of those who answered in between. It is protected like any other.
`suppression` keeps hidden cells hidden and merged groups merged, and merges and hides more until the difference is safe
too. Then the earlier table and the difference have no unknown cell in common, and each can be checked alone.

The difference of a cell that was hidden earlier is unknown here too. This does not matter: what can be derived about it
depends on the sums only, so any counts with the correct sums can replace it.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engage.domain.summaries.tables import HIDDEN, Counts

Mask = NDArray[np.bool_]
Sets = tuple[tuple[int, ...], ...]


class IncomparableTables(Exception):
    """The two tables cannot be compared: answers were changed or withdrawn, or other columns were shown earlier."""


@dataclass(frozen=True, slots=True, eq=False)
class EarlierTable:
    """A table as it was shown earlier, with the current groups and columns. HIDDEN marks numbers that were not shown.

    A dimension that was left out is missing in `bases` and `by`. `per` is the largest number of rows of data per family
    (1, or the largest number of children).
    """

    total: int
    overall: Counts
    bases: Mapping[str, Counts]
    by: Mapping[str, Counts]
    per: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class TableChange:
    """The difference of a merged table (rows x sets). `cells` has correct sums, and is correct where it is not
    `hidden`."""

    cells: Counts
    hidden: Mask
    per: int

    def live(self) -> Mask:
        """Return the cells that may have changed, because both their row and their column did."""
        return np.outer(self.cells.sum(axis=1) > 0, self.cells.sum(axis=0) > 0)

    def small(self, minimum: int, unanimous_below: int) -> Mask:
        """Return the cells with too few families, or with all of a small group."""
        bases, totals = self.cells.sum(axis=1), self.cells.sum(axis=0)
        few = (self.cells > 0) & (least_families(self.cells, self.per) < minimum)
        same = (self.cells == bases[:, None]) & (self.cells > 0)
        agreed = same & (least_families(bases, self.per) < unanimous_below)[:, None]
        mask: Mask = few | (agreed & (totals < totals.sum()))
        return mask & ~self.hidden


def least_families(rows: Counts, per: int) -> Counts:
    """Return the smallest possible number of families for so many rows of data."""
    return -(-rows // per)


def hidden_sets(counts: Counts) -> Sets:
    """Return the groups (or columns) that were hidden, as one set: only their sum is known, so they were merged. () if
    none."""
    hidden = tuple(np.flatnonzero(counts == HIDDEN).tolist())
    return (hidden,) if len(hidden) > 1 else ()


def set_growth(now: Counts, then: Counts, then_total: int, sets: Sets) -> Counts:
    """Return the growth of each set. `sets` must keep merged what was merged earlier. Raises IncomparableTables if a
    set has become smaller."""
    growth = np.array([now[list(each)].sum() for each in sets], dtype=np.int64) - _set_sums(then, then_total, sets)
    if (growth < 0).any():
        raise IncomparableTables("there were more answers earlier")
    return growth


def table_change(now: Counts, table: EarlierTable, dimension: str, rows: Sets, sets: Sets) -> TableChange:
    """Return the difference of one dimension. `now` is folded over `rows` and `sets`. Raises IncomparableTables."""
    bases = _set_sums(table.bases[dimension], table.total, rows)
    totals = _set_sums(table.overall, table.total, sets)
    then = _derive_cells(_fold_with_hidden(table.by[dimension], rows, sets), bases, totals)
    hidden = then == HIDDEN
    cells = np.where(hidden, 0, now - then)
    spare = (now.sum(axis=1) - bases - cells.sum(axis=1), now.sum(axis=0) - totals - cells.sum(axis=0))
    if (cells < 0).any() or any((each < 0).any() for each in spare):
        raise IncomparableTables("there were more answers earlier")
    return TableChange(cells + _fill_support(hidden, *spare), hidden, table.per)


def _set_sums(counts: Counts, total: int, sets: Sets) -> Counts:
    """Return sums over sets. That of the set with hidden numbers follows from the total."""
    sums = np.array([HIDDEN if (counts[list(each)] == HIDDEN).any() else counts[list(each)].sum() for each in sets])
    hidden = sums == HIDDEN
    if hidden.sum() > 1:
        raise IncomparableTables("groups that were joined are not")
    sums[hidden] = total - sums[~hidden].sum()
    return sums.astype(np.int64)


def _fold_with_hidden(cells: Counts, rows: Sets, sets: Sets) -> Counts:
    folded = np.zeros((len(rows), len(sets)), dtype=np.int64)
    for row, column in np.ndindex(*folded.shape):
        some = cells[np.ix_(rows[row], sets[column])]
        folded[row, column] = HIDDEN if (some == HIDDEN).any() else some.sum()
    return folded


def _derive_cells(cells: Counts, bases: Counts, totals: Counts) -> Counts:
    """Fill in every cell that is the only hidden one of its row or column."""
    cells = cells.copy()
    while True:
        hidden = cells == HIDDEN
        visible = np.where(hidden, 0, cells)
        by_row = hidden & (hidden.sum(axis=1) == 1)[:, None]
        by_column = hidden & (hidden.sum(axis=0) == 1)[None, :]
        if not (by_row | by_column).any():
            return cells
        row, column = np.argwhere(by_row | by_column)[0]
        left = bases[row] - visible[row].sum() if by_row[row, column] else totals[column] - visible[:, column].sum()
        if left < 0:
            raise IncomparableTables("what was shown does not add up")
        cells[row, column] = left


def _fill_support(support: Mask, rows: Counts, columns: Counts) -> Counts:
    """Return counts with these sums that are nonzero on `support` only (a maximum flow along shortest paths). Raises
    IncomparableTables if there are none."""
    flow = np.zeros(support.shape, dtype=np.int64)
    rows, columns = rows.copy(), columns.copy()
    while rows.any():
        way = _find_path(support, flow, rows, columns)
        if not way:
            raise IncomparableTables("what was shown does not add up")
        taken = [flow[row, column] for number, (row, column) in enumerate(way) if number % 2]
        amount = min(rows[way[0][0]], columns[way[-1][1]], *taken)
        for number, (row, column) in enumerate(way):
            flow[row, column] += -amount if number % 2 else amount
        rows[way[0][0]] -= amount
        columns[way[-1][1]] -= amount
    if columns.any():
        raise IncomparableTables("what was shown does not add up")
    return flow


def _find_path(support: Mask, flow: Counts, rows: Counts, columns: Counts) -> Sequence[tuple[int, int]]:
    """Return the cells of a path from a row with a remainder to a column with a deficit, to be raised and lowered in
    turn."""
    start = int(np.flatnonzero(rows)[0])
    before: dict[int, int] = {}  # column: the row from which it was reached
    reached: dict[int, int] = {start: -1}  # row: the column from which it was reached
    waiting = deque([start])
    while waiting:
        row = waiting.popleft()
        for column in np.flatnonzero(support[row]).tolist():
            if column in before:
                continue
            before[column] = row
            if columns[column]:
                return _trace_path(before, reached, column)
            for other in np.flatnonzero(flow[:, column]).tolist():
                if other not in reached:
                    reached[other] = column
                    waiting.append(other)
    return []


def _trace_path(before: Mapping[int, int], reached: Mapping[int, int], column: int) -> Sequence[tuple[int, int]]:
    way = []
    while column != -1:
        row = before[column]
        way.append((row, column))
        column = reached[row]
        if column != -1:
            way.append((row, column))
    return way[::-1]
