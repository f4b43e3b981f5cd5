"""Features that are off until an administrator switches them on."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import WITHOUT_ROWID, Base

STUDENT_SURVEYS = "student_surveys"


class FeatureSwitch(Base):
    """Whether a feature is on. Without a row, it is off."""

    __tablename__ = "feature_switches"
    __table_args__ = (CheckConstraint("name in ('student_surveys')", "name"), WITHOUT_ROWID)

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    is_on: Mapped[bool]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    changed_on: Mapped[date]
