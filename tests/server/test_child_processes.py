"""Supervision: children that die are started again, for ever once one has worked; stop signals are obeyed at once."""

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from engage.server import child_processes
from engage.server.child_processes import LONGEST_PAUSE, PAUSE, TRIES, _Children
from tests.paths import ROOT

pytestmark = pytest.mark.slow

PATIENCE = 30  # seconds
# Children write when they start. Before `works_until` they work; after it they die at once.
PROGRAM = """
import sys, time
from pathlib import Path
from engage.server import child_processes
from engage.server.child_processes import ChildStartFailed, supervise

starts, works_until, count = Path(sys.argv[1]), time.monotonic() + float(sys.argv[2]), int(sys.argv[3])
child_processes.SHORT = 0.5

def work():
    with starts.open("a") as file:
        file.write(f"{time.monotonic()}\\n")
    if time.monotonic() < works_until:
        time.sleep(max(0.0, works_until - time.monotonic()))
    sys.exit(1)

try:
    supervise([work] * count)
except ChildStartFailed:
    sys.exit(7)
"""


def supervisor(starts: Path, works_for: float, children: int = 1) -> subprocess.Popen[bytes]:
    starts.touch()
    words = [sys.executable, "-c", PROGRAM, str(starts), str(works_for), str(children)]
    return subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)


def moments(starts: Path) -> list[float]:
    return [float(line) for line in starts.read_text().split()]


def until_started(starts: Path, number: int) -> None:
    end = time.monotonic() + PATIENCE
    while len(moments(starts)) < number:
        assert time.monotonic() < end, f"{len(moments(starts))} starts"
        time.sleep(0.02)


@pytest.mark.parametrize("children", [1, 2])
def test_a_site_that_never_worked_gives_up(tmp_path: Path, children: int) -> None:
    process = supervisor(tmp_path / "starts", 0, children)
    assert process.wait(PATIENCE) == 7
    assert len(moments(tmp_path / "starts")) <= TRIES * children + children


def test_a_site_that_has_worked_is_started_again_and_again_with_growing_pauses(tmp_path: Path) -> None:
    process = supervisor(tmp_path / "starts", 1.0)
    until_started(tmp_path / "starts", 1 + TRIES + 3)
    assert process.poll() is None
    pauses = [after - before for before, after in pairwise(moments(tmp_path / "starts"))][1:]
    assert all(pause >= PAUSE * 2**number * 0.9 for number, pause in enumerate(pauses)), pauses
    process.send_signal(signal.SIGTERM)
    since = time.monotonic()
    assert process.wait(PATIENCE) == 0
    assert time.monotonic() - since < 1.0, "it was told to stop during a pause"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_signal_in_a_pause_is_obeyed_at_once(tmp_path: Path, how: int) -> None:
    process = supervisor(tmp_path / "starts", 0.8)
    until_started(tmp_path / "starts", 6)  # the next pause takes 1.6 s
    time.sleep(0.1)
    process.send_signal(how)
    since = time.monotonic()
    assert process.wait(PATIENCE) == 0
    assert time.monotonic() - since < 1.0


def test_the_pause_grows_to_its_longest_and_no_further() -> None:
    children = _Children([lambda: None], [])
    children.has_worked = True
    pauses = []
    for children.failures in range(2_000):
        pauses.append(children.pause())
    assert pauses[:5] == [0, PAUSE, 2 * PAUSE, 4 * PAUSE, 8 * PAUSE]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE == 5.0


def test_a_child_that_works_keeps_the_site_while_another_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    children = _Children([lambda: None] * 2, [])
    long_ago = time.monotonic() - child_processes.SHORT - 1
    children.born = {1: (0, long_ago), os.getpid(): (1, time.monotonic())}
    monkeypatch.setattr(child_processes, "_reap_children", lambda: [(os.getpid(), "exit code 1")])
    children.reap()
    children.failures = 1_000
    assert not children.cannot_start()
    assert list(children.born) == [1]
