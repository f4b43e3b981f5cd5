"""A roster import: read and compare, encrypt, begin. Its parts are then stored in many short transactions
(import_parts.py, services/tasks/store_roster.py), so that families who are sending answers hardly wait.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random

from sqlalchemy.orm import Session

from engage.domain.roster import opt_outs
from engage.domain.roster.current_roster import TextSealer, copy_current_roster, school_id_generator
from engage.domain.roster.diff import Preview, build_preview, compare_roster, group_remarks
from engage.domain.roster.files import RosterSource
from engage.domain.roster.household_matching import assign_new_ids, match_households
from engage.domain.roster.import_state import find_unfinished_import, roster_version
from engage.domain.roster.merge import merge_roster
from engage.domain.roster.oneroster import ReadingContext, read_files
from engage.domain.roster.remarks import RosterRefused
from engage.domain.roster.row_parsing import NO_FLAG_COLUMNS, FlagColumns
from engage.domain.roster.staging_db import StagingDb
from engage.domain.roster.updates import mark_storing
from engage.storage.models.base import RANDOM_ID
from engage.storage.models.roster import REPLACED, STORING, RosterImport

HOME_KEY = "roster homes"  # purpose of the derived key for digests of home keys
Progress = Callable[[str, int], None]
"""Called after each step with its name and a number of rows."""


class RosterChanged(Exception):
    """Another import was stored between the preview and its confirmation. The files must be read again."""


class OptOutsChanged(Exception):
    """Opt-outs were changed while the import was prepared. `opt_outs.stage_opt_outs` must run again."""


class FullRosterNeeded(Exception):
    """Files that list changes only cannot follow an interrupted import, of which part of the rows are missing."""


@dataclass(frozen=True, slots=True)
class Importer:
    """Who imports, and when. `by` is the staff id, or None for the command line."""

    by: int | None
    today: date
    rng: Random


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options of an import. `today` decides which roles have ended; `keep_names` is the setting; `home_key` (HOME_KEY)
    is for digests of home keys; `opt_out_key` (opt_outs.OPT_OUT_KEY) is for digests of children who are opted out;
    `flags` are columns of the settings."""

    today: date
    keep_names: bool
    home_key: bytes
    sealer: TextSealer
    rng: Random
    opt_out_key: bytes
    flags: FlagColumns = NO_FLAG_COLUMNS


def _ignore_progress(_what: str, _number: int) -> None:
    pass


def prepare_import(
    session: Session, source: RosterSource, stage: StagingDb, how: ImportOptions, progress: Progress = _ignore_progress
) -> Preview:
    """Read the files and compare them with the database, which is not changed. Raises RosterRefused, with the remarks
    so far."""
    try:
        return _compare_files(session, source, stage, how, progress)
    except RosterRefused as refused:
        refused.remarks = group_remarks(stage)
        raise


def _compare_files(
    session: Session, source: RosterSource, stage: StagingDb, how: ImportOptions, progress: Progress
) -> Preview:
    reading = ReadingContext(stage, how.today, how.keep_names, how.home_key, how.flags)
    read_files(source, reading)
    progress("rows read", sum(stage.size(each) for each in ("orgs", "users", "roles", "classes", "enrollments")))
    copy_current_roster(session, stage, how.sealer, how.keep_names)
    progress("students now", stage.size("now_students"))
    merge_roster(stage, how.keep_names, school_id_generator(session))
    progress("students in the files", stage.size("want_students"))
    match_households(stage, how.keep_names)
    assign_new_ids(stage, lambda: f"{how.rng.getrandbits(128):0{RANDOM_ID}x}")
    progress("households", stage.size("want_homes"))
    compare_roster(stage)
    opt_outs.stage_digests(stage, how.opt_out_key)
    seen = build_preview(stage)
    progress("changes", sum(change.total for change in seen.changes.values()))
    return seen


def seal_names(stage: StagingDb, sealer: TextSealer) -> None:
    """Encrypt the names of added and changed people before the transaction begins."""
    stage.sql.execute("begin")
    stage.run("drop table if exists sealed")
    stage.run("create table sealed (kind text, id text, sealed blob, primary key (kind, id)) without rowid")
    for kind, table, name in (
        ("students", "want_students", "name"),
        ("guardians", "want_guardians", "contact"),
        ("households", "want_households", "greeting"),
    ):
        rows = stage.all(
            f"select f.kind, w.id, w.{name} from fates as f join {table} as w on w.id = f.id "  # noqa: S608
            "where f.kind = ? and f.fate <> 'gone'",
            kind,
        )
        stage.put("sealed", ((kind, id, None if text is None else sealer.seal(text)) for kind, id, text in rows))
    stage.sql.execute("commit")


def begin_import(session: Session, stage: StagingDb, seen: Preview, folder: str, who: Importer) -> RosterImport:
    """Add the import to the caller's transaction; its parts (import_parts.py) are still to be stored. An interrupted
    import is replaced by that of full files. Raises RosterChanged, OptOutsChanged, FullRosterNeeded.
    """
    if roster_version(session) != stage.stored_value("moment"):
        raise RosterChanged("The roster was imported by somebody else in the meantime. Read the files again.")
    if opt_outs.opt_out_version(session) != stage.stored_value("opt_outs"):
        raise OptOutsChanged("The opt-outs were changed in the meantime.")
    if interrupted := find_unfinished_import(session):
        if seen.delta:
            raise FullRosterNeeded("An earlier import was interrupted. Import a full export, not a list of changes.")
        interrupted.state, interrupted.folder = REPLACED, None
        session.flush()
    begun = RosterImport(
        id=f"{who.rng.getrandbits(128):0{RANDOM_ID}x}",
        imported_on=who.today,
        imported_by=who.by,
        digest=seen.digest,
        added=seen.sum("added"),
        changed=seen.sum("changed"),
        gone=seen.sum("gone"),
        refused=seen.refused,
        state=STORING,
        folder=folder,
        source=stage.stored_value("source") or "",
    )
    session.add(begun)
    session.flush()
    if not mark_storing(session, stage.stored_value("update"), begun):
        raise RosterChanged("A newer update took the place of this one.")
    return begun
