"""Excel workbooks in which text stays text: never a formula, a link, or a number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

import xlsxwriter

from engage.base.exports.safe import safe_cell, safe_text

Cell = str | int | float | None
INERT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
MADE = datetime(2000, 1, 1)  # a fixed creation date, so that the same figures give the same bytes
_TITLE_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_TITLE_LONGEST = 31  # characters, Excel's own limit
_WIDEST = 60  # characters of column width


@dataclass(frozen=True, slots=True)
class Worksheet:
    """One worksheet: title of its tab, headings, rows, and the columns that hold shares (shown as percentages)."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    shares: frozenset[int] = frozenset()  # column numbers from 0


def write_xlsx(to: IO[bytes], sheets: Sequence[Worksheet], manifest: Mapping[str, str], rtl: bool, about: str) -> None:
    """Write a workbook. The last sheet, titled `about`, holds the manifest (as of, digest, rules) in two columns.

    `rtl` lays the sheets out from right to left. Rows are streamed to a temporary file, so memory does not grow with
    them.
    """
    with xlsxwriter.Workbook(to, {**INERT, "constant_memory": True}) as book:
        book.set_properties({"created": MADE})
        taken: set[str] = set()
        for sheet in (*sheets, Worksheet(about, (), manifest.items())):
            _write_sheet(book, sheet, _unique_tab_title(sheet.title, taken), rtl)


def _write_sheet(book: Any, sheet: Worksheet, title: str, rtl: bool) -> None:
    page = book.add_worksheet(title)
    if rtl:
        page.right_to_left()
    percent = book.add_format({"num_format": "0.0%"})
    first = [sheet.headings] if sheet.headings else []
    for column, heading in enumerate(sheet.headings):
        page.set_column(column, column, min(_WIDEST, max(10, len(heading) + 2)))
    if sheet.headings:
        page.freeze_panes(1, 0)
    for number, row in enumerate(_chain_rows(first, sheet.rows)):
        for column, value in enumerate(row):
            _write_cell(page, number, column, value, percent if column in sheet.shares else None)


def _chain_rows(first: Iterable[Sequence[Cell]], rows: Iterable[Sequence[Cell]]) -> Iterable[Sequence[Cell]]:
    yield from first
    yield from rows


def _write_cell(page: Any, row: int, column: int, value: Cell, style: Any) -> None:
    value = safe_cell(value)
    if isinstance(value, str):
        page.write_string(row, column, value)
    elif value is not None:
        page.write_number(row, column, value, style)


def _unique_tab_title(text: str, taken: set[str]) -> str:
    """Return a title that Excel accepts: without []:*?/\\, at most 31 characters, no apostrophe at either end, and
    unique."""
    clean = safe_text(text).translate(_TITLE_FORBIDDEN).strip("' \n\t")[:_TITLE_LONGEST].strip("' ") or "1"
    title, number = clean, 2
    while title.casefold() in taken or title.casefold() == "history":
        title = f"{clean[: _TITLE_LONGEST - 4]} {number}"
        number += 1
    taken.add(title.casefold())
    return title
