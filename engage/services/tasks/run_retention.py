"""Nightly retention: one worker of a site runs it, and each worker deletes the files of its own data directory."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engage.services.retention import run_schedule
from engage.services.retention.running import Retention, run_local_policies, run_retention
from engage.storage.engine import database_now, read_session, write_session

PERIOD = 60.0  # seconds between checks whether a run is due

log = logging.getLogger("engage.worker")


@dataclass
class NightlyRetention:
    """Runs retention in its own thread when it is due. `worker` is the worker's stable name; None on a machine that
    only deletes its own files. `clock` returns the moment; by default it is the database's."""

    engine: Engine
    retention: Retention
    worker: str | None
    clock: Callable[[Session], datetime] = database_now
    _next: float = 0.0  # by time.monotonic
    _local: date | None = None  # the last night whose files were deleted
    _thread: threading.Thread | None = field(default=None)

    def poll(self) -> None:
        """Start a run if one is due; called often. Raises SQLAlchemyError."""
        if time.monotonic() < self._next or (self._thread and self._thread.is_alive()):
            return
        self._next = time.monotonic() + PERIOD
        with read_session(self.engine) as session:
            now = self.clock(session)
        night = run_schedule.due_night(now, self.retention.zone)
        claimed = self.worker is not None and self._claim(night, now)
        if claimed or self._local != night:
            self._thread = threading.Thread(target=self._run, args=(night, now, claimed), daemon=True)
            self._thread.start()

    def stop(self, seconds: float) -> None:
        """Wait for a run in progress. An interrupted one is resumed at the next start."""
        if self._thread:
            self._thread.join(seconds)

    def _claim(self, night: date, now: datetime) -> bool:
        assert self.worker is not None
        with read_session(self.engine) as session:
            if not run_schedule.is_claimable(session, night, self.worker, now):
                return False
        with write_session(self.engine) as session:
            claimed = run_schedule.claim_run(session, night, self.worker, now)
            session.commit()
        return claimed

    def _run(self, night: date, now: datetime, claimed: bool) -> None:
        try:
            policies = self.retention.due(now)
            if claimed:
                assert self.worker is not None
                done = run_retention(self.engine, policies, night, self.worker, self.retention.record)
                log.info(
                    "retention: %d deleted, %d left%s", sum(done.before), sum(done.after), _problem_suffix(done.problem)
                )
            else:
                run_local_policies(self.engine, policies)
            self._local = night
        except Exception as problem:
            log.exception("retention was interrupted; it is tried again")
            if claimed:
                self._fail(night, f"it was interrupted ({type(problem).__name__}); the log of the worker says why")

    def _fail(self, night: date, problem: str) -> None:
        try:
            with write_session(self.engine) as session:
                run_schedule.end_run(session, night, {}, problem, database_now(session))
                session.commit()
        except SQLAlchemyError:  # the database is unreachable: the run counts as interrupted, and is resumed
            log.error("that retention was interrupted could not be written down")


def _problem_suffix(problem: str) -> str:
    return f"; {problem}" if problem else ""
