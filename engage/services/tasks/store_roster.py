"""Storing of a confirmed roster import in many short transactions, so that families' answers hardly wait. The row of
the import has the number of parts that are stored, in the transaction that stores them, so a process that ends in the
middle loses nothing: the worker, the roster page, or `engage roster continue` continues after the last transaction.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from random import Random, SystemRandom

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.roster.diff import build_preview
from engage.domain.roster.import_parts import ImportPart, fix_parts, list_parts
from engage.domain.roster.import_state import RosterIncomplete, find_unfinished_import, unfinished_folder
from engage.domain.roster.importer import (
    HOME_KEY,
    Importer,
    ImportOptions,
    OptOutsChanged,
    RosterChanged,
    begin_import,
    seal_names,
)
from engage.domain.roster.opt_outs import OPT_OUT_KEY, stage_opt_outs
from engage.domain.roster.row_parsing import FlagColumns
from engage.domain.roster.staging_db import FILE, StagingDb, claim_folder, delete_folder, find_folder, sync_folder
from engage.domain.roster.updates import mark_stored
from engage.domain.security.audit_anchor import record_system_event
from engage.domain.security.audit_log import COMMAND_LINE, SITE, AuditEntry
from engage.domain.security.encryption import Sealer, derive_key
from engage.services.runtime import Runtime
from engage.storage.engine import pause_after, read_session, write_session
from engage.storage.models.roster import STORED, STORING, RosterImport
from engage.storage.models.staff import Staff

BUDGET = 0.04  # seconds after which a transaction takes no further part
AHEAD = 40  # parts read before a transaction; it stores fewer if it takes long
ATTEMPTS = 3  # to begin while nobody changes opt-outs
TURN = 5.0  # seconds that the worker stores an import before it looks after its other work

Progress = Callable[[str, int], None]
"""Called after each kind of rows, with its name and their number."""

RNG = SystemRandom()
log = logging.getLogger("engage.worker")


@dataclass(frozen=True, slots=True)
class ImportSite:
    """The site that a roster is imported into. `now` has a time zone. `budget`: see BUDGET."""

    engine: Engine
    settings: Settings
    now: datetime
    rng: Random = RNG
    budget: float = BUDGET


class _PartQueue:
    """The next parts, read before a transaction begins."""

    def __init__(self, parts: Iterator[ImportPart]) -> None:
        self.parts, self.waiting, self.is_last = parts, deque[ImportPart](), False

    def fill(self) -> None:
        """Read the next parts. `is_last` is set if there are no others."""
        self.waiting.extend(islice(self.parts, AHEAD - len(self.waiting)))
        self.is_last = len(self.waiting) < AHEAD


@dataclass(slots=True)
class _Storing:
    """An import that is being stored: its id, how many parts are stored, the others, and the audit log's numbers."""

    id: str
    step: int
    queue: _PartQueue
    counts: Mapping[str, int]
    is_complete: bool = False


def build_import_options(settings: Settings, now: datetime, rng: Random = RNG) -> ImportOptions:
    """The options of an import at a site. `now` has a time zone."""
    homes, refusing = (derive_key(settings.secret().encode(), purpose) for purpose in (HOME_KEY, OPT_OUT_KEY))
    flags = FlagColumns.of(settings.roster_learner_columns, settings.roster_disability_columns)
    today, sealer = settings.local_day(now), Sealer.of(settings)
    return ImportOptions(today, settings.keep_names, homes, sealer, rng, refusing, flags)


def _ignore_progress(_what: str, _number: int) -> None:
    pass


def _never() -> bool:
    return False


def begin_roster(site: ImportSite, folder: Path, by: int | None) -> None:
    """Prepare the parts of a confirmed import and record that it has begun. The caller holds the folder's claim. Does
    nothing if it has begun already. Raises RosterChanged, FullRosterNeeded; then nothing was changed."""
    with read_session(site.engine) as session:
        if unfinished_folder(session) == folder.name:
            return
    who = Importer(by, site.settings.local_day(site.now), site.rng)
    with StagingDb(folder / FILE) as stage:
        seal_names(stage, Sealer.of(site.settings))
        fix_parts(stage)
        seen = build_preview(stage)
        for attempt in range(ATTEMPTS):
            with read_session(site.engine) as session:
                stage_opt_outs(session, stage, who.today)
            _sync(folder)
            try:
                with write_session(site.engine) as session:
                    begin_import(session, stage, seen, folder.name, who)
                    session.commit()
                return
            except OptOutsChanged:
                if attempt + 1 == ATTEMPTS:
                    raise


def _sync(folder: Path) -> None:
    """Write the staging database to disk. Raises RosterChanged if a newer automatic update has deleted it."""
    try:
        sync_folder(folder)
    except FileNotFoundError as problem:
        raise RosterChanged("A newer update took the place of this one.") from problem


