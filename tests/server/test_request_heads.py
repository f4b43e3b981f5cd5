"""Malformed requests, and what a log contains about their senders: the real server with full logging."""

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waitress.adjustments import Adjustments

from engage.domain.security.access_codes import format_access_code, generate_access_code
from engage.server.request_heads import UNREADABLE, HeadParser, escape_target

pytestmark = pytest.mark.sqlite
PATIENCE = 60  # seconds
MOST_TRIES = 60
VISITOR = "127.66.77.88"  # on loopback, but used by nobody else
# Every line of every library: all loggers write everything, regardless of the product's levels
EVERYTHING = (
    "import logging\n"
    "logging.basicConfig(level=1)\n"
    "logging.Logger.setLevel = lambda *_: None\n"
    "import engage.server.process as answering, engage.server.connections as connections\n"
    "connections.HEAD_SECONDS, answering.LOOK = 0.5, 0.1\n"
    "from engage.cli import main\n"
    "main(['serve', '--port', '0', '--processes', '1', '--no-worker'])\n"
)


class Server:
    """The server with its whole log."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        env = {**os.environ, "ENGAGE_DATA_DIR": str(folder), "ENGAGE_SECRET_KEY": "a secret for tests only, " * 2}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", EVERYTHING], env=env, stdout=subprocess.PIPE, stderr=log
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        assert "Engage serves" in line, self.log.read_text()
        self.port = int(re.search(r":(\d+)/", line).group(1))  # type: ignore[union-attr]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE, source_address=(VISITOR, 0))

    def send(self, sent: bytes) -> str:
        """Return the whole response; the connection is closed after it."""
        with self.connect() as visitor:
            visitor.sendall(sent)
            answer = b""
            while got := visitor.recv(65536):
                answer += got
        return answer.decode("utf-8", "replace")

    def post(self, path: str, cookie: str = "", **form: str) -> str:
        body = urllib.parse.urlencode(form)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        head += "Content-Type: application/x-www-form-urlencoded\r\n" + (f"Cookie: {cookie}\r\n" if cookie else "")
        return self.send((head + "\r\n" + body).encode())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(migrated_file, folder / "engage.db")
    server = Server(folder)
    yield server
    server.process.terminate()
    server.process.communicate(timeout=PATIENCE)


def head(line: str | bytes, *fields: str | bytes) -> bytes:
    """Return the head of a request; `Connection: close` lets the response be read to the end."""
    each = (line, "Host: x", "Connection: close", *fields)
    return b"\r\n".join(one if isinstance(one, bytes) else one.encode() for one in each) + b"\r\n\r\n"


MALFORMED = {
    "no request": b"\x00\x01\x02\r\n\r\n",
    "a method alone": b"GET\r\n\r\n",
    "small letters": head("get / HTTP/1.1"),
    "a blank in the address": head("GET /en/c?x=a b HTTP/1.1"),
    "no colon": head("GET / HTTP/1.1", "Accept text/html"),
    "a blank before the colon": head("GET / HTTP/1.1", "Accept : text/html"),
    "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n\r\n\r\n",
    "a bare line feed in the line": b"GET /\n HTTP/1.1\r\nHost: x\r\n\r\n",
    "a bare carriage return": head("GET / HTTP/1.1", "Accept: a\rb"),
    "a folded first field": b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    "a negative length": head("POST / HTTP/1.1", "Content-Length: -1"),
    "two lengths": head("POST / HTTP/1.1", "Content-Length: 1", "Content-Length: 2"),
    "a length of 5,000 digits": head("POST / HTTP/1.1", "Content-Length: " + "9" * 5000),
    "a length and chunks": head("POST /en/ HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunks and a length": head("POST /en/ HTTP/1.1", "transfer-encoding: chunked", "content-length: 5") + b"0\r\n\r\n",
    "a length and nothing": head("POST /en/ HTTP/1.1", "Content-Length: 5", "Transfer-Encoding:") + b"abcde",
    "chunks in HTTP/1.0": head("POST /en/ HTTP/1.0", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunks that are none": head("POST /en/ HTTP/1.1", "Transfer-Encoding: chunked") + b"xyz\r\n\r\n",
    "half an IPv6 address": head("GET http://[/ HTTP/1.1"),
    "TLS": bytes.fromhex("16030100c8010000c40303") + b"\r\n\r\n",
    "a method above 127": head("GÉT / HTTP/1.1"),
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_request_gets_a_400(server: Server, sent: bytes) -> None:
    answer = server.send(sent)
    assert answer.startswith(("HTTP/1.0 400 ", "HTTP/1.1 400 ")), answer[:200]


def test_an_unknown_transfer_encoding_gets_a_501(server: Server) -> None:
    assert " 501 " in server.send(head("POST / HTTP/1.1", "Transfer-Encoding: gzip"))[:20]


def test_two_requests_in_one_are_answered_once(server: Server) -> None:
    second = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = server.send(head("POST /en/ HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked") + second)
    assert answer.count("HTTP/1.") == 1


@pytest.mark.parametrize(
    ("target", "status", "words"),
    [
        ("/en/c?x=é".encode(), 200, "code"),
        (b"/en/c?x=\xe9", 200, "code"),
        ("/en/c/é".encode(), 404, "code"),
        (b"/en/c/\xe9", 404, "code"),
        ("/es/ñandú".encode(), 404, "página"),
        ("/en/c/%C3%A9é".encode(), 404, "code"),
    ],
)
def test_an_address_as_it_was_typed_is_read(server: Server, target: bytes, status: int, words: str) -> None:
    """Old browsers and some readers of QR codes do not use percent-encoding."""
    answer = server.send(head(b"GET " + target + b" HTTP/1.1"))
    assert answer.startswith(f"HTTP/1.1 {status} "), answer[:200]
    assert "<html" in answer
    assert words in answer


def test_a_head_that_never_ends_is_cut_off(server: Server) -> None:
    with server.connect() as visitor:
        visitor.sendall(b"GET /en/ HTTP/1.1\r\nHost: x\r\n")
        assert visitor.recv(1) == b""


def test_no_address_of_a_visitor_is_written(server: Server) -> None:
    """After all requests above, wrong codes until they are limited, forms without a token, a lost connection, and wrong
    passwords until they are limited."""
    for sent in MALFORMED.values():
        server.send(sent)
    codes = [format_access_code(generate_access_code(Random(number))) for number in range(MOST_TRIES)]
    assert until_refused(server.send(head(f"GET /en/c/{code} HTTP/1.1")) for code in codes)
    assert server.post("/staff/login", email="a@b.example", password="x")[9:12] == "400", "without a token"
    page = server.send(head("GET /staff/login HTTP/1.1"))
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    cookie = re.search(r"(?i)set-cookie: ([^;]+)", page)
    assert token, page
    assert cookie, page
    form = {"csrf_token": token[1], "email": "a@b.example", "password": "wrong"}
    assert until_refused(server.post("/staff/login", cookie[1], **form) for _ in range(MOST_TRIES))
    with server.connect() as visitor:
        visitor.sendall(head(f"GET /en/c/{codes[0]} HTTP/1.1"))
    assert server.send(head("GET /healthz HTTP/1.1")).endswith("ok")
    lines = server.log.read_text().splitlines()
    assert [line for line in lines if VISITOR in line] == []
    assert [line for line in lines if "Traceback" in line or "uncaptured" in line] == []
    assert [line for line in lines if codes[0] in line or "a@b.example" in line] == []


def until_refused(answers: Iterator[str]) -> bool:
    """Whether one of the responses is "too many tries"; stops at the first."""
    return any(answer[9:12] == "429" for answer in answers)


@given(st.binary(max_size=300), st.sampled_from([b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: "]))
@settings(deadline=None)
def test_no_bytes_raise_anything(sent: bytes, before: bytes) -> None:
    parser = HeadParser(Adjustments())
    parser.received(before + sent + b"\r\n\r\n")
    assert parser.completed or parser.headers_finished or parser.header_plus
    if parser.error is not None:
        assert parser.error.code >= 400


@settings(deadline=None)
@given(st.binary(max_size=60).filter(lambda each: b"\r" not in each))
def test_only_bytes_above_127_of_the_target_change(target: bytes) -> None:
    escaped = escape_target(b"GET " + target + b" HTTP/1.1\r\nX: \xe9\r\n\r\n")
    line, rest = escaped.split(b"\r\n", 1)
    assert rest == b"X: \xe9\r\n\r\n"
    assert line.isascii()
    expected = b"".join(bytes([each]) if each < 128 else b"%%%02X" % each for each in target)
    assert line == b"GET " + expected + b" HTTP/1.1"


def test_what_was_sent_is_not_repeated(server: Server) -> None:
    answer = server.send(head("GET / HTTP/1.1", "Cookie: engage=a-secret\rb"))
    assert UNREADABLE in answer
    assert "a-secret" not in answer
