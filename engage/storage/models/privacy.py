"""What the district itself says to families about their answers, in place of the shipped statements."""

from datetime import date

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import Base


class PrivacyStatement(Base):
    """One statement in one language; where there is no row, the shipped text holds."""

    __tablename__ = "privacy_statements"

    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    """One of services/waves/privacy_notice.py STATEMENTS."""
    language: Mapped[str] = mapped_column(String(20), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    """One paragraph; may hold places like {day}."""
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    changed_on: Mapped[date]
