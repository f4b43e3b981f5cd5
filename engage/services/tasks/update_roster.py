"""One automatic update of the roster: its files are prepared and compared as in an import by hand, and stored, unless a
person must confirm them. A process that ends in the middle loses nothing: the files are still where they came from, and
a begun import is continued."""

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from gettext import NullTranslations
from pathlib import Path

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from engage.base.clock import with_zone
from engage.base.files import try_lock
from engage.domain.roster.deliveries import (
    Delivery,
    DeliveryChanged,
    copy_delivery,
    empty_folder,
    open_copy,
    set_aside,
)
from engage.domain.roster.diff import Preview
from engage.domain.roster.files import RosterSource, open_roster
from engage.domain.roster.import_state import RosterIncomplete, find_unfinished_import, unfinished_folder
from engage.domain.roster.importer import FullRosterNeeded, OptOutsChanged, RosterChanged, prepare_import
from engage.domain.roster.oneroster_client import OneRosterServer, ServerAddress, read_secret
from engage.domain.roster.oneroster_download import download_roster
from engage.domain.roster.remarks import RosterRefused
from engage.domain.roster.row_parsing import FlagColumns
from engage.domain.roster.staging_db import FILE, StagingDb, claim_folder, delete_folder, find_folder, new_folder
from engage.domain.roster.update_messages import UpdateProblem, update_sentence
from engage.domain.roster.updates import (
    begin_update,
    end_update,
    find_last_success,
    find_review_reason,
    let_wait,
    needed_folders,
    note_preview,
)
from engage.domain.security.encryption import SealBroken
from engage.services.tasks.store_roster import ImportSite, begin_roster, build_import_options, continue_roster
from engage.storage.engine import read_session, write_session
from engage.storage.models.roster import FOLDER, SERVER
from engage.storage.models.roster_updates import FAILED, REFUSED, UNCHANGED, RosterUpdate

OVERLAP = timedelta(days=1)  # of two updates with changes only
LOCK_FILE = "roster-update.lock"  # in the site's directory; locked during an update
FILES_FOLDER = "files"  # in the folder of an update: the copied or downloaded files

log = logging.getLogger("engage.worker")
Stopping = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class NewUpdate:
    """An update that has begun: its site, the id of its row, its folder, and whether its process shall stop."""

    site: ImportSite
    id: str
    folder: Path
    stopping: Stopping

    @property
    def files(self) -> Path:
        """Where its files are copied to."""
        return self.folder / FILES_FOLDER


def claim_updates(site_dir: Path) -> AbstractContextManager[bool]:
    """Hold the lock of updates (`files.try_lock`)."""
    return try_lock(site_dir / LOCK_FILE)


def require_idle_roster(site: ImportSite) -> None:
    """Raise RosterIncomplete while an import is being stored, or will be continued. An update then waits for it."""
    with read_session(site.engine) as session:
        name = unfinished_folder(session)
    if name and find_folder(site.settings.site_dir, name):
        raise RosterIncomplete


@contextmanager
def new_update(site: ImportSite, source: str, is_full: bool, stopping: Stopping) -> Iterator[NewUpdate]:
    """Begin an update, and delete its folder at the end, unless it waits or is being stored. The caller holds the lock
    of updates. Whatever goes wrong is recorded, and raised again if nobody could expect it. Raises RosterIncomplete."""
    require_idle_roster(site)
    with write_session(site.engine) as session:
        id = begin_update(session, source, is_full, site.now, site.rng)
        session.commit()
    update = NewUpdate(site, id, new_folder(site.settings.site_dir), stopping)
    try:
        yield update
    except UpdateProblem as problem:
        finish_update(update, FAILED, problem.code, problem.detail)
    except RosterRefused as refused:
        finish_update(update, REFUSED, refused.code, refused.value)
    except (RosterChanged, OptOutsChanged, RosterIncomplete):
        finish_update(update, FAILED, "roster_changed")
    except SealBroken:
        finish_update(update, FAILED, "key_missing")
    except FullRosterNeeded:
        finish_update(update, FAILED, "full_needed")
    except BaseException:
        finish_update(update, FAILED, "unexpected")
        raise
    finally:
        _delete_unless_needed(update)


def finish_update(update: NewUpdate, state: str, reason: str = "", detail: str = "") -> None:
    """Record how an update ended, unless it is being stored: then the import says so."""
    with write_session(update.site.engine) as session:
        row = session.get_one(RosterUpdate, update.id, with_for_update=True)
        if row.folder is None:
            end_update(row, state, update.site.now, reason, detail)
            session.commit()


