"""Responses of open links that came in bursts: how many by day, what the district decided, and events it announced."""

from datetime import date

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, String, and_, exists, not_, text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import Base
from engage.storage.models.responses import MARKED, Response

COUNT_REASONS = ("event", "known_families")
LEAVE_OUT_REASONS = ("not_families", "unclear")


class AnnouncedEvent(Base):
    """A day on which many families of a school answer at one place: their responses are not marked as a burst."""

    __tablename__ = "announced_events"

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    announced_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    announced_on: Mapped[date]


class BurstDay(Base):
    """How many responses of a wave were marked on a day; which they were says only `Response.is_burst`."""

    __tablename__ = "burst_days"

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    marked: Mapped[int]


class BurstDecision(Base):
    """Whether the marked responses of a wave count. Decided once, before any answer is shown, for those to come too."""

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
    """True of every response that figures do not count: marked ones of a wave that leaves them out."""
    decided = exists().where(BurstDecision.wave_id == Response.wave_id, not_(BurstDecision.counted))
    return and_(text(MARKED), decided)


def is_counted() -> ColumnElement[bool]:
    """True of every response that figures count."""
    return not_(is_excluded())
