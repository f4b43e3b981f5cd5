"""Writing down what staff did, in the transaction of the deed itself."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engage.access.anchor import ANCHOR_FILE, follow
from engage.access.audit import AUDIT_KEY, record
from engage.records.session import reading
from engage.web.guards import person
from engage.web.state import state

log = logging.getLogger("engage")


def audited(session: Session, deed: str, about: str = "", **detail: int | str) -> None:
    """Add an event about the person of this page; `deed` is one of access/audit.py DEEDS."""
    told(session, person().email, deed, about, **detail)


def told(session: Session, actor: str, deed: str, about: str = "", **detail: int | str) -> None:
    """Add an event about someone who is not the person of this page: who signs in, or tries to."""
    key, now = state().secret(AUDIT_KEY), state().now()
    record(session, key=key, actor=actor, deed=deed, about=about, detail=detail, now=now)
    anchored(session, state().engine, state().settings.data_dir / ANCHOR_FILE, key, now)


def anchored(session: Session, engine: Engine, path: Path, key: bytes, now: datetime) -> None:
    """Let the chain's anchor follow once this transaction is committed."""
    event.listen(session, "after_commit", _follower(engine, path, key, now), once=True)


def _follower(engine: Engine, path: Path, key: bytes, now: datetime) -> Callable[[Session], None]:
    def moved(_session: Session) -> None:
        try:
            with reading(engine) as fresh:
                fits = follow(fresh, path, key, now)
        except (OSError, SQLAlchemyError):  # what was done is done; the next deed moves the anchor
            log.exception("the audit chain's anchor could not be moved")
            return
        if not fits:
            log.error("the audit chain does not fit its anchor; run: engage audit verify")

    return moved
