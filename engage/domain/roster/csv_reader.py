"""Reader for CSV files with columns in any order, case, and number. A row that cannot be read is reported and skipped.
An unclosed quotation mark loses its own row only, not the rest of the file."""

import csv
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from types import MappingProxyType

from engage.domain.roster.files import LONGEST_LINE, WINDOWS_1252, RosterSource
from engage.domain.roster.remarks import RosterRefused

TALLEST = 40  # physical lines of one row; an address has only a few
DELIMITERS = ",;\t"  # Excel writes semicolons if the decimal separator is a comma
SAMPLE = 200  # rows read to determine the usual number of cells
LEAST_SWALLOWED = 4  # delimiters in a multi-line cell that may contain rows; an address has three at most
_ESCAPED = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Row = dict[str, str | None]
Tell = Callable[[int, str, str], None]
"""Called with a line number, the code of a reason, and a value."""


class _EndlessRow(Exception):
    """A row that exceeds TALLEST or LONGEST_LINE."""


class _CountedLines(Iterator[str]):
    """Iterator over physical lines that counts them. The lines of an invalid row can be read again."""

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
        """Begin a row and return its line number."""
        self.row, self.length = [], 0
        return self.number + 1

    def give_back(self) -> None:
        """Have all but the first line of this row read again."""
        self._back.extendleft(reversed(self.row[1:]))
        self.number -= len(self.row[1:])

    def pass_over(self) -> None:
        """Skip the rest of a line that is too long."""
        while self.row and not self.row[-1].endswith(("\n", "\r")) and len(self.row[-1]) >= LONGEST_LINE:
            self.row[-1] = next(self._lines, "")


def read_records(lines: Iterator[str], tell: Tell, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the cells of each record, without blank lines. Problems are reported to `tell`."""
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
    """Whether a cell contains the rest of its own row and the beginning of another one.

    An unclosed quotation mark that pairs with one in a later row would otherwise remove the rows between them.
    """
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
    """Yield line number and row of a file. A row is a dict by column name, in lowercase without "_".

    Cells missing at the end of a row are empty for `needed` columns and otherwise None, as if the file had no such
    column, so that stored values are not changed. A row with text beyond the last column, or longer than other rows, is
    reported and skipped: a comma without quotation marks has shifted its cells. `aliases` has other names of columns.
    Raises RosterRefused if a needed column is missing.
    """
    encoding = source.encoding(name)
    lines = source.lines(name, encoding)
    top = next(lines, "")
    records = read_records(chain([top], lines), tell, _detect_delimiter(top))
    head = [plain_column_name(cell) for cell in next(records, (0, []))[1]]
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
    """Return the most frequent number of cells, since some programs end every row with an extra comma; 0 if no number
    occurs twice."""
    counted = Counter(len(cells) for _, cells in begin).most_common(1)
    return counted[0][0] if counted and counted[0][1] > 1 else 0


def _is_shifted(cells: Sequence[str], wide: int, head: int, usual: int) -> bool:
    """Whether a row has text beyond the last of `wide` columns, or more cells than that and a number other than `head`
    (cells of the first line) and `usual`."""
    return len(cells) > wide and (any(cells[wide:]) or len(cells) not in (head, usual))


def _detect_delimiter(top: str) -> str:
    """Return the delimiter of a file, from its first line."""
    return next((each for each in DELIMITERS if each in top), ",")


def _column_names(head: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    """Return the names of the columns, without the empty headings that spreadsheets leave at the end."""
    names = list(head)
    while names and not names[-1]:
        names.pop()
    return [name if (name := aliases.get(each, each)) not in names else each for each in names]


def plain_column_name(cell: str) -> str:
    """Return the name of a column as `read_rows` has it."""
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
    """Return the first non-empty value of some columns; "" if all are empty, None if the row has none of them."""
    cells = [cell for column in columns if (cell := row.get(column)) is not None]
    return next((cell for cell in cells if cell), "" if cells else None)