def _forget_update(update: NewUpdate) -> None:
    """Delete the row of an update whose files were not complete."""
    with write_session(update.site.engine) as session:
        session.execute(delete(RosterUpdate).where(RosterUpdate.id == update.id))
        session.commit()


def read_update(site: ImportSite, id: str) -> RosterUpdate:
    """Return the row of an update."""
    with read_session(site.engine) as session:
        return session.get_one(RosterUpdate, id)


def import_files(update: NewUpdate, opened: AbstractContextManager[RosterSource], source: str) -> None:
    """Prepare the files, delete the copies, and store the roster or let it wait for a person. Raises what the
    preparation and the beginning of an import raise."""
    site = update.site
    with StagingDb(update.folder / FILE) as stage:
        with opened as files, read_session(site.engine) as session:
            seen = prepare_import(session, files, stage, build_import_options(site.settings, site.now, site.rng))
        stage.keep("source", source)
        stage.keep("update", update.id)
        shutil.rmtree(update.files)
        must_store = _record_preview(update, stage, seen)
    if must_store:
        with claim_folder(update.folder):
            begin_roster(site, update.folder, None)
            continue_roster(site, update.folder, stopping=update.stopping)


def _record_preview(update: NewUpdate, stage: StagingDb, seen: Preview) -> bool:
    """Store the numbers of an update, and end it or let it wait. Returns whether it is to be stored now."""
    replaced: list[str] = []
    with write_session(update.site.engine) as session:
        row = session.get_one(RosterUpdate, update.id, with_for_update=True)
        note_preview(row, seen)
        reason = find_review_reason(session, stage, seen, update.site.now)
        must_store = not seen.nothing or find_unfinished_import(session) is not None  # it makes the roster whole again
        if not must_store:
            end_update(row, UNCHANGED, update.site.now)
        elif reason:
            replaced = let_wait(session, row, update.folder.name, reason)
        session.commit()
    for name in replaced:
        delete_folder(update.folder.with_name(name))
    return must_store and not reason


def _delete_unless_needed(update: NewUpdate) -> None:
    try:
        with read_session(update.site.engine) as session:
            is_needed = update.folder.name in needed_folders(session)
    except SQLAlchemyError:  # the database is away; retention deletes the folder if nothing needs it
        return
    if not is_needed:
        delete_folder(update.folder)


def update_from_folder(site: ImportSite, folder: Path, delivery: Delivery, stopping: Stopping) -> RosterUpdate | None:
    """Import a delivery from the watched folder. Its files are deleted once they are stored or wait for a person; what
    cannot be used is set aside with the reason. Returns the row; None if a file changed meanwhile. The caller holds the
    lock of updates. Raises RosterIncomplete."""
    id, is_arriving = "", False
    with new_update(site, FOLDER, True, stopping) as update:
        id = update.id
        try:
            copy_delivery(folder, delivery, update.files)
            import_files(update, open_copy(update.files), FOLDER)
            empty_folder(folder, delivery)
        except DeliveryChanged:
            is_arriving = True
            _forget_update(update)
        except (RosterRefused, FullRosterNeeded) as problem:
            refused = problem if isinstance(problem, RosterRefused) else RosterRefused("full_needed")
            set_aside(folder, delivery, update_sentence(refused.code, refused.value, NullTranslations()), site.now)
            raise refused from problem
    return None if is_arriving else read_update(site, id)


def update_from_server(
    site: ImportSite, is_full: bool, stopping: Stopping, pause: Callable[[float], None] = time.sleep
) -> RosterUpdate:
    """Import the roster of the OneRoster server: all of it, or what was modified since the last update. Returns the
    row. The caller holds the lock of updates. Raises RosterIncomplete."""
    settings, id = site.settings, ""
    since = None if is_full else find_since(site)

    def wait(seconds: float) -> None:
        if stopping():
            raise UpdateProblem("interrupted")
        pause(seconds)

    with new_update(site, SERVER, since is None, stopping) as update:
        id = update.id
        secret = read_secret(settings.roster_secret_file)
        address = ServerAddress(
            settings.roster_url, settings.roster_token_url, settings.roster_client_id, secret, settings.roster_scope
        )
        flags = FlagColumns.of(settings.roster_learner_columns, settings.roster_disability_columns)
        with OneRosterServer(address, wait) as server:
            download_roster(server, update.files, since, flags)
        import_files(update, open_roster(update.files), SERVER)
    return read_update(site, id)


def find_since(site: ImportSite) -> datetime | None:
    """Return the moment since which changes are asked for: well before the last update, since applying a change twice
    changes nothing, and clocks differ. None if everything is needed."""
    with read_session(site.engine) as session:
        last = find_last_success(session, SERVER)
    return None if last is None else with_zone(last.began_at) - OVERLAP
