"""/metrics of a site with several serving processes: one answer for all, also after one was killed."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from engage.base.config import Settings
from tests.cli.test_serve import PATIENCE, Server, until
from tests.paths import ROOT
from tests.scrapes import Scrape

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]
TOKEN = "a-token-of-the-tests-" + "0123456789" * 3
PLACES = {"1", "2"}


def scrape(server: Server) -> Scrape:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/metrics")
    request.add_header("Authorization", f"Bearer {TOKEN}")
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return Scrape(answer.read().decode())


def serve(settings: Settings, **environment: str) -> Iterator[Server]:
    made = Server(settings, ENGAGE_METRICS_TOKEN=TOKEN, **environment)
    yield made
    if made.process.poll() is None:
        made.process.kill()
    made.process.communicate(timeout=PATIENCE)


@pytest.fixture
def server(settings: Settings, engine: Engine) -> Iterator[Server]:
    yield from serve(settings)


def pids(settings: Settings, folder: int = 0) -> dict[str, int]:
    """Process id by place."""
    found = (settings.data_dir / "metrics" / str(folder)).glob("*.pid")
    return {path.stem: int(path.read_text()) for path in found}


def files(settings: Settings, folder: int = 0) -> set[str]:
    return {path.name for path in (settings.data_dir / "metrics" / str(folder)).iterdir()}


EXPECTED_FILES = {"lock", "1.pid", "2.pid", "worker.pid"} | {
    f"{kind}_{place}.db" for kind in ("counter", "histogram", "gauge_livesum") for place in PLACES
}


def size(path: Path) -> int:
    """0 while the file is being replaced."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def visits(server: Server, times: int) -> None:
    """Each on a connection of its own, so that both processes get some."""
    for _ in range(times):
        server.get("/en/")


def entries(server: Server) -> float:
    return scrape(server).value("engage_requests_total", site="family", group="entry", status="2xx")


def test_every_process_answers_for_all(server: Server, settings: Settings) -> None:
    until(lambda: set(pids(settings)) == PLACES | {"worker"})
    visits(server, 60)
    assert {entries(server) for _ in range(10)} == {60}
    visits(server, 7)
    assert entries(server) == 67
    found = scrape(server)
    assert found.labels("process") == PLACES | {"worker", "parent"}
    assert found.value("engage_queue_seconds_count") >= 67
    server.stop()


def test_a_killed_process_takes_no_count_with_it_and_leaves_no_file(server: Server, settings: Settings) -> None:
    until(lambda: set(pids(settings)) == PLACES | {"worker"})
    visits(server, 40)
    before, seconds = pids(settings), scrape(server).value("engage_request_seconds_sum", group="entry")
    for place in ("1", "2"):
        os.kill(before[place], signal.SIGKILL)
        until(lambda place=place: pids(settings)[place] != before[place] and len(server.children()) == 3)
        assert entries(server) == 40
    visits(server, 5)
    until(lambda: entries(server) == 45)
    assert scrape(server).value("engage_request_seconds_sum", group="entry") > seconds
    assert files(settings) == EXPECTED_FILES, "of the two that died, nothing remains"
    assert "SIGKILL" in server.stop()


def test_a_damaged_file_does_not_keep_its_successor_from_serving(server: Server, settings: Settings) -> None:
    until(lambda: set(pids(settings)) == PLACES | {"worker"})
    visits(server, 10)
    folder, pid = settings.data_dir / "metrics" / "0", pids(settings)["1"]
    os.kill(pid, signal.SIGSTOP)
    for path in folder.glob("*_1.db"):
        damaged = path.with_suffix(".damaged")
        damaged.write_bytes(b"\xff\xff\x00\x00" + os.urandom(5000))
        damaged.replace(path)
    os.kill(pid, signal.SIGKILL)
    until(lambda: pids(settings)["1"] != pid and size(folder / "counter_1.db") == 2**18)
    assert {server.get() for _ in range(20)} == {"ok"}
    assert scrape(server).value("engage_database_up") == 1
    assert scrape(server).value("engage_requests_total", group="entry") <= 10
    assert "the measurements of process 1 were damaged and begin again" in server.stop()


def test_a_new_start_begins_at_zero_and_two_sites_in_one_folder_do_not_mix(settings: Settings, engine: Engine) -> None:
    first = Server(settings, ENGAGE_METRICS_TOKEN=TOKEN)
    second = Server(settings, ENGAGE_METRICS_TOKEN=TOKEN, ENGAGE_DOORS="family")
    until(lambda: set(pids(settings, 1)) == PLACES | {"worker"} == set(pids(settings, 0)))
    visits(first, 3)
    visits(second, 4)
    assert (entries(first), entries(second)) == (3, 4)
    first.stop()
    again = Server(settings, ENGAGE_METRICS_TOKEN=TOKEN)
    assert (entries(again), entries(second)) == (0, 4)
    second.stop()
    again.stop()


def test_requests_that_wait_and_connections_are_counted(server: Server) -> None:
    server.get()
    phones = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(12)]
    for phone in phones:
        phone.sendall(b"POST /en/ HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\na=")
    until(lambda: scrape(server).value("engage_connections") >= 12)
    for phone in phones:
        phone.close()
    until(lambda: scrape(server).value("engage_connections") <= 2)


def test_without_a_token_nothing_is_measured(settings: Settings, engine: Engine) -> None:
    server = Server(settings)
    server.get()
    server.stop()
    assert not (settings.data_dir / "metrics").exists()


def test_a_full_disk_keeps_no_site_from_serving(settings: Settings, engine: Engine) -> None:
    """A mapped file without disk space kills the process that writes to it."""
    code = (
        "import os\n"
        "def full(*_): raise OSError(28, 'No space left on device')\n"
        "os.posix_fallocate = full\n"
        "from engage.cli import main\nmain(['serve', '--port', '0', '--processes', '2', '--no-worker'])\n"
    )
    env = {**os.environ, "ENGAGE_DATA_DIR": str(settings.data_dir), "ENGAGE_METRICS_TOKEN": TOKEN}
    words = [sys.executable, "-c", code]
    process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    address = process.stdout.readline().split()[2]
    with urllib.request.urlopen(f"{address}healthz", timeout=PATIENCE) as answer:
        assert answer.read() == b"ok"
    process.send_signal(signal.SIGTERM)
    assert "process 1 is not measured: [Errno 28] No space left on device" in process.communicate(timeout=PATIENCE)[1]


def test_the_files_are_reserved_whole(server: Server, settings: Settings) -> None:
    until(lambda: set(pids(settings)) == PLACES | {"worker"})
    for path in (settings.data_dir / "metrics" / "0").glob("*.db"):
        assert path.stat().st_blocks * 512 >= path.stat().st_size == 2**18
    folder = Path(settings.data_dir, "metrics", "0")
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.iterdir()])
