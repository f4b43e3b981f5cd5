"""Automatic updates: their rows, which of them wait for a person, and why one does."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from engage.base.clock import stored_utc
from engage.domain.roster.diff import Preview
from engage.domain.roster.import_state import unfinished_folder
from engage.domain.roster.staging_db import StagingDb
from engage.storage.models.base import RANDOM_ID
from engage.storage.models.roster import STORED, STORING, RosterImport
from engage.storage.models.roster_updates import (
    DISCARDED,
    FAILED,
    READING,
    REFUSED,
    UNCHANGED,
    WAITING,
    RosterUpdate,
)

WAITS = timedelta(days=7)  # how long an update waits for a person
HISTORY = timedelta(days=365)  # how long the row of an update is stored
WEEK = timedelta(days=7)  # over which the removals of automatic updates are added up
WEEK_MOST = 0.2  # share of the students that automatic updates may remove in it (as diff.STEEP)
NEW_YEAR = 0.5  # share of the students who stay and have another school, grade, or class
NEW_YEAR_LEAST = 20  # students; a smaller roster changes at any time
SUCCESSES = (STORED, UNCHANGED)

MOVED = """
select count(*), sum((w.school, w.grade, w.class) is not (n.school, n.grade, n.class))
  from now_students as n join want_students as w on w.id = n.id
