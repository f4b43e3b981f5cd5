"""Work that staff ask for and the worker does: counting the figures of a checkpoint, and making files to download."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import DIGEST, RANDOM_ID, WITHOUT_ROWID, Base


class FigureCount(Base):
    """The count of a large checkpoint's figures. The figures themselves are stored beside the columns of the waves
    (domain/summaries/release_history.py), or in the checkpoint once they are frozen."""

    __tablename__ = "figure_counts"
    __table_args__ = (
        UniqueConstraint("checkpoint_id", "purpose"),
        CheckConstraint("purpose in ('draft', 'freeze')", "purpose"),
        CheckConstraint("state in ('waiting', 'counting', 'ready', 'failed')", "state"),
        CheckConstraint("purpose = 'draft' or asked_by is not null", "asked_by"),
        WITHOUT_ROWID,
    )

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    checkpoint_id: Mapped[str] = mapped_column(ForeignKey("checkpoints.id"))
    purpose: Mapped[str] = mapped_column(String(6))
    """draft: to be shown. freeze: to be stored permanently."""
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """Who wants the figures to be frozen; None for a draft."""
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    problem: Mapped[str] = mapped_column(String(40), default="")
    """A code of sites/district/job_messages.py; empty if there is no problem."""
    survey: Mapped[int] = mapped_column(default=0)
    """The number of the survey that is being counted, from 1; 0 before the count begins."""
    surveys: Mapped[int] = mapped_column(default=0)
    percent: Mapped[int] = mapped_column(default=0)
    """How much of this survey is counted."""


class Export(Base):
    """A file that somebody asked for and the worker makes. Only that person can download it."""

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint("kind in ('pdf', 'csv', 'xlsx')", "kind"),
        CheckConstraint("state in ('waiting', 'making', 'ready', 'failed')", "state"),
        CheckConstraint("(state = 'ready') = (digest is not null)", "digest"),
        WITHOUT_ROWID,
    )

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    kind: Mapped[str] = mapped_column(String(4))
    """pdf: the meeting packet. csv, xlsx: the figures as a table."""
    checkpoint_id: Mapped[str] = mapped_column(ForeignKey("checkpoints.id"))
    language: Mapped[str] = mapped_column(String(20))
    school_id: Mapped[str | None] = mapped_column(ForeignKey("schools.id"))
    """The school that has tables in the packet of a large district."""
    frozen: Mapped[str | None] = mapped_column(String(DIGEST))
    """The digest of the frozen figures in the file; None if they were a draft when it was asked for."""
    asked_by: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    problem: Mapped[str] = mapped_column(String(40), default="")
    """A code of sites/district/job_messages.py; empty if there is no problem."""
    file_name: Mapped[str] = mapped_column(String(120), default="")
    """The name of the downloaded file, once it is ready."""
    size: Mapped[int] = mapped_column(default=0)
    """Bytes."""
    digest: Mapped[str | None] = mapped_column(String(DIGEST))
    """SHA-256 of the file, once it is ready."""
