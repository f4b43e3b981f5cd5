"""Audit events of the command line and of the site itself, written in the transaction they describe."""

from datetime import datetime
from typing import cast

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.security.audit_anchor import ANCHOR_FILE, advance_after_commit
from engage.domain.security.audit_log import AUDIT_KEY, COMMAND_LINE, AuditEntry, record_event
from engage.domain.security.encryption import derive_key


def audit_key(settings: Settings) -> bytes:
    """The key of the audit chain."""
    return derive_key(settings.secret().encode(), AUDIT_KEY)


def record_cli_event(
    session: Session, settings: Settings, now: datetime, deed: str, about: str = "", **detail: int | str
) -> None:
    """Add an event about whoever has this machine's command line; `deed` is one of domain/security/audit_log.py
    DEEDS."""
    record_system_event(session, settings, now, AuditEntry(COMMAND_LINE, deed, about, detail))


def record_system_event(session: Session, settings: Settings, now: datetime, entry: AuditEntry) -> None:
    """Add an event about an actor that is no person: COMMAND_LINE, or SITE."""
    key = audit_key(settings)
    record_event(session, entry, key=key, now=now)
    advance_after_commit(session, cast(Engine, session.get_bind()), settings.data_dir / ANCHOR_FILE, key, now)
