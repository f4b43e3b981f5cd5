"""Logs in the format "json": one object a line, whatever is logged, and nothing that identifies somebody."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from engage.base.log_setup import JsonFormatter, remove_identifiers
from engage.domain.security.access_codes import (
    derive_reply_code,
    format_access_code,
    format_reply_code,
    generate_access_code,
)
from tests.paths import ROOT

HOSTILE = (
    'x"}\n{"level":"INFO","message":"forged"}',
    "line\rfeed\x0bform\x0cfeed\x1c\x85\u2028\u2029end",
    "\x1b[2Jclear\x00\x07\ud800",
    "\u202eright to left",
)


def logged(log: Callable[[logging.Logger], Any]) -> str:
    """Everything that is written when something is logged."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.Logger("engage.test")
    logger.addHandler(handler)
    log(logger)
    return stream.getvalue()


def one_object(text: str) -> dict[str, Any]:
    """The object, which must be all that the text has, on one line in every program's eyes."""
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1
    assert text.isascii()
    line = json.loads(text)
    assert isinstance(line, dict)
    return line


def test_a_line_has_the_time_the_level_the_logger_and_the_message() -> None:
    line = one_object(logged(lambda log: log.warning("%d of %d", 3, 5)))
    assert {name: line[name] for name in ("level", "logger", "message")} == {
        "level": "WARNING",
        "logger": "engage.test",
        "message": "3 of 5",
    }
    assert line["time"].endswith("+00:00")
    assert set(line) == {"time", "level", "logger", "process", "message"}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_one_line(text: str) -> None:
    assert one_object(logged(lambda log: log.error("refused: %s", text)))["level"] == "ERROR"
    assert one_object(logged(lambda log: log.error(text)))["level"] == "ERROR"


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_any_text_stays_one_line(text: str) -> None:
    one_object(logged(lambda log: log.info("%s", text)))
    one_object(logged(lambda log: log.error("x", extra={"request_id": text, "route": text})))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("refused ana.lopez@district.example today", "ana"),
        ("550 <Ana.Lopez+x@mail.district.example>: unknown", "Lopez"),
        ("GET /en/w/fall/3 failed", "fall"),
        ("at /es/c/ABC", "/es"),
        ("https://engage.district.example/en/c/XYZ?next=/a", "district"),
        ("asked with ?serial=AB12&x=1", "AB12"),
        ("from 203.0.113.77 port 80", "203.0"),
        ("from 2001:db8:0:1:2:3:4:5", "2001"),
        ("from 2001:db8::7", "db8"),
        ("from ::1", "::1"),
    ],
)
def test_addresses_of_people_pages_and_networks_are_removed(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in remove_identifiers(text)
    assert secret not in logged(lambda log: log.error("%s", text))


@pytest.mark.parametrize("seed", range(50))
def test_codes_are_removed_however_they_are_written(seed: int) -> None:
    access, reply = generate_access_code(Random(seed)), derive_reply_code(b"key", bytes([seed]))
    for code in (access, access.lower(), format_access_code(access), reply, format_reply_code(reply)):
        assert code not in remove_identifiers(f"the code {code}, typed twice")


@pytest.mark.parametrize(
    "text",
    [
        "the database did not answer: connection refused",
        "process 4711 ended (SIGKILL) after 12.5 s",
        "retention: 1204 deleted, 0 left",
        "at 2026-11-22T08:00:41+00:00, 10:15:30",
        "packet 0123456789abcdef0123456789abcdef waits",
    ],
)
def test_what_operators_need_stays(text: str) -> None:
    assert remove_identifiers(text) == text


def test_an_exception_is_told_by_its_type_and_places_without_what_it_says() -> None:
    def fail() -> None:
        try:
            int("Ana López, 555 0199")
        except ValueError as problem:
            raise KeyError("home of the Lópezes") from problem

    def log(logger: logging.Logger) -> None:
        try:
            fail()
        except KeyError:
            logger.exception("a page broke")

    text = logged(log)
    line = one_object(text)
    assert [each["type"] for each in line["exception"]] == ["builtins.KeyError", "builtins.ValueError"]
    assert [each["at"][-1].split(" ")[1] for each in line["exception"]] == ["fail", "fail"]
    assert "test_log_setup.py:" in line["exception"][0]["at"][0]
    for secret in ("Ana", "555", "pez"):
        assert secret not in text


def test_a_database_error_in_a_message_gives_its_first_line_without_values() -> None:
    engine = create_engine("sqlite://", hide_parameters=True)
    with engine.connect() as connection:
        try:
            connection.exec_driver_sql("select no_such_column, 'a family''s word'")
        except SQLAlchemyError as problem:
            text = logged(lambda log, problem=problem: log.error("the database did not answer: %s", problem))
    assert one_object(text)["message"] == "the database did not answer: no such column: no_such_column"
    assert "family" not in text


CHILD = """
import logging, sys, threading, warnings
from engage.base.log_setup import set_up_logging
set_up_logging(sys.argv[1])
logging.getLogger("engage").info("begins")
logging.getLogger("dbos").warning("from a library that writes by itself")
warnings.warn("an old way")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise RuntimeError("the last word of ana@district.example")
"""


def run(log_format: str) -> str:
    words = [sys.executable, "-c", CHILD, log_format]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False).stderr


@pytest.mark.slow
def test_a_whole_process_writes_objects_only() -> None:
    lines = [one_object(line + "\n") for line in run("json").splitlines()]
    assert {line["logger"] for line in lines} == {"engage", "dbos", "py.warnings"}
    assert "builtins.ZeroDivisionError" in {line["exception"][0]["type"] for line in lines if "exception" in line}
    assert "the last word of [mailbox]" in lines[-1]["message"]


@pytest.mark.slow
def test_text_is_as_it_was() -> None:
    text = run("text")
    assert "INFO engage: begins\n" in text
    assert "RuntimeError: the last word of ana@district.example" in text
