"""Bursts of responses by an open link: the number per day, the district's decision, and announced events."""

from datetime import date

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, String, and_, exists, not_, text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import Base
from engage.storage.models.responses import MARKED, Response

COUNT_REASONS = ("event", "known_families")
LEAVE_OUT_REASONS = ("not_families", "unclear")


class AnnouncedEvent(Base):
    """A day on which many families of a school answer in one place. Their responses are not marked as a burst."""

    __tablename__ = "announced_events"

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    announced_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    announced_on: Mapped[date]


class BurstDay(Base):
    """The number of responses of a wave that were marked on a day. Only `Response.is_burst` says which ones."""

    __tablename__ = "burst_days"

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    marked: Mapped[int]


class BurstDecision(Base):
    """Whether marked responses of a wave count. Decided once, before any answer is shown; it also applies to later
    responses."""

    __tablename__ = "burst_decisions"
    __table_args__ = (
        CheckConstraint("counted = (reason in ('event', 'known_families'))", "reason"),
        CheckConstraint("reason in ('event', 'known_families', 'not_families', 'unclear')", "known"),
    )

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    counted: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(20))
    """A code, so that families read the reason in their language."""
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_on: Mapped[date]


def is_excluded() -> ColumnElement[bool]:
    """SQL condition for responses that are excluded from figures: marked ones of a wave for which this was decided."""
    decided = exists().where(BurstDecision.wave_id == Response.wave_id, not_(BurstDecision.counted))
    return and_(text(MARKED), decided)


def is_counted() -> ColumnElement[bool]:
    """SQL condition for responses that are included in figures."""
    return not_(is_excluded())
