"""Fuzzing with four hundred requests; `python -m tests.fuzz` sends any number."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from engage.base.config import Settings
from engage.storage.engine import write_session
from tests.fuzz import ROUND, Visitor, run, told
from tests.makers import PASSWORD, a_wave, staff

pytestmark = pytest.mark.slow

SEED = 20261014


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # werkzeug leaves uploads to be collected
@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
def test_no_strange_request_breaks_a_page(tmp_path: Path, settings: Settings) -> None:
    report = run(
        tmp_path, ROUND, SEED, settings.database_url, slow=8
    )  # on a busy machine; the limit of `python -m tests.fuzz` is 2 s
    print("\n" + told(report, 0))
    assert not report.findings, "\n\n".join(map(str, report.findings))
    assert len(report.routes) > 60, "most addresses were visited"
    good = sum(count for status, count in report.statuses.items() if status < 400)
    assert good > ROUND // 6, "and many requests did something"


DEEP = b'{"a":' * 5_000
FOUND = {  # requests that caused errors in the past
    "a query that is not UTF-8": ("GET", b"/staff/administration/staff", b"\xff\xfe", b"", {}),
    "JSON nested deeply": ("POST", b"/staff/login", b"", DEEP, {"CONTENT_TYPE": "application/json"}),
    "JSON that is a list": ("POST", b"/staff/login", b"", b"[[1]]", {"CONTENT_TYPE": "application/json"}),
    "and on an error page": ("POST", b"/staff/nowhere", b"", DEEP, {"CONTENT_TYPE": "application/json"}),
    "and for a family": ("POST", b"/en/c", b"", DEEP, {"CONTENT_TYPE": "application/json"}),
    "a host that is none": ("GET", b"/staff/", b"", b"", {"HTTP_HOST": "x" * 300}),
    "and for a family's page": ("GET", b"/en/", b"", b"", {"HTTP_HOST": "x" * 300}),
    "a number of 400 digits": ("POST", b"/staff/liaison/print", b"", b"copies=" + b"9" * 400, {}),
}


@pytest.mark.parametrize(("method", "path", "query", "body", "headers"), FOUND.values(), ids=FOUND.keys())
def test_what_was_found_once_stays_found(
    site: Any, engine: Engine, method: str, path: bytes, query: bytes, body: bytes, headers: dict[str, str]
) -> None:
    with write_session(engine) as session:
        a_wave(session)
        staff(session, "administrator", email="admin@district.example")
        session.commit()
    visitor = Visitor(site)
    visitor.signs_in("admin@district.example", PASSWORD)
    kind = {"CONTENT_TYPE": "application/x-www-form-urlencoded"} if method == "POST" else {}
    token = {"HTTP_X_CSRFTOKEN": visitor.token}
    assert visitor.send(method, path, query, body, **{**kind, **token, **headers}).status < 500