def continue_roster(
    site: ImportSite, folder: Path, progress: Progress = _ignore_progress, stopping: Callable[[], bool] = _never
) -> bool:
    """Store the parts of the import in this folder that are not stored, and then delete the folder. The caller holds
    its claim. Returns False if `stopping` came first. Raises RosterChanged if another import replaced it, and
    PartsChanged if another version began it."""
    with read_session(site.engine) as session:
        unfinished = find_unfinished_import(session)
    if unfinished is None or unfinished.folder != folder.name:
        raise RosterChanged("Another roster was imported in the meantime.")
    with StagingDb(folder / FILE) as stage:
        queue = _PartQueue(_report(islice(list_parts(stage), unfinished.step, None), progress))
        storing = _Storing(unfinished.id, unfinished.step, queue, build_preview(stage).audit_counts)
        while not storing.is_complete:
            if stopping():
                return False
            _store_parts(site, storing)
    delete_folder(folder)
    return True


def store_roster(site: ImportSite, folder: Path, by: int | None, progress: Progress = _ignore_progress) -> None:
    """Store a confirmed import from its beginning to its end. Raises RosterChanged, OptOutsChanged, FullRosterNeeded
    before anything was changed."""
    begin_roster(site, folder, by)
    continue_roster(site, folder, progress)


def require_no_running_import(engine: Engine, site_dir: Path) -> None:
    """Raise RosterIncomplete while a process stores a roster. An interrupted import can be replaced."""
    with read_session(engine) as session:
        name = unfinished_folder(session)
    folder = find_folder(site_dir, name) if name else None
    if folder is not None:
        with claim_folder(folder) as is_idle:
            if not is_idle:
                raise RosterIncomplete


def _store_parts(site: ImportSite, storing: _Storing) -> None:
    """Store some parts in one transaction, then wait for as long as it took: families wait for it, and the next one
    must not begin before they had their turn. Raises RosterChanged."""
    queue = storing.queue
    queue.fill()
    with write_session(site.engine) as session:
        importing = session.get(RosterImport, storing.id, with_for_update=True)
        if importing is None or (importing.state, importing.step) != (STORING, storing.step):
            raise RosterChanged("Another roster was imported in the meantime.")
        began = time.monotonic()
        while queue.waiting:
            queue.waiting.popleft().write(session)
            importing.step += 1
            if time.monotonic() - began >= site.budget:
                break
        if queue.is_last and not queue.waiting:
            _complete_import(site, session, importing, storing.counts)
        session.commit()
    storing.step, storing.is_complete = importing.step, importing.state == STORED
    if not storing.is_complete:
        pause_after(time.monotonic() - began)


def _complete_import(site: ImportSite, session: Session, importing: RosterImport, counts: Mapping[str, int]) -> None:
    """Record that all is stored, with an entry in the audit log by the person who began the import."""
    importing.state, importing.folder = STORED, None
    mark_stored(session, importing.id, site.now)
    person = session.get(Staff, importing.imported_by) if importing.imported_by is not None else None
    actor = person.email if person else SITE if importing.source else COMMAND_LINE
    record_system_event(session, site.settings, site.now, AuditEntry(actor, "import roster", importing.id, counts))


def _report(parts: Iterator[ImportPart], progress: Progress) -> Iterator[ImportPart]:
    """Yield the parts, and report each kind of rows when its last part is stored."""
    what, rows = "", 0
    for part in parts:
        if part.what != what and rows:
            progress(what, rows)
            rows = 0
        what, rows = part.what, rows + part.rows
        yield part
    if rows:
        progress(what, rows)


class InterruptedImports:
    """Continues an import whose process ended, if its folder is on this machine."""

    def __init__(self, runtime: Runtime, stopping: Callable[[], bool]) -> None:
        self.runtime, self.stopping, self.failed = runtime, stopping, ""

    def poll(self) -> None:
        """Store a part of an interrupted import; called often. Raises DBAPIError."""
        with read_session(self.runtime.engine) as session:
            name = unfinished_folder(session)
        folder = find_folder(self.runtime.settings.site_dir, name) if name and name != self.failed else None
        if folder is None:
            return
        try:
            with claim_folder(folder) as is_mine:
                if is_mine:
                    self._continue(folder)
        except DBAPIError:
            raise
        except Exception:
            log.exception("an interrupted roster import could not be continued; import the roster again")
            self.failed = folder.name

    def _continue(self, folder: Path) -> None:
        site = ImportSite(self.runtime.engine, self.runtime.settings, self.runtime.now())
        end = time.monotonic() + TURN
        continue_roster(site, folder, stopping=lambda: self.stopping() or time.monotonic() >= end)
