"""Automatic updates of the roster: from the watched folder, or from the district's OneRoster server."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import RANDOM_ID, Base

READING, WAITING, DISCARDED = "reading", "waiting", "discarded"  # states of an update, with STORING and STORED
UNCHANGED, REFUSED, FAILED = "unchanged", "refused", "failed"
REASON = 40  # characters of the code of a reason
DETAIL = 80  # characters; domain/roster/remarks.py shortens values to this


class RosterUpdate(Base):
    """One automatic update, and what it changed: numbers, and no data about a person."""

    __tablename__ = "roster_updates"
    __table_args__ = (
        CheckConstraint("source in ('folder', 'server')", "source"),
        CheckConstraint(
            "state in ('reading', 'waiting', 'storing', 'stored', 'unchanged', 'discarded', 'refused', 'failed')",
            "state",
        ),
        CheckConstraint("(state in ('waiting', 'storing')) = (folder is not null)", "folder"),
    )

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    source: Mapped[str] = mapped_column(String(6))
    """FOLDER or SERVER (storage/models/roster.py)."""
    is_full: Mapped[bool]
    """Whether it is a complete roster; otherwise it lists changes only."""
    began_at: Mapped[datetime]
    """UTC by the database's clock."""
    ended_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(9), default=READING)
    """READING: its process reads the files. WAITING: for a person. REFUSED: the files cannot be used. FAILED: the files
    could not be read now; it is tried again."""
    reason: Mapped[str] = mapped_column(String(REASON), default="")
    """The code of why it waits or was not stored (domain/roster/update_messages.py); empty if it was."""
    detail: Mapped[str] = mapped_column(String(DETAIL), default="")
    """The value in that sentence: the name of a file or column, a host, or a status."""
    folder: Mapped[str | None] = mapped_column(String(RANDOM_ID))
    """While it waits or is being stored: the folder of its staging database."""
    import_id: Mapped[str | None] = mapped_column(ForeignKey("roster_imports.id"))
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    gone: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    students_gone: Mapped[int] = mapped_column(default=0)
