"""Automatic updates of the roster by the worker: when one is due, and its thread. Preparing a large roster takes most
of a minute, and the worker's other work must not wait for it."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from engage.domain.roster.deliveries import FolderProblem, WatchedFolder
from engage.domain.roster.import_state import RosterIncomplete
from engage.domain.roster.update_schedule import is_full_needed, next_start
from engage.domain.roster.updates import begin_update, end_update, update_status
from engage.services.runtime import Runtime
from engage.services.tasks.context import run_with_low_priority
from engage.services.tasks.store_roster import ImportSite
from engage.services.tasks.update_roster import claim_updates, update_from_folder, update_from_server
from engage.storage.engine import database_now, read_session, write_session
from engage.storage.models.roster import FOLDER
from engage.storage.models.roster_updates import FAILED, RosterUpdate

PERIOD = 15.0  # seconds between looks
PAUSE = 600.0  # seconds after an update that failed

log = logging.getLogger("engage.worker")


@dataclass
class RosterUpdates:
    """Runs an automatic update in its own thread when one is due. Does nothing at a site without a source."""

    runtime: Runtime
    stopping: Callable[[], bool]
    _watched: WatchedFolder | None = None
    _next: float = 0.0  # by time.monotonic
    _thread: threading.Thread | None = field(default=None)

    def poll(self) -> None:
        """Look whether an update is due; called often."""
        settings = self.runtime.settings
        has_source = settings.roster_dir or settings.roster_url
        if not has_source or time.monotonic() < self._next or (self._thread and self._thread.is_alive()):
            return
        self._next = time.monotonic() + PERIOD
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Wait for an update in progress. An interrupted one is tried again, or continued."""
        if self._thread:
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            with claim_updates(self.runtime.settings.site_dir) as is_mine:
                row = run_with_low_priority(self._update) if is_mine else None
            if row is not None and row.state == FAILED and self.runtime.settings.roster_dir:
                self._next = time.monotonic() + PAUSE
        except RosterIncomplete:
            log.info("the roster is not updated while another import is being stored")
        except SQLAlchemyError as problem:
            log.error("the roster could not be updated: the database did not answer: %s", problem)
        except Exception:
            log.exception("the roster could not be updated; it is tried again")
            self._next = time.monotonic() + PAUSE

    def _update(self) -> RosterUpdate | None:
        """Run an update that is due; returns its row, or None if none is due."""
        site = build_update_site(self.runtime)
        row = self._from_folder(site) if site.settings.roster_dir else self._from_server(site)
        if row is not None:
            log.info("the roster was updated automatically: %s %s", row.state, row.reason)
        return row

    def _from_folder(self, site: ImportSite) -> RosterUpdate | None:
        self._watched = self._watched or WatchedFolder(Path(site.settings.roster_dir))
        try:
            delivery, _ = self._watched.find_complete(time.monotonic())
        except FolderProblem as problem:
            return _record_folder_problem(site, problem)
        if delivery is None:
            return None
        return update_from_folder(site, self._watched.path, delivery, self.stopping)

    def _from_server(self, site: ImportSite) -> RosterUpdate | None:
        with read_session(site.engine) as session:
            is_due = next_start(session, site.now, site.settings.timezone) <= site.now
            is_full = is_due and is_full_needed(session, site.now)
        return update_from_server(site, is_full, self.stopping) if is_due else None


def build_update_site(runtime: Runtime) -> ImportSite:
    """The site, at the database's time."""
    with read_session(runtime.engine) as session:
        return ImportSite(runtime.engine, runtime.settings, database_now(session))


def _record_folder_problem(site: ImportSite, problem: FolderProblem) -> RosterUpdate:
    """Record that the folder cannot be used, once as long as the reason is the same."""
    with read_session(site.engine) as session:
        latest = update_status(session).latest
    if latest is not None and (latest.state, latest.reason) == (FAILED, problem.code):
        return latest
    log.error("the folder of rosters cannot be used: %s", problem.code)
    with write_session(site.engine) as session:
        id = begin_update(session, FOLDER, True, site.now, site.rng)
        session.flush()
        row = session.get_one(RosterUpdate, id)
        end_update(row, FAILED, site.now, problem.code, problem.detail[-80:])
        session.commit()
        return row
