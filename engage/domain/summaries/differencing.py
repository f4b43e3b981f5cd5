"""What was shown of a table earlier, and what the difference between then and now gives away.

Whoever sees a table twice knows, besides both, the table of those who answered in between. It is guarded like any
other: `suppression` keeps hidden now what was hidden then, keeps together what was joined then, and joins and hides
further until the difference is safe too. Then the table of then and the difference have no unknown cell in common,
and each can be judged alone.

The difference of a cell that was hidden then is not known here either. That does not matter: what can be worked out
of it hangs on the sums only, so any counts with the right sums stand in for it.
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
    """The two tables cannot be compared: answers were changed or taken back, or other columns were shown then."""


@dataclass(frozen=True, slots=True, eq=False)
class EarlierTable:
    """A table as it was shown earlier, with the groups and columns of now; HIDDEN where a number was not shown.

    A dimension that was left out then is in neither `bases` nor `by`. `per` is how many rows of data one family can
    stand behind (1, or the most children of a family).
    """

    total: int
    overall: Counts
    bases: Mapping[str, Counts]
    by: Mapping[str, Counts]
    per: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class TableChange:
    """The difference of a joined table (rows x sets): `cells` has the right sums, and is right where not `hidden`."""

    cells: Counts
    hidden: Mask
    per: int

    def live(self) -> Mask:
        """The cells that may have changed at all: where row and column did."""
        return np.outer(self.cells.sum(axis=1) > 0, self.cells.sum(axis=0) > 0)

    def small(self, minimum: int, unanimous_below: int) -> Mask:
        """Cells that too few families stand behind, or the whole of a small group."""
        bases, totals = self.cells.sum(axis=1), self.cells.sum(axis=0)
        few = (self.cells > 0) & (least_families(self.cells, self.per) < minimum)
        same = (self.cells == bases[:, None]) & (self.cells > 0)
        agreed = same & (least_families(bases, self.per) < unanimous_below)[:, None]
        mask: Mask = few | (agreed & (totals < totals.sum()))
        return mask & ~self.hidden


def least_families(rows: Counts, per: int) -> Counts:
    """The least number of families that can stand behind so many rows of data."""
    return -(-rows // per)


def hidden_sets(counts: Counts) -> Sets:
    """The groups (or columns) whose numbers were hidden: together they are known, so they were joined. () if none."""
    hidden = tuple(np.flatnonzero(counts == HIDDEN).tolist())
    return (hidden,) if len(hidden) > 1 else ()


def set_growth(now: Counts, then: Counts, then_total: int, sets: Sets) -> Counts:
    """How much each set has grown; `sets` must keep together what was joined then. Raises IncomparableTables if one
    has shrunk."""
    growth = np.array([now[list(each)].sum() for each in sets], dtype=np.int64) - _set_sums(then, then_total, sets)
    if (growth < 0).any():
        raise IncomparableTables("there were more answers earlier")
    return growth


def table_change(now: Counts, table: EarlierTable, dimension: str, rows: Sets, sets: Sets) -> TableChange:
    """The difference of one dimension. `now` is folded over `rows` and `sets`. Raises IncomparableTables."""
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
    """Sums over sets; the one that holds hidden numbers follows from the total."""
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
    """Counts with these sums that stand on `support` only (a flow, along shortest ways). Raises IncomparableTables if
    none do."""
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
    """Cells from a row that has something left to a column that lacks something: raised and lowered in turn."""
    start = int(np.flatnonzero(rows)[0])
    before: dict[int, int] = {}  # column: the row it was reached from
    reached: dict[int, int] = {start: -1}  # row: the column it was reached from
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
