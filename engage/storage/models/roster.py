"""The roster: students, their guardians and the households they form. Only what is used is kept; names and contacts are
sealed (domain/security/encryption.py), and are absent where the district keeps no names."""

from datetime import date

from sqlalchemy import ForeignKey, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import DIGEST, RANDOM_ID, Base

SOURCED_ID = 255  # characters of an id of the district's own (OneRoster 1.2 CSV binding: a GUID; vendors write more)
TAG = 35  # characters of a language tag (RFC 5646 section 4.4.1)


class Student(Base):
    __tablename__ = "students"

    id: Mapped[str] = mapped_column(String(SOURCED_ID), primary_key=True)
    """The district's id: OneRoster's sourcedId."""
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    grade: Mapped[str] = mapped_column(String(20), default="")
    home_language: Mapped[str] = mapped_column(String(TAG), default="")
    """What is spoken at the child's home, as the home language survey says; empty where it is not known."""
    english_learner: Mapped[bool | None]
    disability: Mapped[bool | None]
    name: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed."""
    class_name: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    """The homeroom, as the school names it: "3B"; empty where the roster does not say."""


class Guardian(Base):
    __tablename__ = "guardians"

    id: Mapped[str] = mapped_column(String(SOURCED_ID), primary_key=True)
    reads: Mapped[str] = mapped_column(String(TAG), default="")
    speaks: Mapped[str] = mapped_column(String(TAG), default="")
    home: Mapped[str] = mapped_column(String(SOURCED_ID), default="")
    """The district's key of the home, where it has one: two homes of one child are two households."""
    contact: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed JSON: {"name", "email", "phone"}, what there is of it."""


class Guardianship(Base):
    __tablename__ = "guardianships"

    student_id: Mapped[str] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), primary_key=True)
    guardian_id: Mapped[str] = mapped_column(
        ForeignKey("guardians.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int]
    """The order of the student's row, 0 first."""


class HouseholdStudent(Base):
    __tablename__ = "household_students"

    household_id: Mapped[str] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), primary_key=True)
    student_id: Mapped[str] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), primary_key=True, index=True)


class HouseholdGuardian(Base):
    __tablename__ = "household_guardians"

    household_id: Mapped[str] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), primary_key=True)
    guardian_id: Mapped[str] = mapped_column(
        ForeignKey("guardians.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class OptOut(Base):
    """A household that is not to be asked: no code is made for it and no packet printed."""

    __tablename__ = "opt_outs"

    household_id: Mapped[str] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), primary_key=True)
    recorded_on: Mapped[date]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class OptedOutStudent(Base):
    """A child of a household that is not to be asked. It stays when the household, or the child, leaves the roster, so
    that nobody is asked again because a roster came in."""

    __tablename__ = "opted_out_students"

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    """Keyed, over the student's id: domain/roster/opt_outs.py."""
    recorded_on: Mapped[date]


class RosterImport(Base):
    """One import: what it changed. The files themselves are not kept."""

    __tablename__ = "roster_imports"

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    imported_on: Mapped[date]
    imported_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """None: from the command line."""
    digest: Mapped[str] = mapped_column(String(DIGEST))
    """SHA-256 over the files."""
    added: Mapped[int]
    changed: Mapped[int]
    gone: Mapped[int]
    refused: Mapped[int]
