"""Keep some child processes at work, until told to stop."""

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

STOPPING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
HEARD = STOPPING | {signal.SIGCHLD}
PATIENCE = 20.0  # seconds a child may take to finish what it is doing
SHORT = 5.0  # seconds; a child that dies sooner than this was never at work
TRIES = 3  # children in a row that never were at work, before giving up

log = logging.getLogger("engage.serve")


class NeverAtWork(Exception):
    """Child processes die as soon as they start; the log says why."""


def watch(work: Callable[[], None], count: int) -> None:
    """Run `work` in `count` child processes, a new one for each that dies. Returns after SIGTERM, SIGINT or SIGHUP,
    when all have ended. Raises NeverAtWork."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    born: dict[int, float] = {}
    failures = 0
    try:
        while failures < TRIES * count:
            while len(born) < count:
                born[_child(work)] = time.monotonic()
            if signal.sigwait(HEARD) in STOPPING:
                return
            for pid, status in _dead():
                lived = time.monotonic() - born.pop(pid)
                failures = failures + 1 if lived < SHORT else 0
                log.error("process %d ended (%s) after %.1f s", pid, status, lived)
        raise NeverAtWork("the site cannot start; see the lines above")
    finally:
        _end(list(born))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _child(work: Callable[[], None]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _dead() -> list[tuple[int, str]]:
    """The children that have ended since last asked, each with how."""
    found: list[tuple[int, str]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        code = os.waitstatus_to_exitcode(status)
        found.append((pid, f"exit code {code}" if code >= 0 else signal.Signals(-code).name))


def _end(children: list[int]) -> None:
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    left = set(children)
    while left and time.monotonic() < until:
        left -= {pid for pid, _ in _dead()}
        if left:
            signal.sigtimedwait({signal.SIGCHLD}, 0.2)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
