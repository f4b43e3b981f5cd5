"""A roster import in three steps: read and compare, encrypt, store.

Only the last step locks the database for writing, so that families' submissions wait as little as possible.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from sqlalchemy import Boolean, bindparam, delete, insert, null, select, update
from sqlalchemy.orm import Session

from engage.domain.roster import opt_outs
from engage.domain.roster.current_roster import TextSealer, copy_current_roster, roster_version, school_id_generator
from engage.domain.roster.diff import Preview, build_preview, compare_roster, group_remarks
from engage.domain.roster.files import RosterSource
from engage.domain.roster.household_matching import assign_new_ids, match_households
from engage.domain.roster.merge import merge_roster
from engage.domain.roster.oneroster import ReadingContext, read_files
from engage.domain.roster.remarks import RosterRefused
from engage.domain.roster.staging_db import StagingDb, batches
from engage.storage.fast_statements import BulkStatement
from engage.storage.models.base import RANDOM_ID
from engage.storage.models.invitations import Invitation
from engage.storage.models.roster import (
    Guardian,
    Guardianship,
    HouseholdGuardian,
    HouseholdStudent,
    RosterImport,
    Student,
)
from engage.storage.models.schools import Household, School

HOME_KEY = "roster homes"  # purpose of the derived key for digests of home keys
Progress = Callable[[str, int], None]
"""Called after each step with its name and a number of rows."""


class RosterChanged(Exception):
    """Another import was stored between the preview and its confirmation. The files must be read again."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options of an import. `today` decides which roles have ended; `keep_names` is the setting; `home_key` (HOME_KEY)
    is for digests of home keys; `opt_out_key` (opt_outs.OPT_OUT_KEY) is for digests of children who are opted out."""

    today: date
    keep_names: bool
    home_key: bytes
    sealer: TextSealer
    rng: Random
    opt_out_key: bytes


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
    reading = ReadingContext(stage, how.today, how.keep_names, how.home_key)
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


def store_roster(
    session: Session, stage: StagingDb, today: date, by: int | None, rng: Random, progress: Progress = _ignore_progress
) -> str:
    """Write a prepared and encrypted import in the caller's transaction; returns the id of the import.

    Raises RosterChanged; never commits. `by` is the staff id, or None for the command line.
    """
    if roster_version(session) != stage.stored_value("moment"):
        raise RosterChanged("The roster was imported by somebody else in the meantime. Read the files again.")
    opt_outs.mark_before_import(session, stage, today)
    for what, table, columns, query in WRITES:
        progress(what, _write_rows(session, table, columns, stage, query))
    _delete_gone(session, stage)
    progress("opt-outs taken over", opt_outs.apply_after_import(session, stage, today))
    seen = build_preview(stage)
    done = RosterImport(
        id=f"{rng.getrandbits(128):0{RANDOM_ID}x}",
        imported_on=today,
        imported_by=by,
        digest=seen.digest,
        added=seen.sum("added"),
        changed=seen.sum("changed"),
        gone=seen.sum("gone"),
        refused=seen.refused,
    )
    session.add(done)
    session.flush()
    return done.id


# Kind, table, columns (the key first), and a query for their values after the kind of change. Schools first, links last
WRITES: Sequence[tuple[str, Any, tuple[str, ...], str]] = (
    (
        "schools",
        School,
        ("id", "name", "source_id", "active"),
        "select f.fate, w.* from fates as f join want_schools as w on w.id = f.id where f.kind = 'schools'",
    ),
    (
        "students",
        Student,
        ("id", "school_id", "grade", "class_name", "home_language", "english_learner", "disability", "name"),
        "select f.fate, w.id, w.school, w.grade, w.class, w.language, w.learner, w.disability, s.sealed "
        "from fates as f join want_students as w on w.id = f.id join sealed as s on s.kind = f.kind and s.id = f.id "
        "where f.kind = 'students'",
    ),
    (
        "guardians",
        Guardian,
        ("id", "reads", "speaks", "home", "contact"),
        "select f.fate, w.id, w.reads, w.speaks, w.home, s.sealed from fates as f "
        "join want_guardians as w on w.id = f.id join sealed as s on s.kind = f.kind and s.id = f.id "
        "where f.kind = 'guardians'",
    ),
    (
        "households",
        Household,
        ("id", "school_id", "language", "speaks", "greeting"),
        "select f.fate, w.id, w.school, w.language, w.speaks, s.sealed from fates as f "
        "join want_households as w on w.id = f.id join sealed as s on s.kind = f.kind and s.id = f.id "
        "where f.kind = 'households'",
    ),
    (
        "guardianships",
        Guardianship,
        ("student_id", "guardian_id", "position"),
        "select 'added', student, guardian, position from new_links where before is null order by student, guardian",
    ),
    (
        "students of households",
        HouseholdStudent,
        ("household_id", "student_id"),
        "select 'added', household, member from new_members where kind = 's' order by household, member",
    ),
    (
        "guardians of households",
        HouseholdGuardian,
        ("household_id", "guardian_id"),
        "select 'added', household, member from new_members where kind = 'g' order by household, member",
    ),
)


def _write_rows(session: Session, table: Any, columns: tuple[str, ...], stage: StagingDb, query: str) -> int:
    """Insert added rows and update changed ones in batches; returns their number. The key is the first column."""
    rows, total, here = table.__table__, 0, session.connection()
    flags = [name for name in columns if isinstance(rows.c[name].type, Boolean)]
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    new = BulkStatement(here, insert(rows).values(values), columns, flags)
    changed = (
        [] if len(columns) < 3 else [_where_keys(update(rows), columns[0]).values({n: values[n] for n in columns[1:]})]
    )
    old = [BulkStatement(here, each, ("key0", *columns[1:]), flags) for each in changed]  # links never change
    for batch in batches(stage.all(query)):
        total += len(batch)
        new.run([row[1:] for row in batch if row[0] == "added"])
        for each in old:
            each.run([row[1:] for row in batch if row[0] != "added"])
    return total


def _delete_gone(session: Session, stage: StagingDb) -> None:
    """Delete links that moved or ended, then removed people and households.

    A household with an invitation stays, without members and names.
    """
    moved = stage.all("select student, guardian, position from new_links where before is not null")
    moves = _where_keys(update(Guardianship), "student_id", "guardian_id").values(position=bindparam("value"))
    _run_batches(session, moves, moved, "key0", "key1", "value")
    over = stage.all("select student, guardian from old_links")
    _run_batches(session, _where_keys(delete(Guardianship), "student_id", "guardian_id"), over, "key0", "key1")
    for kind, members, member in (("s", HouseholdStudent, "student_id"), ("g", HouseholdGuardian, "guardian_id")):
        left = stage.all("select household, member from old_members where kind = ?", kind)
        _run_batches(session, _where_keys(delete(members), "household_id", member), left, "key0", "key1")
    _run_batches(session, _where_keys(update(Household), "id").values(greeting=null()), _gone_ids(stage, "households"))
    invited = select(Invitation.household_id).where(Invitation.household_id == Household.id).exists()
    _run_batches(session, _where_keys(delete(Household), "id").where(~invited), _gone_ids(stage, "households"))
    _run_batches(session, _where_keys(delete(Student), "id"), _gone_ids(stage, "students"))
    _run_batches(session, _where_keys(delete(Guardian), "id"), _gone_ids(stage, "guardians"))


def _gone_ids(stage: StagingDb, kind: str) -> Iterator[Any]:
    return stage.all("select id from fates where kind = ? and fate = 'gone'", kind)


def _where_keys(statement: Any, *keys: str) -> Any:
    """Return the statement for the row with these keys, which are the parameters key0 and key1."""
    columns = statement.table.c
    return statement.where(*(columns[key] == bindparam(f"key{number}") for number, key in enumerate(keys)))


def _run_batches(session: Session, statement: Any, rows: Iterator[Any], *names: str) -> None:
    """Run a statement for each row, in batches."""
    many = BulkStatement(session.connection(), statement, names or ("key0",))
    for batch in batches(rows):
        many.run(batch)
