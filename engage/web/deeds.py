"""Writing down what staff did, in the transaction of the deed itself."""

from sqlalchemy.orm import Session

from engage.access.audit import AUDIT_KEY, record
from engage.web.guards import person
from engage.web.state import state


def audited(session: Session, deed: str, about: str = "", **detail: int | str) -> None:
    """Add an event about the person of this page; `deed` is one of access/audit.py DEEDS."""
    record(
        session,
        key=state().secret(AUDIT_KEY),
        actor=person().email,
        deed=deed,
        about=about,
        detail=detail,
        now=state().now(),
    )
