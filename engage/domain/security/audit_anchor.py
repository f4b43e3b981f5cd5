"""The anchor of the audit chain: an earlier end of the chain, stored in a file outside the database.

A database that was restored to an earlier day is consistent in itself; compared with the anchor, its chain is too
short.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine, event, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.base.files import replace_file
from engage.domain.security.audit_log import (
    AUDIT_KEY,
    COMMAND_LINE,
    START,
    AuditEntry,
    Verdict,
    record_event,
    verify_chain,
)
from engage.domain.security.encryption import derive_key
from engage.storage.engine import read_session
from engage.storage.models.audit import AuditEvent

ANCHOR_FILE = "audit-anchor"  # in the site's directory
OFTEN = timedelta(minutes=1)  # the anchor moves at most this often

ROLLED_BACK = {
    "shorter": "the chain is shorter than it was",
    "another": "the chain is not the one that was here",
    "anchor changed": "the anchor itself was changed",
}


log = logging.getLogger("engage")


class AnchorBroken(Exception):
    """The file exists, but its content was changed."""


@dataclass(frozen=True, slots=True)
class AuditAnchor:
    """The end of the chain at a moment, and the result of the last check of the whole chain. Moments are ISO, in
    UTC."""

    number: int
    digest: str
    at: str
    looked_at: str = ""
    looked: int = 0
    """Number of events in that check."""
    broken: int | None = None
    reason: str = ""

    @property
    def verdict(self) -> Verdict | None:
        """The result of the last check; None if there was none."""
        return Verdict(self.looked, self.broken, self.reason) if self.looked_at else None


def read_anchor(path: Path, key: bytes) -> AuditAnchor | None:
    """Return the anchor; None if there is none. Raises AnchorBroken."""
    try:
        stored = json.loads(path.read_bytes())
        seal = stored.pop("seal")
        anchor = AuditAnchor(**stored)
        if not hmac.compare_digest(str(seal).encode(), _anchor_mac(anchor, key).encode()):
            raise AnchorBroken(path)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise AnchorBroken(path) from problem
    return anchor


def write_anchor(path: Path, key: bytes, anchor: AuditAnchor) -> None:
    """Replace the anchor atomically."""
    replace_file(path, json.dumps({**asdict(anchor), "seal": _anchor_mac(anchor, key)}).encode())


def advance_anchor(session: Session, path: Path, key: bytes, now: datetime) -> bool:
    """Move the anchor to the end of the committed chain and return whether the anchor fits the chain.

    An anchor that was moved less than OFTEN ago stays. So does one that does not fit, so that the next check detects
    it. `session` must be a new read-only session.
    """
    try:
        old = read_anchor(path, key)
    except AnchorBroken:
        return False
    if old and timedelta(0) <= now.astimezone(UTC) - datetime.fromisoformat(old.at) < OFTEN:
        return True
    if not _is_on_chain(session, old):
        return False
    write_anchor(path, key, _move_anchor(session, old, now))
    return True


def advance_after_commit(session: Session, engine: Engine, path: Path, key: bytes, now: datetime) -> None:
    """Move the anchor after this transaction is committed."""
    event.listen(session, "after_commit", _anchor_updater(engine, path, key, now), once=True)


def check_chain(session: Session, path: Path, key: bytes, now: datetime) -> Verdict:
    """Verify the whole chain and the anchor, and store the result in the anchor. `session` is read-only."""
    verdict = verify_chain(session, key)
    try:
        old = read_anchor(path, key)
    except AnchorBroken:
        return verdict if verdict.broken is not None else Verdict(verdict.events, 0, "anchor changed")
    if verdict.broken is None and old and not _is_on_chain(session, old):
        end, _ = _chain_end(session)
        verdict = (
            Verdict(verdict.events, end + 1, "shorter") if end < old.number else Verdict(end, old.number, "another")
        )
    good = verdict.broken is None
    anchor = _move_anchor(session, old, now) if good or old is None else old
    seen = replace(
        anchor, looked_at=_format_moment(now), looked=verdict.events, broken=verdict.broken, reason=verdict.reason
    )
    write_anchor(path, key, seen)
    return verdict


def reset_anchor(session: Session, path: Path, key: bytes, now: datetime) -> None:
    """Accept the current chain as correct, after a backup was restored."""
    write_anchor(path, key, _move_anchor(session, None, now))


def _anchor_updater(engine: Engine, path: Path, key: bytes, now: datetime) -> Callable[[Session], None]:
    def moved(_session: Session) -> None:
        try:
            with read_session(engine) as fresh:
                fits = advance_anchor(fresh, path, key, now)
        except (OSError, SQLAlchemyError):  # the event itself is committed; the next one moves the anchor
            log.exception("the audit chain's anchor could not be moved")
            return
        if not fits:
            log.error("the audit chain does not fit its anchor; run: engage audit verify")

    return moved


def _move_anchor(session: Session, old: AuditAnchor | None, now: datetime) -> AuditAnchor:
    number, digest = _chain_end(session)
    return replace(old or AuditAnchor(0, START, ""), number=number, digest=digest, at=_format_moment(now))


def _is_on_chain(session: Session, anchor: AuditAnchor | None) -> bool:
    if anchor is None or anchor.number == 0:
        return True
    return session.scalar(select(AuditEvent.digest).where(AuditEvent.number == anchor.number)) == anchor.digest


def _chain_end(session: Session) -> tuple[int, str]:
    last = select(AuditEvent.number, AuditEvent.digest).order_by(AuditEvent.number.desc()).limit(1)
    row = session.execute(last).one_or_none()
    return (row.number, row.digest) if row else (0, START)


def _format_moment(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds")


def _anchor_mac(anchor: AuditAnchor, key: bytes) -> str:
    fields: Any = ["anchor", *asdict(anchor).values()]
    return hmac.new(key, json.dumps(fields).encode(), hashlib.sha256).hexdigest()


def audit_key(settings: Settings) -> bytes:
    """Return the key of the audit chain."""
    return derive_key(settings.secret().encode(), AUDIT_KEY)


def record_cli_event(
    session: Session, settings: Settings, now: datetime, deed: str, about: str = "", **detail: int | str
) -> None:
    """Record an event by the user of this machine's command line. `deed` is one of DEEDS in
    domain/security/audit_log.py."""
    record_system_event(session, settings, now, AuditEntry(COMMAND_LINE, deed, about, detail))


def record_system_event(session: Session, settings: Settings, now: datetime, entry: AuditEntry) -> None:
    """Record an event by an actor that is not a person: COMMAND_LINE or SITE."""
    key = audit_key(settings)
    record_event(session, entry, key=key, now=now)
    advance_after_commit(session, cast(Engine, session.get_bind()), settings.site_dir / ANCHOR_FILE, key, now)
