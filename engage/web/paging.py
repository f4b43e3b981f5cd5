"""Pages of long lists: the rows of the current page, and links to the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

PER_PAGE = 50  # rows: a page of these is below 300 kB in every list
PAGES_MOST = 100_000  # a larger number in an address is read as this

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Row]):
    """One page of a list. `number` counts from 1 and is at most `count`, the number of pages, at least 1; `total` is
    the number of rows on all pages."""

    rows: Sequence[Row]
    number: int
    count: int
    total: int

    @classmethod
    def of(cls, rows: Sequence[Row], number: int, size: int = PER_PAGE) -> "ListPage[Row]":
        """A page, with `size` rows, of a list that is read already."""
        number, count = _fit(number, len(rows), size)
        return cls(rows[(number - 1) * size : number * size], number, count, len(rows))


def requested_page() -> int:
    """The number of the page in the address (`?page=`); 1 if there is none."""
    return request.args.get("page", 1, type=int)


def read_page(session: Session, query: Select[Any], number: int, size: int = PER_PAGE) -> ListPage[Any]:
    """Read one page of the first column of an ordered query, in two statements."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    number, count = _fit(number, total, size)
    rows = session.scalars(query.limit(size).offset((number - 1) * size)).all()
    return ListPage(rows, number, count, total)


def _fit(number: int, total: int, size: int) -> tuple[int, int]:
    """The number of an existing page, and the number of pages."""
    count = max(1, ceil(total / size))
    return max(1, min(number, count, PAGES_MOST)), count
