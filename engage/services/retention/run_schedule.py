"""The nightly run of retention: which night is due, who runs it, and when the last run ended.

A run has one row per night; whoever inserts the row runs it. Moments are the database's (`database_now`), so that a
worker with a wrong clock neither deletes early nor takes over an active run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engage.base.clock import local_time, stored_utc, with_zone
from engage.storage.models.audit import AuditEvent
from engage.storage.models.retention import RetentionRun

HOUR = 2  # of the district's day: the run is due from this hour on
LEASE = timedelta(hours=2)  # a run that began longer ago counts as interrupted
PAUSE = timedelta(minutes=30)  # after a run that failed
MOST_TRIES = 6  # in one night; then the next attempt is the next night
OVERDUE = timedelta(hours=36)  # since the last run that did not fail
COUNTED = {"preserve_rowcount": True}  # SQLAlchemy preserves it for updates only, unless requested

_INSERT: dict[str, Any] = {
    "sqlite": sqlite.insert(RetentionRun).on_conflict_do_nothing(index_elements=["night"]),
    "postgresql": postgresql.insert(RetentionRun).on_conflict_do_nothing(index_elements=["night"]),
}


@dataclass(frozen=True, slots=True)
class RetentionStatus:
    """The end of the last successful run (None: never), with its time zone, and whether the next is overdue. `problem`
    is the error of a later run, as a sentence; empty if there was none."""

    last: datetime | None
    overdue: bool
    problem: str = ""


def due_night(now: datetime, zone: str) -> date:
    """The district's day whose run is due at this moment: before `HOUR` it is the previous day."""
    today = local_time(now, zone).date()
    return today if local_time(now, zone).hour >= HOUR else today - timedelta(days=1)


def claim_run(session: Session, night: date, worker: str, now: datetime) -> bool:
    """Claim the run of a night; False if another worker has it or it is done. The caller commits at once. A run can be
    taken over if it was interrupted, or failed at least `PAUSE` ago."""
    if _insert_run(session, night, worker, now):
        return True
    retake = update(RetentionRun).where(RetentionRun.night == night, _abandoned_runs(worker, now))
    values = {"worker": worker, "began_at": stored_utc(now), "ended_at": None, "tries": RetentionRun.tries + 1}
    return session.connection().execute(retake.values(values)).rowcount == 1


def is_claimable(session: Session, night: date, worker: str, now: datetime) -> bool:
    """Whether claiming the run can succeed; only reads."""
    entered, free = RetentionRun.night == night, _abandoned_runs(worker, now)
    return not session.scalar(select(exists().where(entered, not_(free))))


def _abandoned_runs(worker: str, now: datetime) -> ColumnElement[bool]:
    """Condition for runs that may be taken over."""
    moment = stored_utc(now)
    interrupted = and_(
        RetentionRun.ended_at.is_(None),
        or_(RetentionRun.worker == worker, RetentionRun.began_at < moment - LEASE),
    )
    failed = and_(RetentionRun.problem != "", RetentionRun.ended_at < moment - PAUSE, RetentionRun.tries < MOST_TRIES)
    return or_(interrupted, and_(RetentionRun.ended_at.is_not(None), failed))


def enter_run(session: Session, night: date, worker: str, now: datetime) -> None:
    """Record the start of a run that was requested, whether or not the night has had one. Never commits."""
    _insert_run(session, night, worker, now)


def end_run(session: Session, night: date, deleted: Mapping[str, int], problem: str, now: datetime) -> None:
    """Record the result of a run: deletions are added to those of earlier tries of the night. Never commits."""
    run = session.get_one(RetentionRun, night, with_for_update=True)
    before: dict[str, int] = json.loads(run.deleted)
    total = {what: before.get(what, 0) + deleted.get(what, 0) for what in sorted({*before, *deleted})}
    run.deleted = json.dumps({what: number for what, number in total.items() if number}, ensure_ascii=False)
    run.problem, run.ended_at = problem, stored_utc(now)


def retention_status(session: Session, now: datetime) -> RetentionStatus:
    """The state of retention. A site on which staff have worked for longer than `OVERDUE` should have had a run."""
    ended = select(RetentionRun.ended_at).where(RetentionRun.ended_at.is_not(None), RetentionRun.problem == "")
    last = session.scalar(ended.order_by(RetentionRun.ended_at.desc()).limit(1))
    latest = session.scalar(select(RetentionRun.problem).order_by(RetentionRun.night.desc()).limit(1))
    since = last or session.scalar(select(AuditEvent.at).where(AuditEvent.number == 1))
    overdue = since is not None and stored_utc(now) - since > OVERDUE
    return RetentionStatus(with_zone(last) if last else None, overdue, latest or "")


def _insert_run(session: Session, night: date, worker: str, now: datetime) -> bool:
    row = {"night": night, "worker": worker, "began_at": stored_utc(now), "tries": 1, "deleted": "{}", "problem": ""}
    connection = session.connection()
    return connection.execute(_INSERT[connection.dialect.name], row, execution_options=COUNTED).rowcount == 1
