"""The district's own privacy statements to families, which replace the shipped ones."""

from datetime import date

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import Base


class PrivacyStatement(Base):
    """One statement in one language. Without a row, the shipped text applies."""

    __tablename__ = "privacy_statements"

    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    """One of services/waves/privacy_notice.py STATEMENTS."""
    language: Mapped[str] = mapped_column(String(20), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    """One paragraph. May contain placeholders such as {day}."""
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    changed_on: Mapped[date]
