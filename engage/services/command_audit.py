"""Audit events of the command line and of the site itself, written in the transaction they describe."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.security.audit_anchor import ANCHOR_FILE, follow_after_commit
from engage.domain.security.audit_log import AUDIT_KEY, COMMAND_LINE, record
from engage.domain.security.encryption import derived


def audit_key(settings: Settings) -> bytes:
    """The key of the audit chain."""
    return derived(settings.secret().encode(), AUDIT_KEY)


def audited(
    session: Session, settings: Settings, now: datetime, deed: str, about: str = "", **detail: int | str
) -> None:
    """Add an event about whoever has this machine's command line; `deed` is one of domain/security/audit_log.py
    DEEDS."""
    recorded(session, settings, now, COMMAND_LINE, deed, about, detail)


def recorded(
    session: Session,
    settings: Settings,
    now: datetime,
    actor: str,
    deed: str,
    about: str,
    detail: Mapping[str, int | str],
) -> None:
    """Add an event about an actor that is no person: COMMAND_LINE, or SITE."""
    key = audit_key(settings)
    record(session, key=key, actor=actor, deed=deed, about=about, detail=detail, now=now)
    follow_after_commit(session, cast(Engine, session.get_bind()), settings.data_dir / ANCHOR_FILE, key, now)
