"""When the district's OneRoster server is asked: each night, and again after a failure; for changes, and each week for
everything, since a server may not report every removal."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.base.clock import local_time, midnight, with_zone
from engage.domain.roster.updates import find_last_success, list_attempts, update_status
from engage.storage.models.roster import SERVER
from engage.storage.models.roster_updates import FAILED, READING, WAITING, RosterUpdate

HOUR = 3  # of the district's day, after the nightly deletion
FULL_AFTER = timedelta(days=6, hours=12)  # since the last complete roster
PAUSE = timedelta(minutes=15)  # after a failure; doubled after each further one
MOST_TRIES = 5  # in one night
FULL_REASONS = ("full_needed", "replaced")


def last_start(now: datetime, zone: str) -> datetime:
    """Return the moment, in UTC, at which the update of the night became due."""
    here = local_time(now, zone)
    day = here.date() if here.hour >= HOUR else here.date() - timedelta(days=1)
    return midnight(day, zone) + timedelta(hours=HOUR)


def next_start(session: Session, now: datetime, zone: str) -> datetime:
    """Return when the server is asked next; a moment that has passed if it is due now."""
    start = last_start(now, zone)
    attempts = list_attempts(session, SERVER, start)
    failures = [attempt for attempt in attempts if attempt.state in (FAILED, READING)]
    if not attempts:
        return start
    if attempts[0] in failures and len(failures) < MOST_TRIES:
        pause = PAUSE * (1 << (len(failures) - 1))
        return with_zone(attempts[0].ended_at or attempts[0].began_at) + pause
    return last_start(start + timedelta(hours=30), zone)


def is_full_needed(session: Session, now: datetime) -> bool:
    """Whether everything is asked for, instead of changes only."""
    last, latest = find_last_success(session, SERVER, is_full=True), update_status(session).latest
    is_recent = last is not None and now - with_zone(last.began_at) < FULL_AFTER
    waiting = select(RosterUpdate.id).where(RosterUpdate.state == WAITING, RosterUpdate.is_full.is_(True)).limit(1)
    is_broken = latest is not None and latest.reason in FULL_REASONS
    return not is_recent or is_broken or session.scalar(waiting) is not None
