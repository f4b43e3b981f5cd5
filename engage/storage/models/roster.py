"""The roster: students, guardians, and households. Only fields that are used are stored.

Names and contacts are encrypted (domain/security/encryption.py), and absent if the district stores no names.
"""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import DIGEST, RANDOM_ID, Base

SOURCED_ID = 255  # characters of a district id (OneRoster 1.2 CSV binding: a GUID; vendors use longer ones)
TAG = 35  # characters of a language tag (RFC 5646 section 4.4.1)
STORING, STORED, REPLACED = "storing", "stored", "replaced"  # states of an import
FOLDER, SERVER = "folder", "server"  # sources of automatic updates


class Student(Base):
    __tablename__ = "students"

    id: Mapped[str] = mapped_column(String(SOURCED_ID), primary_key=True)
    """The district's id: the OneRoster sourcedId."""
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    grade: Mapped[str] = mapped_column(String(20), default="")
    home_language: Mapped[str] = mapped_column(String(TAG), default="")
    """The language spoken at home, from the home language survey. Empty if unknown."""
    english_learner: Mapped[bool | None]
    disability: Mapped[bool | None]
    name: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted."""
    class_name: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    """The homeroom, as the school names it: "3B". Empty if the roster does not have it."""


class Guardian(Base):
    __tablename__ = "guardians"

    id: Mapped[str] = mapped_column(String(SOURCED_ID), primary_key=True)
    reads: Mapped[str] = mapped_column(String(TAG), default="")
    speaks: Mapped[str] = mapped_column(String(TAG), default="")
    home: Mapped[str] = mapped_column(String(SOURCED_ID), default="")
    """The district's key of the home, if it has one. Two homes of one child are two households."""
    contact: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted JSON with those of "name", "email", and "phone" that are known."""


class Guardianship(Base):
    __tablename__ = "guardianships"

    student_id: Mapped[str] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), primary_key=True)
    guardian_id: Mapped[str] = mapped_column(
        ForeignKey("guardians.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int]
    """Position in the student's row, from 0."""


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
    """A household that opted out: no code is created for it and no packet printed."""

    __tablename__ = "opt_outs"

    household_id: Mapped[str] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), primary_key=True)
    recorded_on: Mapped[date]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class OptedOutStudent(Base):
    """A child of a household that opted out.

    The row stays when the household or child leaves the roster, so that a roster import never ends an opt-out.
    """

    __tablename__ = "opted_out_students"

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    """Keyed digest of the student's id: domain/roster/opt_outs.py."""
    recorded_on: Mapped[date]


class RosterImport(Base):
    """One import and what it changed. The files themselves are not stored.

    Until its state is STORED, the roster is a mix of the one before and the new one (domain/roster/import_state.py).
    """

    __tablename__ = "roster_imports"
    __table_args__ = (
        CheckConstraint("state in ('storing', 'stored', 'replaced')", "state"),
        CheckConstraint("(state = 'storing') = (folder is not null)", "folder"),
        CheckConstraint("source in ('', 'folder', 'server')", "source"),
        Index(
            "ix_roster_imports_storing",
            "state",
            unique=True,
            sqlite_where=text("state = 'storing'"),
            postgresql_where=text("state = 'storing'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    imported_on: Mapped[date]
    imported_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """None for the command line, and for an automatic update that nobody had to confirm."""
    digest: Mapped[str] = mapped_column(String(DIGEST))
    """SHA-256 over the files."""
    added: Mapped[int]
    changed: Mapped[int]
    gone: Mapped[int]
    refused: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default=STORED, server_default=text("'stored'"))
    """REPLACED: it was interrupted, and the import of a full roster took its place. One import at a time is STORING."""
    step: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How many parts of it are stored (domain/roster/import_parts.py)."""
    folder: Mapped[str | None] = mapped_column(String(RANDOM_ID))
    """While it is being stored: the folder of its staging database."""
    source: Mapped[str] = mapped_column(String(6), default="", server_default=text("''"))
    """FOLDER or SERVER for an automatic update; empty if a person brought the files."""
