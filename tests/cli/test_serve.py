"""The site as a server: processes that stop cleanly, restart, and are not blocked by slow phones."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine

from engage.base.config import Settings
from engage.server.process import is_quick
from tests.paths import ROOT

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]
PATIENCE = 60  # seconds


class Server:
    """`engage serve` in its own process."""

    def __init__(self, settings: Settings, **environment: str) -> None:
        words = [sys.executable, "-m", "engage", "serve", "--port", "0", "--processes", "2", "--threads", "2"]
        words.append("--no-worker")  # tested in tests/domain/mail/test_worker.py
        env = {**os.environ, "ENGAGE_DATA_DIR": str(settings.data_dir), **environment}
        self.process = subprocess.Popen(
            words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "Engage serves" in line, self.process.communicate(timeout=PATIENCE)
        self.port = int(re.search(r":(\d+)/", line).group(1))  # type: ignore[union-attr]

    def get(self, path: str = "/healthz") -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def children(self) -> set[int]:
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(pid) for pid in found}

    def stop(self, how: int = signal.SIGTERM) -> str:
        self.process.send_signal(how)
        return self.process.communicate(timeout=PATIENCE)[1]


@pytest.fixture
def server(settings: Settings, engine: Engine) -> Iterator[Server]:
    made = Server(settings)
    yield made
    if made.process.poll() is None:
        made.process.kill()
    made.process.communicate(timeout=PATIENCE)


def until(true: object) -> None:
    end = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)


def test_it_serves_and_stops_cleanly(server: Server) -> None:
    assert server.get() == "ok"
    children = server.children()
    assert len(children) == 3, "two that serve, and one that deletes files where no worker does"
    complaints = server.stop()
    assert server.process.returncode == 0
    assert "Traceback" not in complaints
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_ctrl_c_is_a_clean_stop_too(server: Server) -> None:
    server.get()
    assert "Traceback" not in server.stop(signal.SIGINT)
    assert server.process.returncode == 0


def test_a_process_that_dies_is_replaced(server: Server) -> None:
    server.get()
    before = server.children()
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(server.children()) == 3 and server.children() != before)
    assert server.get() == "ok"
    assert "SIGKILL" in server.stop()


def test_when_the_parent_is_killed_nobody_is_left_behind(server: Server) -> None:
    server.get()
    children = server.children()
    server.process.kill()
    server.process.wait()
    until(lambda: not any(_alive(pid) for pid in children))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def test_many_slow_phones_hold_nobody_up(server: Server) -> None:
    server.get()
    phones = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
    for phone in phones:
        phone.sendall(b"POST /en/ HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\na=")
    start = time.monotonic()
    for _ in range(10):
        assert server.get() == "ok"
    assert time.monotonic() - start < 10, "four threads would wait for forty phones for ever"
    for phone in phones:
        phone.close()


def test_a_request_in_hand_is_answered_before_it_stops(server: Server) -> None:
    server.get()
    phone = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    phone.sendall(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nab")
    time.sleep(0.5)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    phone.sendall(b"cd")
    assert phone.recv(12).startswith(b"HTTP/1.1 4")
    phone.close()
    server.process.communicate(timeout=PATIENCE)
    assert server.process.returncode == 0


def test_too_much_at_once_is_refused(server: Server) -> None:
    server.get()
    phone = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    phone.sendall(b"POST /en/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2000001\r\n\r\n")
    assert b" 413 " in phone.recv(100)
    phone.close()


def test_a_site_that_cannot_start_gives_up_and_says_why(settings: Settings, engine: Engine) -> None:
    code = (
        "import engage.server.process, engage.server.supervisor as serving\n"
        "def broken(*_): raise RuntimeError('no ground to stand on')\n"
        "serving.serve_process = broken\n"
        "from engage.cli import main\nmain(['serve', '--port', '0', '--processes', '1'])\n"
    )
    env = {**os.environ, "ENGAGE_DATA_DIR": str(settings.data_dir)}
    said = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert said.returncode == 1
    assert "no ground to stand on" in said.stderr
    assert said.stderr.endswith("Error: the site cannot start; see the lines above\n")


def test_a_port_in_use_is_told_in_words(server: Server, settings: Settings) -> None:
    env = {**os.environ, "ENGAGE_DATA_DIR": str(settings.data_dir)}
    words = [sys.executable, "-m", "engage", "serve", "--port", str(server.port)]
    said = subprocess.run(words, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert said.returncode == 1
    assert "try --port" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    ("command", "path", "quick"),
    [
        ("GET", "/en/w/family-beliefs/1", True),
        ("HEAD", "/", True),
        ("POST", "/en/w/family-beliefs/1", False),
        ("GET", "/staff/district/checkpoints", False),
        ("GET", "/en/results/spring", False),
        ("GET", "/readyz", False),
        ("BREW", "/", False),
        ("GET", None, True),
    ],
)
def test_only_quick_reads_are_made_by_the_loop(command: str, path: str | None, quick: bool) -> None:
    assert is_quick(SimpleNamespace(command=command, path=path, error=None)) is quick
