"""Writing down what was done on the command line, in the transaction of the deed itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engage.access.anchor import ANCHOR_FILE
from engage.access.audit import AUDIT_KEY, COMMAND_LINE, record
from engage.access.sealing import derived
from engage.config import Settings
from engage.web.deeds import anchored


def audit_key(settings: Settings) -> bytes:
    """The key of the audit chain."""
    return derived(settings.secret().encode(), AUDIT_KEY)


def audited(
    session: Session, settings: Settings, now: datetime, deed: str, about: str = "", **detail: int | str
) -> None:
    """Add an event about whoever has this machine's command line; `deed` is one of access/audit.py DEEDS."""
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
    anchored(session, cast(Engine, session.get_bind()), settings.data_dir / ANCHOR_FILE, key, now)