"""


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """The state of automatic updates: the latest, the last that succeeded, and the one that waits."""

    latest: RosterUpdate | None
    succeeded: RosterUpdate | None
    waiting: RosterUpdate | None

    @property
    def is_failing(self) -> bool:
        """Whether the latest update could not be used."""
        return self.latest is not None and self.latest.state in (REFUSED, FAILED)


def begin_update(session: Session, source: str, is_full: bool, now: datetime, rng: Random) -> str:
    """Add the row of an update; returns its id. Any other that is READING belongs to a process that ended: the caller
    holds the lock of updates."""
    abandoned = update(RosterUpdate).where(RosterUpdate.state == READING)
    session.execute(abandoned.values(state=FAILED, reason="interrupted", ended_at=stored_utc(now)))
    id = f"{rng.getrandbits(128):0{RANDOM_ID}x}"
    session.add(RosterUpdate(id=id, source=source, is_full=is_full, began_at=stored_utc(now)))
    return id


def note_preview(row: RosterUpdate, seen: Preview) -> None:
    """Store the numbers of a preview."""
    row.added, row.changed, row.gone = (seen.sum(fate) for fate in ("added", "changed", "gone"))
    row.refused, row.students_gone, row.is_full = seen.refused, seen.changes["students"].gone, not seen.delta


def end_update(row: RosterUpdate, state: str, now: datetime, reason: str = "", detail: str = "") -> None:
    """Record how an update ended."""
    row.state, row.reason, row.detail, row.ended_at, row.folder = state, reason, detail, stored_utc(now), None


def let_wait(session: Session, row: RosterUpdate, folder: str, reason: str) -> list[str]:
    """Let an update wait for a person, in place of earlier ones; returns the names of their folders."""
    earlier = session.scalars(select(RosterUpdate).where(RosterUpdate.state == WAITING)).all()
    folders = [each.folder for each in earlier if each.folder]
    for replaced in earlier:
        replaced.state, replaced.reason, replaced.folder = DISCARDED, "newer", None
    row.state, row.reason, row.folder = WAITING, reason, folder
    return folders


def mark_storing(session: Session, update_id: str | None, importing: RosterImport) -> bool:
    """Record that an update (None: it is no automatic one) is being stored as an import; another one was replaced.
    Returns False if the update was discarded meanwhile."""
    storing = RosterUpdate.state == STORING
    session.execute(update(RosterUpdate).where(storing).values(state=FAILED, reason="replaced", folder=None))
    if update_id is None:
        return True
    row = session.get(RosterUpdate, update_id, with_for_update=True)
    if row is None or row.state not in (READING, WAITING):
        return False
    row.state, row.import_id, row.folder = STORING, importing.id, importing.folder
    return True


def mark_stored(session: Session, import_id: str, now: datetime) -> None:
    """Record that the update of a complete import is stored."""
    done = {"state": STORED, "folder": None, "ended_at": stored_utc(now)}
    session.execute(update(RosterUpdate).where(RosterUpdate.import_id == import_id).values(**done))


def discard_update(session: Session, folder: str, now: datetime) -> None:
    """Record that a person did not want the update in this folder."""
    waiting = update(RosterUpdate).where(RosterUpdate.state == WAITING, RosterUpdate.folder == folder)
    session.execute(waiting.values(state=DISCARDED, reason="declined", folder=None, ended_at=stored_utc(now)))


def is_waiting_folder(session: Session, folder: str) -> bool:
    """Whether an update waits in this folder."""
    query = select(RosterUpdate.id).where(RosterUpdate.state == WAITING, RosterUpdate.folder == folder)
    return session.scalar(query) is not None


def needed_folders(session: Session) -> Collection[str]:
    """Return the names of the folders of rosters that must stay: an import is being stored from one, or it waits."""
    waiting = session.scalars(select(RosterUpdate.folder).where(RosterUpdate.folder.is_not(None)))
    return {name for name in (unfinished_folder(session), *waiting) if name}


def update_status(session: Session) -> UpdateStatus:
    """Return the state of automatic updates. One that is being read is not the latest."""
    newest = select(RosterUpdate).order_by(RosterUpdate.began_at.desc(), RosterUpdate.id).limit(1)
    return UpdateStatus(
        session.scalar(newest.where(RosterUpdate.state != READING)),
        session.scalar(newest.where(RosterUpdate.state.in_(SUCCESSES))),
        session.scalar(newest.where(RosterUpdate.state == WAITING)),
    )


def find_last_success(session: Session, source: str, *, is_full: bool = False) -> RosterUpdate | None:
    """Return the last update from a source that was stored or changed nothing; only a full one if `is_full`."""
    wanted = [RosterUpdate.source == source, RosterUpdate.state.in_(SUCCESSES)]
    wanted += [RosterUpdate.is_full.is_(True)] if is_full else []
    return session.scalar(select(RosterUpdate).where(*wanted).order_by(RosterUpdate.began_at.desc()).limit(1))


def list_attempts(session: Session, source: str, since: datetime) -> list[RosterUpdate]:
    """Return the updates from a source that began since a moment, the newest first."""
    began = RosterUpdate.source == source, RosterUpdate.began_at >= stored_utc(since)
    return list(session.scalars(select(RosterUpdate).where(*began).order_by(RosterUpdate.began_at.desc())))


def list_updates(session: Session, most: int) -> list[RosterUpdate]:
    """Return the latest updates, the newest first."""
    return list(session.scalars(select(RosterUpdate).order_by(RosterUpdate.began_at.desc()).limit(most)))


def find_review_reason(session: Session, stage: StagingDb, seen: Preview, now: datetime) -> str:
    """Return the code of why a person must confirm an update; empty if nobody must. The rules of a hand import apply:
    whatever shows a warning there waits here. So does the end of a school year, and what would remove many students in
    small steps."""
    if seen.students[0] and seen.changes["students"].gone == seen.students[0]:
        return "all_gone"
    if seen.steep:
        return "steep"
    stays, moved = next(iter(stage.all(MOVED)))
    if stays >= NEW_YEAR_LEAST and moved > NEW_YEAR * stays:
        return "new_year"
    gone = seen.changes["students"].gone
    if gone and gone + _recently_removed(session, now) > WEEK_MOST * seen.students[0]:
        return "many_in_a_week"
    return ""


def _recently_removed(session: Session, now: datetime) -> int:
    """Return how many students automatic updates removed in the last week that no person confirmed."""
    removed = select(func.coalesce(func.sum(RosterUpdate.students_gone), 0))
    unconfirmed = removed.join(RosterImport, RosterImport.id == RosterUpdate.import_id).where(
        RosterImport.imported_by.is_(None),
        RosterUpdate.state == STORED,
        RosterUpdate.began_at > stored_utc(now - WEEK),
    )
    return session.scalar(unconfirmed) or 0


def expired_waits(now: datetime) -> ColumnElement[bool]:
    """Condition for updates that nobody confirmed in time."""
    return and_(RosterUpdate.state == WAITING, RosterUpdate.began_at < stored_utc(now - WAITS))


def expired_rows(now: datetime) -> ColumnElement[bool]:
    """Condition for rows of updates whose time is over."""
    over = RosterUpdate.began_at < stored_utc(now - HISTORY)
    return and_(over, RosterUpdate.folder.is_(None))
