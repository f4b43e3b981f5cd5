"""Records of requests in the format "json"."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from werkzeug.test import Client

from engage import create_app
from engage.base.config import Settings
from engage.base.log_setup import JsonFormatter
from engage.storage.engine import write_session
from tests.conftest import close
from tests.makers import PASSWORD, a_wave, staff
from tests.people import Family, StaffMember

pytestmark = pytest.mark.sqlite
LONG = "/staff/administration/audit?since=2026-01-01&who=ana%40district.example"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What the root logger writes as JSON."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def logging_site(settings: Settings, clock: Callable[[], datetime], stream: io.StringIO) -> Iterator[Any]:
    site = create_app(replace(settings, log_format="json"), clock)
    yield site
    close(site)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Those of the site itself, without those of libraries."""
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in found if line["logger"].startswith("engage")]


def test_a_request_of_staff_is_one_line_without_address_query_or_person(
    logging_site: Any, stream: io.StringIO, engine: Engine
) -> None:
    with write_session(engine) as session:
        staff(session, "administrator", email="ana@district.example")
        session.commit()
    StaffMember(logging_site).signs_in("ana@district.example", PASSWORD).opens(LONG)
    found = lines(stream)
    assert {line["logger"] for line in found} == {"engage.requests"}
    assert [(line["route"], line["status"]) for line in found][:2] == [("account", 200), ("account", 302)]
    assert (found[-1]["route"], found[-1]["status"], found[-1]["site"]) == ("administration", 200, "staff")
    assert all(line["ms"] >= 0 for line in found)
    assert len({line["request_id"] for line in found}) == len(found), "random, and another for each request"
    for secret in ("ana", "district.example", "since", "audit", "127.0.0.1", PASSWORD):
        assert secret not in stream.getvalue()


def test_what_families_do_is_no_line(logging_site: Any, stream: io.StringIO, engine: Engine) -> None:
    with write_session(engine) as session:
        a_wave(session)
        session.commit()
    Family(logging_site).begins("fall").walks({"question": "When does the bus come?"}).sends_answers()
    Client(logging_site).get("/en/nowhere")
    Client(logging_site).get("/en/c/WRONG-CODES")
    assert lines(stream) == []


def test_a_page_that_breaks_is_told_with_its_request(
    logging_site: Any, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise ValueError("Ana López wrote: When does the bus come?")

    monkeypatch.setitem(logging_site.family.view_functions, "family.consent", fail)
    assert Client(logging_site).get("/es/w/fall?x=1").status_code == 500
    broken, request = lines(stream)
    assert (broken["level"], broken["message"]) == ("ERROR", "a page broke")
    assert broken["exception"][0]["type"] == "builtins.ValueError"
    assert broken["request_id"] == request["request_id"]
    assert (request["status"], request["route"], request["site"]) == (500, "survey", "family")
    for secret in ("Ana", "bus", "/es", "fall", "x=1"):
        assert secret not in stream.getvalue()


def test_the_format_text_has_no_line_for_a_request(
    settings: Settings, clock: Callable[[], datetime], stream: io.StringIO
) -> None:
    site = create_app(settings, clock)
    Client(site).get("/staff/login")
    close(site)
    assert lines(stream) == []
