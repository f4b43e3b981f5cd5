"""The nightly runs that delete what is stored no longer."""

from datetime import date, datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import Base


class RetentionRun(Base):
    """One night's run. The primary key lets only one worker do it, on however many machines."""

    __tablename__ = "retention_runs"

    night: Mapped[date] = mapped_column(primary_key=True)
    """The district's day on which the night began to be due (services/retention/run_schedule.py)."""
    worker: Mapped[str] = mapped_column(String(64))
    """Who runs it: a worker's id, or "command line"."""
    began_at: Mapped[datetime]
    """UTC by the database's clock, of the latest try."""
    ended_at: Mapped[datetime | None]
    """None while it is under way, or where it was interrupted."""
    tries: Mapped[int] = mapped_column(default=1)
    deleted: Mapped[str] = mapped_column(Text, default="{}")
    """JSON object: policy to number of rows or files, without zeros; of all tries together."""
    problem: Mapped[str] = mapped_column(Text, default="")
    """What failed in the latest try, as a sentence; empty where nothing did."""
