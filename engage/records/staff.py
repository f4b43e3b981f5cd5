"""People who sign in, what they may do and for which schools."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engage.records.base import Base
from engage.records.schools import School

staff_roles = Table(
    "staff_roles",
    Base.metadata,
    Column("staff_id", ForeignKey("staff.id"), primary_key=True),
    Column("role_id", ForeignKey("roles.id"), primary_key=True),
)
staff_schools = Table(
    "staff_schools",
    Base.metadata,
    Column("staff_id", ForeignKey("staff.id"), primary_key=True),
    Column("school_id", ForeignKey("schools.id"), primary_key=True),
)


class Role(Base):
    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    """administrator, liaison, leader or translator."""
    description: Mapped[str | None] = mapped_column(String(255))


class Staff(Base):
    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    password: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    """Flask-Security's session handle; changing it signs the person out everywhere."""
    language: Mapped[str] = mapped_column(String(20), default="en")
    """The language the staff pages are shown in."""
    create_datetime: Mapped[datetime | None]

    roles: Mapped[list[Role]] = relationship(secondary=staff_roles, lazy="selectin")
    schools: Mapped[list[School]] = relationship(secondary=staff_schools, order_by=School.name, lazy="selectin")
    """The schools a liaison works with; empty for roles that see the whole district."""
