"""Retention each night: one worker of a site runs it, and each deletes the files of its own data directory."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engage.services.retention import nights
from engage.services.retention.running import Retention, run, run_local
from engage.storage.engine import reading, writing
from engage.storage.utc import database_now

PERIOD = 60.0  # seconds between questions whether a run is due

log = logging.getLogger("engage.worker")


@dataclass
class Nightly:
    """Runs what is due in a thread of its own. `worker` names who runs it, the same after each start; None on a machine
    that only deletes its own files. `clock` says the moment, asked of the database unless given."""

    engine: Engine
    retention: Retention
    worker: str | None
    clock: Callable[[Session], datetime] = database_now
    _next: float = 0.0  # by time.monotonic
    _local: date | None = None  # the night whose files are deleted
    _thread: threading.Thread | None = field(default=None)

    def look(self) -> None:
        """Begin a run where one is due; called often. Raises SQLAlchemyError."""
        if time.monotonic() < self._next or (self._thread and self._thread.is_alive()):
            return
        self._next = time.monotonic() + PERIOD
        with reading(self.engine) as session:
            now = self.clock(session)
        night = nights.night_of(now, self.retention.zone)
        claimed = self.worker is not None and self._claim(night, now)
        if claimed or self._local != night:
            self._thread = threading.Thread(target=self._run, args=(night, now, claimed), daemon=True)
            self._thread.start()

    def stop(self, seconds: float) -> None:
        """Wait for a run under way. One that is cut short is taken up again at the next start."""
        if self._thread:
            self._thread.join(seconds)

    def _claim(self, night: date, now: datetime) -> bool:
        assert self.worker is not None
        with reading(self.engine) as session:
            if not nights.is_free(session, night, self.worker, now):
                return False
        with writing(self.engine) as session:
            claimed = nights.claim(session, night, self.worker, now)
            session.commit()
        return claimed

    def _run(self, night: date, now: datetime, claimed: bool) -> None:
        try:
            policies = self.retention.due(now)
            if claimed:
                assert self.worker is not None
                done = run(self.engine, policies, night, self.worker, self.retention.record)
                log.info("retention: %d deleted, %d left%s", sum(done.before), sum(done.after), _because(done.problem))
            else:
                run_local(self.engine, policies)
            self._local = night
        except Exception as problem:
            log.exception("retention was interrupted; it is tried again")
            if claimed:
                self._fail(night, f"it was interrupted ({type(problem).__name__}); the log of the worker says why")

    def _fail(self, night: date, problem: str) -> None:
        try:
            with writing(self.engine) as session:
                nights.end(session, night, {}, problem, database_now(session))
                session.commit()
        except SQLAlchemyError:  # the database is away: the run counts as interrupted, and is taken up again
            log.error("that retention was interrupted could not be written down")


def _because(problem: str) -> str:
    return f"; {problem}" if problem else ""
