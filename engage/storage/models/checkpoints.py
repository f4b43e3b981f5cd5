"""Checkpoints: meetings on a date, with frozen figures and the district's commitments."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engage.storage.models.base import DIGEST, Base
from engage.storage.models.waves import Wave


class CheckpointWave(Base):
    __tablename__ = "checkpoint_waves"

    checkpoint_id: Mapped[str] = mapped_column(ForeignKey("checkpoints.id"), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)


class Checkpoint(Base):
    __tablename__ = "checkpoints"
    __table_args__ = (
        CheckConstraint("(frozen_on is null) = (figures is null)", "frozen"),
        CheckConstraint("(figures is null) = (digest is null)", "digest"),
        CheckConstraint("published_on is null or frozen_on is not null", "published"),
    )

    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    """A readable id for URLs of family pages: "fall-2026"."""
    title: Mapped[str] = mapped_column(String(200))
    meets_on: Mapped[date]
    figures: Mapped[str | None] = mapped_column(Text, deferred=True)
    """The frozen figures of every audience as canonical JSON, after suppression. Never changes once set. Several
    megabytes in a large district, so it is loaded only on access, never with a list."""
    digest: Mapped[str | None] = mapped_column(String(DIGEST))
    frozen_on: Mapped[date | None]
    published_on: Mapped[date | None]

    waves: Mapped[list[Wave]] = relationship(secondary="checkpoint_waves", order_by=Wave.id)
    commitments: Mapped[list["Commitment"]] = relationship(order_by="Commitment.position", back_populates="checkpoint")


class Commitment(Base):
    """The findings from families on one theme, and what the district will do."""

    __tablename__ = "commitments"
    __table_args__ = (CheckConstraint("status in ('planned', 'under_way', 'done', 'dropped')", "status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    checkpoint_id: Mapped[str] = mapped_column(ForeignKey("checkpoints.id"), index=True)
    position: Mapped[int]
    owner: Mapped[str] = mapped_column(String(200))
    due: Mapped[date | None]
    status: Mapped[str] = mapped_column(String(10), default="planned")

    checkpoint: Mapped[Checkpoint] = relationship(back_populates="commitments")
    words: Mapped[list["CommitmentWords"]] = relationship(cascade="all, delete-orphan")


class CommitmentWords(Base):
    """The texts of a commitment in one language."""

    __tablename__ = "commitment_words"

    commitment_id: Mapped[int] = mapped_column(ForeignKey("commitments.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(20), primary_key=True)
    theme: Mapped[str] = mapped_column(String(200))
    you_said: Mapped[str] = mapped_column(Text)
    we_will: Mapped[str] = mapped_column(Text)
