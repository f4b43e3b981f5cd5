"""What an outsider can work out about a hidden cell from the published cells and margins of a table: exactly.

With whole counts of at least 0 and known row and column sums, the least and the most a hidden cell can be are maximum
flows (L. R. Ford and D. R. Fulkerson, 1956; for cell suppression L. H. Cox, JASA 90, 1995). The nodes are rows and
columns; going from a row to a column lowers the hidden cell between them (by no more than its value), going back
raises it (without limit). Shown cells carry nothing.
"""

from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]
_NO_LIMIT = 1 << 40


def derivable(cells: Counts, hidden: Mask, row: int, column: int, enough: int = _NO_LIMIT) -> tuple[int, int]:
    """Return (low, high) of the hidden cell; stops looking once high - low has reached `enough`.

    `cells` are the true counts, `hidden` marks the cells that are not published.
    """
    value = int(cells[row, column])
    up = _flow(cells, hidden, row, column, True, enough)
    down = _flow(cells, hidden, row, column, False, min(value, enough - up)) if value and up < enough else 0
    return value - down, value + up


def _flow(cells: Counts, hidden: Mask, row: int, column: int, raising: bool, most: int) -> int:
    """The most the cell can rise (fall), at most `most`, by other hidden cells moving along."""
    height = cells.shape[0]
    now = _Network(cells, hidden, row, column)
    source, sink = (row, height + column) if raising else (height + column, row)
    total = 0
    while total < most:
        path = now.path(source, sink)
        if not path:
            break
        total += now.push(path, most - total)
    return total


class _Network:
    """Hidden cells as they stand after the flow so far; nodes are rows, then columns."""

    def __init__(self, cells: Counts, hidden: Mask, row: int, column: int) -> None:
        height = self.height = cells.shape[0]
        rows, columns = np.nonzero(hidden)
        self.cells: dict[tuple[int, int], int] = {}
        self.neighbours: dict[int, list[int]] = {}
        for r, c in zip(rows.tolist(), columns.tolist(), strict=True):
            if (r, c) != (row, column):
                self.cells[r, height + c] = int(cells[r, c])
                self.neighbours.setdefault(r, []).append(height + c)
                self.neighbours.setdefault(height + c, []).append(r)

    def path(self, source: int, sink: int) -> list[int]:
        """The shortest way along which something can still be moved, as nodes; empty when there is none."""
        came = {source: source}
        waiting = deque([source])
        while waiting:
            node = waiting.popleft()
            for there in self.neighbours.get(node, ()):
                if there in came or (node < self.height and not self.cells[node, there]):
                    continue
                came[there] = node
                if there == sink:
                    return _back(came, source, sink)
                waiting.append(there)
        return []

    def push(self, path: list[int], most: int) -> int:
        """Move as much as fits along the way, and return how much."""
        steps = list(pairwise(path))
        falling = [step for step in steps if step[0] < self.height]
        amount = min(most, *(self.cells[step] for step in falling))
        for here, there in steps:
            if here < self.height:
                self.cells[here, there] -= amount
            else:
                self.cells[there, here] += amount
        return amount


def _back(came: dict[int, int], source: int, sink: int) -> list[int]:
    path = [sink]
    while path[-1] != source:
        path.append(came[path[-1]])
    return path[::-1]
