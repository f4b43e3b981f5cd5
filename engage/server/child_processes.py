"""Supervision of child processes: restart those that die, until told to stop."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
HANDLED_SIGNALS = STOP_SIGNALS | {signal.SIGCHLD}
PATIENCE = 20.0  # seconds a child may take to finish what it is doing
SHORT = 5.0  # seconds; a child that dies sooner than this never started properly
TRIES = 3  # consecutive failed starts of children before giving up

Work = Callable[[], None]

log = logging.getLogger("engage.serve")


class ChildStartFailed(Exception):
    """Child processes die as soon as they start; the log has the reason."""


def supervise(work: Sequence[Work], beside: Sequence[Work] = ()) -> None:
    """Run each callable in its own child process, and start a new one for each that dies. Returns after SIGTERM, SIGINT
    or SIGHUP, when all have ended. Raises ChildStartFailed if those in `work` cannot start; those in `beside` are
    retried without limit, and each failure is logged."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
    watched = [*work, *beside]
    born: dict[int, tuple[int, float]] = {}  # by process id: index in `watched`, and start time
    failures = 0
    try:
        while not work or failures < TRIES * len(work):
            at_work = {which for which, _ in born.values()}
            for which in set(range(len(watched))) - at_work:
                born[_start_child(watched[which])] = which, time.monotonic()
            if signal.sigwait(HANDLED_SIGNALS) in STOP_SIGNALS:
                return
            for pid, status in _reap_children():
                which, since = born.pop(pid)
                lived = time.monotonic() - since
                if which < len(work):
                    failures = failures + 1 if lived < SHORT else 0
                log.error("process %d ended (%s) after %.1f s", pid, status, lived)
        raise ChildStartFailed("the site cannot start; see the lines above")
    finally:
        _stop_children(list(born))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_child(work: Work) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)
        work()
        code = 0
    except BaseException as problem:
        log.critical("a process cannot go on: %s", problem, exc_info=True)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _reap_children() -> list[tuple[int, str]]:
    """The children that have ended since the last call: process id and how each ended."""
    exited: list[tuple[int, str]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return exited
        if pid == 0:
            return exited
        code = os.waitstatus_to_exitcode(status)
        exited.append((pid, f"exit code {code}" if code >= 0 else signal.Signals(-code).name))


def _stop_children(children: list[int]) -> None:
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    left = set(children)
    while left and time.monotonic() < until:
        left -= {pid for pid, _ in _reap_children()}
        if left:
            signal.sigtimedwait({signal.SIGCHLD}, 0.2)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
