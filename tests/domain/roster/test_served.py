"""Roster uploads through the real server, which allows no other request to be that large."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine

from engage.base.config import Settings
from engage.server.request_bodies import Parser, session_checker
from engage.storage.engine import write_session
from tests.cli.test_serve import Server
from tests.domain.roster.generator import small
from tests.makers import PASSWORD, staff

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]
ROSTER = "/staff/administration/roster"
EDGE = "----edge"


class Browser:
    """A minimal browser."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def asks(self, path: str, body: bytes | None = None, kind: str = "application/x-www-form-urlencoded") -> str:
        request = urllib.request.Request(self.base + path, data=body, headers={"Content-Type": kind} if body else {})
        with self.opener.open(request, timeout=60) as answer:
            return str(answer.read().decode())

    def token(self, path: str) -> str:
        return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.asks(path)).group(1)  # type: ignore[union-attr]

    def brings(self, body: bytes, path: str = ROSTER) -> str:
        field = f'--{EDGE}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{self.token(ROSTER)}\r\n'
        file = f'--{EDGE}\r\nContent-Disposition: form-data; name="roster"; filename="x.zip"\r\n\r\n'
        whole = field.encode() + file.encode() + body + f"\r\n--{EDGE}--\r\n".encode()
        return self.asks(path, whole, f"multipart/form-data; boundary={EDGE}")


@pytest.fixture
def administrator(settings: Settings, engine: Engine) -> Iterator[Browser]:
    with write_session(engine) as session:
        staff(session, "administrator", email="a@district.example")
        session.commit()
    server = Server(settings, ENGAGE_SECOND_FACTOR="offered")
    browser = Browser(server.port)
    sign_in = {"email": "a@district.example", "password": PASSWORD, "csrf_token": browser.token("/staff/login")}
    browser.asks("/staff/login", urlencode(sign_in).encode())
    yield browser
    server.process.kill()
    server.process.communicate(timeout=60)


def test_a_large_roster_comes_in_and_nothing_else_does(administrator: Browser, tmp_path: Path) -> None:
    assert "What would change" in administrator.brings(small().zip(tmp_path / "y.zip").read_bytes())
    with pytest.raises(urllib.error.HTTPError) as unfit:
        administrator.brings(b"x" * 3_000_000)
    with unfit.value as answer:
        assert "This is not a ZIP file" in answer.read().decode()
    with pytest.raises((urllib.error.HTTPError, urllib.error.URLError)) as refused:
        administrator.brings(b"x" * 3_000_000, "/staff/administration/staff")
    assert getattr(refused.value, "code", 413) == 413
    if isinstance(refused.value, urllib.error.HTTPError):
        refused.value.close()


class Adjustments:
    """The part of waitress's settings that a parser uses."""

    max_request_body_size = 1000
    max_request_header_size = 10_000
    inbuf_overflow = 10_000
    url_scheme = "http"


def header(path: str, length: int, cookie: str = "staff=good") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nContent-Length: {length}\r\n\r\n".encode()


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Parser, "signed_in", staticmethod(lambda cookies: cookies == "staff=good"))


def test_a_stranger_does_not_take_the_place(signed: None) -> None:
    stranger = Parser(Adjustments())
    stranger.received(header(ROSTER, 5000, "staff=bad"))
    assert stranger.error is not None
    somebody = Parser(Adjustments())
    somebody.received(header(ROSTER, 5000))
    assert somebody.error is None


def test_a_body_that_never_ends_gives_the_place_free(signed: None) -> None:
    slow = Parser(Adjustments())
    slow.received(header(ROSTER, 5000))
    slow.until = 0.0
    slow.received(b"x")
    assert slow.completed
    assert slow.error is not None
    other = Parser(Adjustments())
    other.received(header(ROSTER, 5000))
    assert other.error is None


def test_only_a_cookie_of_ours_counts(settings: Settings, site: Any) -> None:
    staff_app = site.staff
    signed = session_checker(staff_app)
    signer = staff_app.session_interface.get_signing_serializer(staff_app)
    ours = signer.dumps({"_user_id": "x"})
    assert signed(f"a=b; staff={ours}")
    for cookies in ("", "staff=", "staff=x", f"staff={ours}x", f"other={ours}", "\x00", f"staff={signer.dumps({})}"):
        assert not signed(cookies)


def test_one_roster_at_a_time(signed: None) -> None:
    def parsed(path: str, length: int = 5000) -> Parser:
        parser = Parser(Adjustments())
        parser.received(header(path, length))
        return parser

    assert parsed("/staff/administration/staff").error is not None
    assert parsed(ROSTER, 300_000_000).error is not None
    first = parsed(ROSTER)
    assert first.error is None
    assert parsed(ROSTER).error is not None
    assert parsed(ROSTER, 500).error is None
    del first
    assert parsed(ROSTER).error is None
