"""The rows of a CSV file one by one, whatever order, case or number of columns it has. A row that cannot be read is
told and passed over; a quotation mark that never closes costs its own row and not the rest of the file."""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from engage.roster.reasons import RosterRefused
from engage.roster.source import LONGEST_LINE, Source

TALLEST = 40  # physical lines of one row: an address has few
_ESCAPED = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Row = dict[str, str | None]
Tell = Callable[[int, str, str], None]
"""Called with a line, a reason's code and a value."""


class _Endless(Exception):
    """A row that goes on and on."""


class _Feed(Iterator[str]):
    """Physical lines, counted; those of a row that turned out to be none can be given back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._back = lines, deque[str]()
        self.number = 0
        self.row: list[str] = []
        self.length = 0

    def __next__(self) -> str:
        if len(self.row) >= TALLEST or self.length >= LONGEST_LINE:
            raise _Endless
        line = self._back.popleft() if self._back else next(self._lines)
        self.number += 1
        self.length += len(line)
        self.row.append(line)
        return line

    def begin(self) -> int:
        """The next row begins; returns its line."""
        self.row, self.length = [], 0
        return self.number + 1

    def give_back(self) -> None:
        """All but the first line of this row are read again."""
        self._back.extendleft(reversed(self.row[1:]))
        self.number -= len(self.row[1:])

    def pass_over(self) -> None:
        """Leave the rest of a line that is too long."""
        while self.row and not self.row[-1].endswith(("\n", "\r")) and len(self.row[-1]) >= LONGEST_LINE:
            self.row[-1] = next(self._lines, "")


def records(lines: Iterator[str], tell: Tell) -> Iterator[tuple[int, list[str]]]:
    """The line on which each record begins, and its cells; blank lines are left out."""
    feed = _Feed(lines)
    reader = csv.reader(feed, strict=True)
    while True:
        line = feed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _Endless):
            long = len(feed.row) == 1 and feed.length >= LONGEST_LINE
            feed.pass_over() if long else feed.give_back()
            tell(line, "long_row" if long else "quote", "")
            continue
        if feed.length >= LONGEST_LINE:
            feed.pass_over()
            tell(line, "long_row", "")
        elif code := _unfit(feed.row):
            tell(line, code, "")
        elif cells:
            yield line, cells


def _unfit(lines: Sequence[str]) -> str:
    for line in lines:
        if not line.isascii() and _ESCAPED.search(line):
            return "not_utf8"
        if _CONTROL.search(line):
            return "control"
    return ""


def rows(source: Source, name: str, needed: Sequence[str], tell: Tell) -> Iterator[tuple[int, Row]]:
    """The rows of a file as dicts by column name in small letters without "_". Raises RosterRefused where it lacks a
    needed column; a row with too many or too few cells is told."""
    found = records(source.lines(name), tell)
    header = [_column(cell) for cell in next(found, (0, []))[1]]
    _check(name, header, needed)
    wide = len(header)
    for line, cells in found:
        if len(cells) == wide:
            yield line, dict(zip(header, map(str.strip, cells), strict=True))
        elif any(cell.strip() for cell in cells):
            tell(line, "cells", f"{len(cells)} ≠ {len(header)}")


def _column(cell: str) -> str:
    return cell.strip().lower().replace("_", "").replace(" ", "")


def _check(name: str, header: Sequence[str], needed: Sequence[str]) -> None:
    if not header:
        raise RosterRefused("empty_file", name)
    for column in needed:
        if column not in header:
            raise RosterRefused("no_column", f"{name}: {column}")
    twice = [column for column in header if column and header.count(column) > 1]
    if twice:
        raise RosterRefused("column_twice", f"{name}: {twice[0]}")


def first(row: Mapping[str, str | None], columns: Sequence[str]) -> str | None:
    """The first of some columns that is not empty; "" where all are, None where none of them is in the file."""
    found = [row[column] for column in columns if column in row]
    return next((cell for cell in found if cell), "" if found else None)
