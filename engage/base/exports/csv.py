"""CSV files (RFC 4180) as a stream of bytes, in UTF-8 with a byte order mark, so that Excel reads every script.

Every cell is quoted. Otherwise, a program that separates cells at semicolons could take part of a cell for a new cell,
and run it as a formula.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from engage.base.exports.safe import safe_csv_cell

Cell = str | int | float | None
BATCH = 500  # rows per chunk
BOM = b"\xef\xbb\xbf"


def csv_bytes(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """Yield a CSV file in chunks, headings first. Memory does not grow with the number of rows. None is an empty
    cell."""
    page = io.StringIO(newline="")
    writer = csv.writer(page, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow([safe_csv_cell(each) for each in headings])
    yield BOM + _drain_buffer(page)
    for number, row in enumerate(rows, 1):
        writer.writerow([safe_csv_cell(each) for each in row])
        if number % BATCH == 0:
            yield _drain_buffer(page)
    rest = _drain_buffer(page)
    if rest:
        yield rest


def _drain_buffer(page: io.StringIO) -> bytes:
    text = page.getvalue()
    page.seek(0)
    page.truncate()
    return text.encode()
