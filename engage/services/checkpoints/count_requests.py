"""Requests to count the figures of a large checkpoint, for the worker: at most one for each checkpoint and purpose.

A draft is counted for everyone who opens the page, so nobody's name is stored. Frozen figures are counted and stored by
the worker for the person who asked for it, who is recorded in the audit log.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engage.base.clock import stored_utc
from engage.storage.models.base import RANDOM_ID
from engage.storage.models.jobs import FigureCount

KEEP = timedelta(days=1)  # after it was asked for, whatever has become of it
DRAFT, FREEZE = "draft", "freeze"
UNFINISHED = ("waiting", "counting")


def find_count(session: Session, checkpoint_id: str, purpose: str) -> FigureCount | None:
    """The request of this purpose, if there is one."""
    wanted = FigureCount.checkpoint_id == checkpoint_id, FigureCount.purpose == purpose
    return session.scalars(select(FigureCount).where(*wanted)).one_or_none()


def request_draft(session: Session, checkpoint_id: str, now: datetime, retry: bool = False) -> FigureCount:
    """Ask for the figures of a draft. A count that failed stays, unless this is a `retry`. Never commits."""
    count = find_count(session, checkpoint_id, DRAFT)
    if count is not None and count.state == "failed" and not retry:
        return count
    return _put(session, count, FigureCount(checkpoint_id=checkpoint_id, purpose=DRAFT), now)


def request_freezing(session: Session, checkpoint_id: str, now: datetime, staff_id: int) -> FigureCount:
    """Ask for the figures to be counted and frozen. Never commits."""
    count = find_count(session, checkpoint_id, FREEZE)
    return _put(session, count, FigureCount(checkpoint_id=checkpoint_id, purpose=FREEZE, asked_by=staff_id), now)


def _put(session: Session, count: FigureCount | None, new: FigureCount, now: datetime) -> FigureCount:
    """The count in progress, or a new one in place of a finished one."""
    if count is not None and count.state in UNFINISHED:
        return count
    if count is not None:
        session.delete(count)
        session.flush()
    new.id, new.asked_at, new.state, new.problem = secrets.token_hex(RANDOM_ID // 2), stored_utc(now), "waiting", ""
    new.survey = new.surveys = new.percent = 0
    session.add(new)
    session.flush()
    return new


def is_count_expired(now: datetime) -> ColumnElement[bool]:
    """Condition for requests that are deleted."""
    return FigureCount.asked_at < stored_utc(now) - KEEP
