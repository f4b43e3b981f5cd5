"""Complementary suppression: which further cells must be hidden so that no hidden cell can be derived from the
others."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engage.domain.summaries.max_flow import Counts, Mask, Network, column_bits, derivable_range


class Cell(NamedTuple):
    """A cell of a table."""

    row: int
    column: int


class _Rectangle(NamedTuple):
    """Two opposite corners, and the cost of hiding the rectangle per unit by which it widens the range."""

    score: float
    near: Cell
    far: Cell


def add_complementary(cells: Counts, primary: Mask, width: int, links: Sequence[Mask] = ()) -> Mask:
    """Return the cells to hide: `primary` and the cheapest additional ones, smallest values first.

    Afterwards someone who knows all row and column sums and all shown cells cannot derive a range narrower than `width`
    for any hidden cell. A link marks columns whose sum in each row is itself a number (who is asked a further
    question): it is either known exactly or has a range of at least `width` too.

    This is possible if every row and column sum is 0 or at least `width`, and at least two rows and two columns are not
    empty; in the worst case the whole table is hidden. If it is not possible (all counts in one column or one row, so
    that every cell equals a published sum), hiding has no effect, and nothing is hidden.
    """
    if (cells.sum(axis=1) > 0).sum() < 2 or (cells.sum(axis=0) > 0).sum() < 2:
        return np.zeros_like(primary)
    work = _HiddenCells(cells, np.zeros_like(primary), width)
    work.hide(primary)
    while (weak_sum := _find_weak_sum(work, links)) is not None:
        work.hide(_widening_cells(cells, work.hidden, width, *weak_sum))
    return work.hidden


def sum_width(cells: Counts, hidden: Mask, row: int, link: Mask, enough: int) -> int:
    """Return the width of the derivable range of a row's sum over the columns of a link (0: known exactly)."""
    return sum(Network(cells, hidden).slack(row, column_bits(link), enough))


class _HiddenCells:
    """A table with its hidden cells, and a flow network of them that is updated incrementally."""

    def __init__(self, cells: Counts, hidden: Mask, width: int) -> None:
        self.cells, self.hidden, self.width = cells, hidden.copy(), width
        self.network = Network(cells, hidden)

    def hide(self, more: Mask) -> None:
        """Hide more cells, and all others that this requires."""
        waiting = deque(_marked_cells(more & ~self.hidden, self.cells))
        for cell in waiting:
            self._hide(cell)
        while waiting:
            cell = waiting.popleft()
            while not self._safe(cell):
                cells = _cheapest_rectangle(
                    self.cells, self.hidden, cell, self.width, np.ones(self.cells.shape[1], np.bool_)
                )
                if cells is None:
                    self._hide_everything()
                    return
                for corner in _corners(cell, cells.far):
                    if not self.hidden[corner]:
                        self._hide(corner)
                        waiting.append(corner)

    def _safe(self, cell: Cell) -> bool:
        return sum(self.network.slack(cell.row, 1 << cell.column, self.width)) >= self.width

    def _hide(self, cell: Cell) -> None:
        self.hidden[cell] = True
        self.network.hide(*cell)

    def _hide_everything(self) -> None:
        self.hidden = _nonempty_cells(self.cells)
        self.network = Network(self.cells, self.hidden)


def _find_weak_sum(work: _HiddenCells, links: Sequence[Mask]) -> tuple[int, Mask] | None:
    """Return a row and a link whose sum is neither known exactly nor sufficiently hidden; None if there is none."""
    for link in links:
        inside, mixed = column_bits(link), (work.hidden & link).any(axis=1) & (work.hidden & ~link).any(axis=1)
        for row in map(int, np.flatnonzero(mixed)):
            if 0 < sum(work.network.slack(row, inside, work.width)) < work.width:
                return row, link
    return None


def _widening_cells(cells: Counts, hidden: Mask, width: int, row: int, link: Mask) -> Mask:
    """Return the cells of the cheapest rectangle that widens the derivable range of a link's sum; all cells if there is
    none."""
    widening = [
        each
        for column in np.flatnonzero(link)
        if (each := _cheapest_rectangle(cells, hidden, Cell(row, int(column)), width, ~link)) is not None
    ]
    if not widening:
        return _nonempty_cells(cells)
    best = min(widening, key=lambda each: (each.score, each.near))
    more = np.zeros_like(hidden)
    for corner in (best.near, *_corners(best.near, best.far)):
        more[corner] = True
    return more


def is_safe(cells: Counts, hidden: Mask, cell: Cell, width: int) -> bool:
    """Whether the derivable range of a hidden cell is at least `width`."""
    low, high = derivable_range(cells, hidden, cell.row, cell.column, width)
    return high - low >= width


def _marked_cells(mask: Mask, cells: Counts) -> Iterator[Cell]:
    """Yield marked cells, largest values first: covering the most difficult ones often covers others too."""
    places = [Cell(int(row), int(column)) for row, column in np.argwhere(mask)]
    yield from sorted(places, key=lambda place: (-int(cells[place]), place))


def _nonempty_cells(cells: Counts) -> Mask:
    return np.outer(cells.sum(axis=1) > 0, cells.sum(axis=0) > 0)


def _corners(cell: Cell, other: Cell) -> tuple[Cell, Cell, Cell]:
    return Cell(cell.row, other.column), Cell(other.row, cell.column), other


def _cheapest_rectangle(cells: Counts, hidden: Mask, cell: Cell, width: int, allowed: Mask) -> _Rectangle | None:
    """Return the rectangle that widens the cell's range at the lowest cost per unit, with its opposite corner in an
    allowed column."""
    row, column = cell
    price: NDArray[np.float64] = np.where(hidden, 0, cells + 1).astype(float)
    cost = price[row][None, :] + price[:, column][:, None] + price + price[cell]
    up = np.minimum(cells[row][None, :], cells[:, column][:, None])
    down = np.minimum(int(cells[cell]), cells)
    gain = np.minimum(up + down, width)
    open_to = (gain > 0) & (cost > 0) & allowed[None, :]
    open_to[row, :] = False
    open_to[:, column] = False
    if not open_to.any():
        return None
    score = np.where(open_to, cost / np.maximum(gain, 1), np.inf)
    position = np.unravel_index(int(score.argmin()), score.shape)
    return _Rectangle(float(score[position]), cell, Cell(int(position[0]), int(position[1])))
