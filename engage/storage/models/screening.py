"""Decisions, question by question, whether a survey concerns a protected area (PPRA, 20 U.S.C. 1232h)."""

from datetime import date

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import DIGEST, Base


class Screening(Base):
    __tablename__ = "screenings"

    item: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    """SHA-256 of the English question. A changed text needs a new decision."""
    area: Mapped[str] = mapped_column(String(20))
    """"none", or one of services/waves/screening.py AREAS."""
    note: Mapped[str] = mapped_column(String(500), default="")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_on: Mapped[date]
