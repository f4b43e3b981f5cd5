"""The rows of a CSV file one by one, whatever order, case or number of columns it has. A row that cannot be read is
reported and skipped; a quotation mark that never closes costs its own row and not the rest of the file."""

import csv
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from types import MappingProxyType

from engage.domain.roster.files import LONGEST_LINE, WINDOWS_1252, RosterSource
from engage.domain.roster.remarks import RosterRefused

TALLEST = 40  # physical lines of one row: an address has few
DELIMITERS = ",;\t"  # Excel writes semicolons where the decimal sign is a comma
SAMPLE = 200  # rows by which the usual number of cells is found
LEAST_SWALLOWED = 4  # commas of a cell with several lines that may be rows; an address has three at most
_ESCAPED = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Row = dict[str, str | None]
Tell = Callable[[int, str, str], None]
"""Called with a line, a reason's code and a value."""


class _EndlessRow(Exception):
    """A row that goes on and on."""


class _CountedLines(Iterator[str]):
    """Physical lines, counted; those of a row that turned out to be none can be given back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._back = lines, deque[str]()
        self.number = 0
        self.row: list[str] = []
        self.length = 0

    def __next__(self) -> str:
        if len(self.row) >= TALLEST or self.length >= LONGEST_LINE:
            raise _EndlessRow
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


def read_records(lines: Iterator[str], tell: Tell, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """The line on which each record begins, and its cells; blank lines are left out."""
    feed = _CountedLines(lines)
    reader = csv.reader(feed, strict=True, delimiter=delimiter)
    while True:
        line = feed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _EndlessRow):
            long = len(feed.row) == 1 and feed.length >= LONGEST_LINE
            feed.pass_over() if long else feed.give_back()
            tell(line, "long_row" if long else "quote", "")
            continue
        if feed.length >= LONGEST_LINE:
            feed.pass_over()
            tell(line, "long_row", "")
        elif len(feed.row) > 1 and _has_swallowed_row(cells, delimiter):
            feed.give_back()
            tell(line, "quote", "")
        elif code := _line_problem(feed.row):
            tell(line, code, "")
        elif cells:
            yield line, cells


def _has_swallowed_row(cells: Sequence[str], delimiter: str) -> bool:
    """Whether a cell holds the rest of its own row and the beginning of another: a quotation mark that opens in one row
    and closes in the next takes away whoever stands between."""
    least = max(LEAST_SWALLOWED, len(cells) // 2)
    return any(cell.count(delimiter) >= least and ("\n" in cell or "\r" in cell) for cell in cells)


def _line_problem(lines: Sequence[str]) -> str:
    for line in lines:
        if not line.isascii() and _ESCAPED.search(line):
            return "not_utf8"
        if _CONTROL.search(line):
            return "control"
    return ""


def read_rows(
    source: RosterSource,
    name: str,
    needed: Sequence[str],
    tell: Tell,
    aliases: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[tuple[int, Row]]:
    """The rows of a file as dicts by column name in small letters without "_". Cells that are missing at the end of a
    row are empty where they are `needed`, else None, as if the file had no such column: what was known stays. A row
    with text beyond the last column is told, and so is one that is longer than the others: a comma without quotation
    marks has moved its cells. `aliases`: other names of columns. Raises RosterRefused where a needed column is
    missing."""
    encoding = source.encoding(name)
    lines = source.lines(name, encoding)
    top = next(lines, "")
    records = read_records(chain([top], lines), tell, _detect_delimiter(top))
    head = [_column_name(cell) for cell in next(records, (0, []))[1]]
    header = _column_names(head, aliases)
    _check_columns(name, header, needed)
    if encoding == WINDOWS_1252:
        tell(1, "windows_1252", "")
    begin = list(islice(records, SAMPLE))
    widths = len(header), len(head), _usual_width(begin)
    for line, row_cells in chain(begin, records):
        cells = [cell.strip() for cell in row_cells]
        if not any(cells):
            continue
        if _is_shifted(cells, *widths):
            text = next((cell for cell in cells[len(header) :] if cell), "")
            tell(line, *(("cells", text) if text else ("more_cells", str(len(cells)))))
        elif len(cells) >= len(header):
            yield line, dict(zip(header, cells, strict=False))
        else:
            yield line, {**dict.fromkeys(header), **dict.fromkeys(needed, ""), **dict(zip(header, cells, strict=False))}


def _usual_width(begin: Sequence[tuple[int, Sequence[str]]]) -> int:
    """How many cells most rows have: some programs end every row with a comma too many. 0 where one row alone says."""
    counted = Counter(len(cells) for _, cells in begin).most_common(1)
    return counted[0][0] if counted and counted[0][1] > 1 else 0


def _is_shifted(cells: Sequence[str], wide: int, head: int, usual: int) -> bool:
    """Whether a row has text beyond the last of `wide` columns, or more cells than the `head` line and `usual`."""
    return len(cells) > wide and (any(cells[wide:]) or len(cells) not in (head, usual))


def _detect_delimiter(top: str) -> str:
    """What separates the columns of a file, by its first line."""
    return next((each for each in DELIMITERS if each in top), ",")


def _column_names(head: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    """The names of the columns; spreadsheets leave headings without a name at the end."""
    names = list(head)
    while names and not names[-1]:
        names.pop()
    return [name if (name := aliases.get(each, each)) not in names else each for each in names]


def _column_name(cell: str) -> str:
    return cell.strip().lower().replace("_", "").replace(" ", "")


def _check_columns(name: str, header: Sequence[str], needed: Sequence[str]) -> None:
    if not header:
        raise RosterRefused("empty_file", name)
    for column in needed:
        if column not in header:
            raise RosterRefused("no_column", f"{name}: {column}")
    twice = [column for column in header if column and header.count(column) > 1]
    if twice:
        raise RosterRefused("column_twice", f"{name}: {twice[0]}")


def first_value(row: Mapping[str, str | None], columns: Sequence[str]) -> str | None:
    """The first of some columns that is not empty; "" where all are, None where the row has none of them."""
    cells = [cell for column in columns if (cell := row.get(column)) is not None]
    return next((cell for cell in cells if cell), "" if cells else None)
