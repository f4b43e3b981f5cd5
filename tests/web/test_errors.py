"""Error pages for missing pages and failures."""

import logging
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from werkzeug.test import Client

from engage.base.config import Settings
from engage.storage.group_commit import CommitFailed
from tests.people import Family


def test_a_missing_page_is_missing_in_the_language_of_the_address(site: Any) -> None:
    answer = Client(site).get("/ar/nowhere")
    assert answer.status_code == 404
    assert '<html lang="ar" dir="rtl">' in answer.text
    assert "We cannot find this page" not in answer.text


def test_an_error_page_keeps_the_language_and_says_whom_to_call(site: Any, settings: Settings) -> None:
    page = Family(site).opens("/ar/nowhere", status=404)
    assert settings.district_phone in page.page.text
    assert [link.get("href") for link in next(page.page.all("main")).all("a")] == ["/ar/"]


def test_an_error_page_without_a_language_leads_to_the_choice_of_one(site: Any) -> None:
    page = Family(site).opens("/xx/nowhere", status=404)
    assert [link.get("href") for link in next(page.page.all("main")).all("a")] == ["/"]


def test_an_unknown_language_is_answered_in_english(site: Any) -> None:
    answer = Client(site).get("/xx/nowhere")
    assert answer.status_code == 404
    assert "We cannot find this page" in answer.text


@pytest.mark.parametrize(
    "problem", [CommitFailed("the disk is full"), OperationalError("select 1", {"answer": "words"}, Exception("gone"))]
)
def test_a_database_that_does_not_answer_is_no_fault_of_the_family(
    site: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, problem: Exception
) -> None:
    def fail() -> None:
        raise problem

    monkeypatch.setitem(site.family.view_functions, "family.choose_language", fail)
    with caplog.at_level(logging.ERROR):
        answer = Client(site).get("/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "What you sent before is safe." in answer.text


def test_a_page_that_breaks_says_nothing_of_how(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a detail")

    monkeypatch.setitem(site.family.view_functions, "family.choose_language", fail)
    answer = Client(site).get("/")
    assert answer.status_code == 500
    assert "a detail" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["/staff/../en/", "/%2573taff/", "//staff/", "/en/%00", "/en/w/\u202estaff"])
def test_odd_addresses_reach_no_staff_page(site: Any, path: str) -> None:
    answer = Client(site).get(path)
    assert answer.status_code in (200, 302, 308, 404)
    assert "Email address" not in answer.text
