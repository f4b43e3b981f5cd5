"""Pages of a list: together they have each row once, in order."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from engage.storage.engine import write_session
from engage.storage.models.schools import School
from engage.web.paging import PER_PAGE, ListPage, read_page, requested_page
from tests.makers import a_school


@given(st.integers(0, 400), st.integers(1, 90))
def test_the_pages_have_every_row_once(total: int, size: int) -> None:
    rows = list(range(total))
    pages = [ListPage.of(rows, number, size) for number in range(1, ListPage.of(rows, 1, size).count + 1)]
    assert [row for page in pages for row in page.rows] == rows
    assert all(len(page.rows) <= size for page in pages)
    assert {page.total for page in pages} == {total}


@given(st.integers())
def test_any_number_leads_to_a_page_that_exists(number: int) -> None:
    page = ListPage.of(list(range(120)), number)
    assert 1 <= page.number <= page.count == 3
    assert page.rows


@pytest.mark.parametrize(("query", "number"), [("", 1), ("?page=7", 7), ("?page=x", 1), ("?page=-3", -3)])
def test_the_number_is_in_the_address(query: str, number: int) -> None:
    with Flask(__name__).test_request_context(f"/{query}"):
        assert requested_page() == number


def test_a_page_of_a_query_has_its_own_rows_and_the_number_of_all(engine: Engine) -> None:
    with write_session(engine) as session:
        for number in range(PER_PAGE + 7):
            a_school(session, f"s{number:03}", f"School {number:03}")
        session.flush()
        page = read_page(session, select(School).order_by(School.id.desc()), 2)
        assert (page.number, page.count, page.total) == (2, 2, PER_PAGE + 7)
        assert [school.id for school in page.rows] == [f"s{number:03}" for number in reversed(range(7))]
