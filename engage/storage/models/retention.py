"""Nightly retention runs, which delete expired data."""

from datetime import date, datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import Base


class RetentionRun(Base):
    """One nightly run. The primary key ensures that only one worker does it, across all machines."""

    __tablename__ = "retention_runs"

    night: Mapped[date] = mapped_column(primary_key=True)
    """The district's date on which the run became due (services/retention/run_schedule.py)."""
    worker: Mapped[str] = mapped_column(String(64))
    """The worker's id, or "command line"."""
    began_at: Mapped[datetime]
    """UTC by the database's clock, of the latest attempt."""
    ended_at: Mapped[datetime | None]
    """None if it is running or was interrupted."""
    tries: Mapped[int] = mapped_column(default=1)
    deleted: Mapped[str] = mapped_column(Text, default="{}")
    """JSON object: policy to number of deleted rows or files, without zeros, over all attempts."""
    problem: Mapped[str] = mapped_column(Text, default="")
    """The error of the latest attempt as a sentence; empty if there was none."""
