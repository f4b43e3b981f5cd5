"""Sessions of staff: the cookie has a random secret and the database its digest, so that a session can be ended from
anywhere, with effect on the next request."""

import hashlib
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast as said

from flask import abort, g, session
from flask_login import login_user
from sqlalchemy import ColumnElement, String, bindparam, case, cast, delete, literal_column, or_, select, update
from sqlalchemy.orm import Session

from engage.storage.engine import write_session
from engage.storage.fast_statements import QuickRead
from engage.storage.group_commit import CommitFailed
from engage.storage.models.staff import Staff, StaffSession
from engage.web.audit import log_event_as
from engage.web.auth.accounts import find_account
from engage.web.context import runtime

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SEEN_INTERVAL = timedelta(minutes=1)  # the least time between two updates of a session's last use
KEY = "key"  # the secret's name in the cookie
SECRET = 32  # random bytes
WHO = "_user_id"  # Flask-Login's key for a person's handle in the cookie

_session_query = QuickRead(
    select(
        Staff.fs_uniquifier,
        cast(StaffSession.began_at, String),
        cast(StaffSession.seen_at, String),
        case((StaffSession.strong, literal_column("'strong'")), else_=literal_column("''")),
        StaffSession.by,
    )
    .join(Staff, Staff.id == StaffSession.staff_id)
    .where(StaffSession.id == bindparam("id"), Staff.active)
)


def begin_session(person: Staff, by: str, strong: bool) -> None:
    """Sign in a person in this browser: a new cookie, a row, and an audit event.

    `by`: "password", "passkey", "code", "recovery code" or a provider's name. `strong`: whether more than a password
    was verified. Call it outside of a transaction; all earlier contents of the cookie are deleted, including flashed
    messages.
    """
    renew_session(person, by, strong, "sign in")


def renew_session(person: Staff, by: str, strong: bool, deed: str | None = None, **detail: int | str) -> None:
    """Replace the cookie and row of this browser's session. `deed` with its `detail` is added to the audit log."""
    before = current_session_id()
    _log_in(person)
    key = secrets.token_urlsafe(SECRET)
    now = naive_utc(runtime().now())
    with write_session(runtime().engine) as rows:
        rows.execute(delete(StaffSession).where(or_(StaffSession.id == before, _expired_condition(now))))
        rows.add(StaffSession(id=digest(key), staff_id=person.id, began_at=now, seen_at=now, strong=strong, by=by[:40]))
        if deed:
            log_event_as(rows, person.email, deed, person.email, by=by, **detail)
        rows.commit()
    session[KEY] = key
    g.strong, g.began, g.by = strong, now, by


def restore_session() -> None:
    """Check, before every request, whether the session of the cookie is active; clear the cookie if not."""
    g.strong = False
    if WHO not in session:
        return
    row = _session_query.one(runtime().engine, {"id": current_session_id()})
    now = naive_utc(runtime().now())
    if row is None or row[0] != session[WHO]:
        session.clear()
        return
    began, seen = datetime.fromisoformat(str(row[1])), datetime.fromisoformat(str(row[2]))
    if _is_expired(began, seen, now):
        session.clear()
        return
    g.strong, g.began, g.by = bool(row[3]), began, row[4]
    if now - seen >= SEEN_INTERVAL:
        _update_last_seen(current_session_id(), now)


def sign_in_method() -> str:
    """The method this session was started with."""
    return str(g.by)


def session_start() -> datetime:
    """The start of this session, in UTC without its zone."""
    return said(datetime, g.began)


def current_session_id() -> str:
    """The id of this browser's session; if it has no key, an id that no session has."""
    return digest(str(session.get(KEY, "")))


def end_current_session() -> None:
    """End this browser's session."""
    if KEY in session:
        with write_session(runtime().engine) as rows:
            rows.execute(delete(StaffSession).where(StaffSession.id == current_session_id()))
            rows.commit()
    session.clear()


def end_sessions(rows: Session, staff_id: int, but: str = "") -> int:
    """End every session of a person, except the one with the id `but`. Returns how many."""
    gone = delete(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.id != but)
    return len(rows.execute(gone.returning(StaffSession.id)).all())


def is_session_active(row: StaffSession) -> bool:
    """Whether a session is neither idle for too long nor too old."""
    return not _is_expired(row.began_at, row.seen_at, naive_utc(runtime().now()))


def mark_sessions_weak(rows: Session, staff_id: int) -> None:
    """Mark a person's sessions as started with a password only."""
    rows.execute(update(StaffSession).where(StaffSession.staff_id == staff_id).values(strong=False))


def digest(key: str) -> str:
    """The stored digest of a cookie's secret. The secret has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


def naive_utc(moment: datetime) -> datetime:
    """A moment as the tables store it: in UTC, without its zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _log_in(person: Staff) -> None:
    session.clear()
    g.pop("csrf_token", None)
    account = find_account(person.id)
    if account is None:
        abort(403)
    login_user(account)
    session.pop("_id", None)  # Flask-Login's digest of the browser's network address and user agent
    session.permanent = True


def _expired_condition(now: datetime) -> ColumnElement[bool]:
    return or_(StaffSession.began_at < now - LONGEST, StaffSession.seen_at < now - IDLE - SEEN_INTERVAL)


def _is_expired(began: datetime, seen: datetime, now: datetime) -> bool:
    return now - began > LONGEST or now - seen > IDLE


def _update_last_seen(id: str, now: datetime) -> None:
    with suppress(CommitFailed):  # the page matters more than the record of last use
        seen = update(StaffSession).where(StaffSession.id == id).values(seen_at=now)
        runtime().writer.run(lambda connection: connection.execute(seen).rowcount)
