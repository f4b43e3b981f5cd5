"""Paper: print runs, sheets and what was keyed from them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engage.records.base import DIGEST, RANDOM_ID, Base


class PrintRun(Base):
    """One printing of sheets."""

    __tablename__ = "print_runs"

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    language: Mapped[str] = mapped_column(String(20))
    copies: Mapped[int]
    paper: Mapped[str] = mapped_column(String(10))
    large_print: Mapped[bool] = mapped_column(default=False)
    printed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    printed_on: Mapped[date]


class Sheet(Base):
    """One numbered paper form. Its serial is public and is what staff key."""

    __tablename__ = "sheets"

    serial: Mapped[str] = mapped_column(String(20), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("print_runs.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default="printed")
    """printed, keyed or spoiled."""

    __table_args__ = (CheckConstraint("state in ('printed', 'keyed', 'spoiled')", "state"),)


class Keying(Base):
    """What one person keyed from one sheet, mark for mark, so that the raw sheet can be rebuilt."""

    __tablename__ = "keyings"

    id: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    """Random; responses.provenance points here."""
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    serial: Mapped[str | None] = mapped_column(ForeignKey("sheets.serial"), unique=True)
    """None for a sheet without a readable serial, or an interview."""
    language: Mapped[str] = mapped_column(String(20))
    mode: Mapped[str] = mapped_column(String(12))
    raw: Mapped[str] = mapped_column(Text)
    """JSON object: slot key to a list of raw strings, as keyed, off-route marks too."""
    keyed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    keyed_at: Mapped[datetime]
    corrected_at: Mapped[datetime | None]


class KeyingDraft(Base):
    """A sheet on the way in: kept after every key, so that a crash loses none. Destroyed when it is saved."""

    __tablename__ = "keying_drafts"

    keyed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    sheet: Mapped[str] = mapped_column(String(40), primary_key=True)
    """The serial; for a sheet without one, the random name of its keying page."""
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"))
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    language: Mapped[str] = mapped_column(String(20))
    mode: Mapped[str] = mapped_column(String(12))
    blocks: Mapped[int]
    """How many blocks of a repeated section the page shows."""
    raw: Mapped[str] = mapped_column(Text)
    """As in Keying."""
    touched_at: Mapped[datetime]
