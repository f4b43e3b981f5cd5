"""`engage worker` as a process at noon of the tests' day, without the nightly run, and with patches of its code."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from engage.base.config import Settings
from tests.domain.mail.test_worker import PATIENCE, environ
from tests.paths import ROOT

NOON = """
from datetime import UTC, datetime
import engage.services.runtime as runtime
from engage.services.tasks.run_retention import NightlyRetention
runtime.open_runtime.__defaults__ = (lambda: datetime(2026, 10, 14, 18, tzinfo=UTC), "")
NightlyRetention.poll = lambda self: None
"""
COUNTS_SLOWLY = """
import time
import engage.domain.summaries.release as release
release_part = release._release_part
def slowly(work, part):
    time.sleep(0.05)
    return release_part(work, part)
release._release_part = slowly
"""
RENDERS_SLOWLY = """
import time
import engage.services.checkpoints.exports as exports
render = exports._render
def slowly(*about):
    time.sleep(3)
    return render(*about)
exports._render = slowly
"""
RUN = "from engage.cli import main\nmain(['worker'])\n"


@contextmanager
def worker(settings: Settings, *patches: str) -> Iterator[subprocess.Popen[str]]:
    """A worker in its own process group. It must end without an error unless it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", "".join((NOON, *patches, RUN))],
        env=environ(settings),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
        if process.poll() is None:
            process.terminate()
        output = process.communicate(timeout=PATIENCE)[0]
        assert "Traceback" not in output, output
    finally:
        kill(process)
        assert process.stdout is not None
        process.stdout.close()


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a worker with all its processes."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
