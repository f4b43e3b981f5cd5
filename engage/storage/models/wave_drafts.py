"""Surveys that somebody prepares, step by step, before opening them."""

from datetime import date

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import RANDOM_ID, WITHOUT_ROWID, Base


class WaveDraft(Base):
    """One survey in preparation. Only the person who prepares it sees it. Deleted when the survey is opened."""

    __tablename__ = "wave_drafts"
    __table_args__ = (WITHOUT_ROWID,)

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    fields: Mapped[str] = mapped_column(Text)
    """JSON object (services/waves/wave_drafts.py DraftFields)."""
    changed_on: Mapped[date]
