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
TRIES = 3  # consecutive failed starts of children before giving up, if none has ever worked
PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds before a failed child is started again; the pause doubles each time

Work = Callable[[], None]

log = logging.getLogger("engage.serve")


class ChildStartFailed(Exception):
    """Child processes die as soon as they start; the log has the reason."""


def supervise(work: Sequence[Work], beside: Sequence[Work] = ()) -> None:
    """Run each callable in its own child process, and start a new one for each that dies. Returns after SIGTERM, SIGINT
    or SIGHUP, when all have ended. Raises ChildStartFailed if those in `work` cannot start. Once one of them has
    worked, they are retried without limit, as those in `beside` are, and each failure is logged."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
    children = _Children(work, beside)
    try:
        while not children.cannot_start():
            children.start_missing()
            if signal.sigwait(HANDLED_SIGNALS) in STOP_SIGNALS:
                return
            children.reap()
            if (pause := children.pause()) and signal.sigtimedwait(STOP_SIGNALS, pause):
                return
        raise ChildStartFailed("the site cannot start; see the lines above")
    finally:
        _stop_children(list(children.born))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Children:
    """The child processes, and how many in a row died as soon as they started."""

    def __init__(self, work: Sequence[Work], beside: Sequence[Work]) -> None:
        self.watched, self.needed = [*work, *beside], len(work)
        self.born: dict[int, tuple[int, float]] = {}  # by process id: index in `watched`, and start time
        self.failures = 0
        self.has_worked = False

    def cannot_start(self) -> bool:
        """Whether every start of a needed child has failed so far, often enough to give up."""
        return not self.has_worked and self.needed > 0 and self.failures >= TRIES * self.needed

    def start_missing(self) -> None:
        at_work = {which for which, _ in self.born.values()}
        for which in set(range(len(self.watched))) - at_work:
            self.born[_start_child(self.watched[which])] = which, time.monotonic()

    def reap(self) -> None:
        """Forget the children that have ended, and log how."""
        now = time.monotonic()
        self.has_worked |= any(which < self.needed and now - since >= SHORT for which, since in self.born.values())
        for pid, status in _reap_children():
            which, since = self.born.pop(pid)
            if which < self.needed:
                self.failures = self.failures + 1 if now - since < SHORT else 0
            log.error("process %d ended (%s) after %.1f s", pid, status, now - since)

    def pause(self) -> float:
        """Seconds to wait before the next start. A site that has never worked gives up instead, and soon."""
        if not self.has_worked or not self.failures:
            return 0.0
        doubled: float = PAUSE * 2 ** min(self.failures - 1, 10)  # the exponent is bounded: failures are not
        return min(LONGEST_PAUSE, doubled)


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
