"""Audit events of a request, written in the transaction that they describe."""

from sqlalchemy.orm import Session

from engage.domain.security.audit_anchor import ANCHOR_FILE, advance_after_commit
from engage.domain.security.audit_log import AUDIT_KEY, AuditEntry, record_event
from engage.web.context import runtime
from engage.web.permissions import person


def log_event(session: Session, deed: str, about: str = "", **detail: int | str) -> None:
    """Add an event by the signed-in person; `deed` is one of domain/security/audit_log.py DEEDS."""
    log_event_as(session, person().email, deed, about, **detail)


def log_event_as(session: Session, actor: str, deed: str, about: str = "", **detail: int | str) -> None:
    """Add an event by someone other than the signed-in person, such as a person who is signing in or tries to."""
    key, now = runtime().secret(AUDIT_KEY), runtime().now()
    record_event(session, AuditEntry(actor, deed, about, detail), key=key, now=now)
    advance_after_commit(session, runtime().engine, runtime().settings.site_dir / ANCHOR_FILE, key, now)
