"""The audit log of staff actions: a chain in which each event's digest covers the event before it."""

from datetime import datetime
from typing import cast

from sqlalchemy import DDL, CheckConstraint, String, Table, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import DIGEST, Base


class AuditEvent(Base):
    """One event. Triggers refuse changes and deletions, and `engage audit verify` detects them if the triggers were
    removed."""

    __tablename__ = "audit_events"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3 … without a gap."""
    at: Mapped[datetime]
    """UTC, truncated to the second."""
    actor: Mapped[str] = mapped_column(String(255))
    """The person's email address, or "command line"."""
    deed: Mapped[str] = mapped_column(String(60))
    """One of domain/security/audit_log.py DEEDS."""
    about: Mapped[str] = mapped_column(String(255))
    """The wave, checkpoint, person, or other object concerned."""
    detail: Mapped[str] = mapped_column(Text)
    """Canonical JSON object: counts and names of fields, never what a family said."""
    previous: Mapped[str] = mapped_column(String(DIGEST))
    digest: Mapped[str] = mapped_column(String(DIGEST))
    """HMAC-SHA-256 over all columns including `previous`, with a key that is not in the database."""


class AuditHead(Base):
    """The end of the chain, so that missing events at the end are detected."""

    __tablename__ = "audit_heads"
    __table_args__ = (CheckConstraint("id = 1", "one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(DIGEST))


def append_only_statements(table: str) -> dict[str, list[str]]:
    """Return, by dialect, the statements that make a table append-only."""
    deeds = ("update", "delete")
    lite = (
        f"create trigger {table}_no_{deed} before {deed} on {table} "
        f"begin select raise(abort, '{table} is append-only'); end"
        for deed in deeds
    )
    function = (
        f"create function {table}_only_grows() returns trigger language plpgsql as "
        f"'begin raise exception ''{table} is append-only''; end'"
    )
    post = (
        f"create trigger {table}_no_{deed} before {deed} on {table} for each row execute function {table}_only_grows()"
        for deed in deeds
    )
    return {"sqlite": list(lite), "postgresql": [function, *post]}


_events = cast(Table, AuditEvent.__table__)
for _dialect, _statements in append_only_statements(AuditEvent.__tablename__).items():
    for _statement in _statements:
        event.listen(_events, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
