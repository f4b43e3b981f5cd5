"""Which further cells must be hidden so that no hidden cell can be worked out from the rest of its table."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engage.summaries.flow import Counts, Mask, derivable


class Cell(NamedTuple):
    """A place in a table."""

    row: int
    column: int


def complement(cells: Counts, primary: Mask, width: int) -> Mask:
    """Return the cells to hide: `primary` and the cheapest others found, smallest values first.

    Afterwards whoever knows all row and column sums and the shown cells can put no hidden cell into a range narrower
    than `width`. That can always be had when every row and column sum is 0 or at least `width` and two rows and two
    columns are not empty: then the whole table is hidden at worst. Where it cannot be had (everything stands in one
    column or one row, so every cell equals a published sum) nothing is gained by hiding and nothing is hidden.
    """
    if (cells.sum(axis=1) > 0).sum() < 2 or (cells.sum(axis=0) > 0).sum() < 2:
        return np.zeros_like(primary)
    hidden = primary.copy()
    waiting = list(_cells(primary, cells))
    while waiting:
        cell = waiting.pop(0)
        while not is_safe(cells, hidden, cell, width):
            found = _cheapest(cells, hidden, cell, width)
            if found is None:
                return _everything(cells)
            waiting += [each for each in _corners(cell, found) if not hidden[each] and each not in waiting]
            for corner in _corners(cell, found):
                hidden[corner] = True
    return hidden


def is_safe(cells: Counts, hidden: Mask, cell: Cell, width: int) -> bool:
    """Whether the range derivable for a hidden cell is at least `width` wide."""
    if _star(cells, hidden, cell) >= width:
        return True
    low, high = derivable(cells, hidden, cell.row, cell.column, width)
    return high - low >= width


def _cells(mask: Mask, cells: Counts) -> Iterator[Cell]:
    """Marked places, largest values first: what is hardest to cover covers the others on the way."""
    places = [Cell(int(row), int(column)) for row, column in np.argwhere(mask)]
    yield from sorted(places, key=lambda place: (-int(cells[place]), place))


def _everything(cells: Counts) -> Mask:
    return np.outer(cells.sum(axis=1) > 0, cells.sum(axis=0) > 0)


def _corners(cell: Cell, other: Cell) -> tuple[Cell, Cell, Cell]:
    return Cell(cell.row, other.column), Cell(other.row, cell.column), other


def _star(cells: Counts, hidden: Mask, cell: Cell) -> int:
    """A width that is surely there: rectangles of hidden cells sharing one side. Quick, never too large."""
    row, column = cell
    both = hidden & hidden[row][None, :] & hidden[:, column][:, None]
    both[row, :] = False
    both[:, column] = False
    beside, below, value = cells[row], cells[:, column], int(cells[row, column])
    far = np.where(both, cells, 0)
    by_column = np.minimum(beside, (both * below[:, None]).sum(axis=0)) + np.minimum(value, far.sum(axis=0))
    by_row = np.minimum(below, (both * beside[None, :]).sum(axis=1)) + np.minimum(value, far.sum(axis=1))
    return int(max(by_column.max(), by_row.max()))


def _cheapest(cells: Counts, hidden: Mask, cell: Cell, width: int) -> Cell | None:
    """The far corner of the rectangle that widens the cell's range at least cost per step; None if none does."""
    row, column = cell
    price: NDArray[np.float64] = np.where(hidden, 0, cells + 1).astype(float)
    cost = price[row][None, :] + price[:, column][:, None] + price
    up = np.minimum(cells[row][None, :], cells[:, column][:, None])
    down = np.minimum(int(cells[row, column]), cells)
    gain = np.minimum(up + down, width)
    open_to = (gain > 0) & (cost > 0)
    open_to[row, :] = False
    open_to[:, column] = False
    if not open_to.any():
        return None
    score = np.where(open_to, cost / np.maximum(gain, 1), np.inf)
    found = np.unravel_index(int(score.argmin()), score.shape)
    return Cell(int(found[0]), int(found[1]))
