"""Paper: print runs, sheets and what was keyed from them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import DIGEST, RANDOM_ID, WITHOUT_ROWID, Base


class StoredLayout(Base):
    """The position of every box and mark of a printed sheet, stored with its edition, so that a sheet printed today can
    be read in years."""

    __tablename__ = "layouts"

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    """SHA-256 over `geometry`; its first 8 digits are in the code on every page."""
    edition_digest: Mapped[str] = mapped_column(ForeignKey("editions.digest"), index=True)
    geometry: Mapped[str] = mapped_column(Text)
    """JSON, as domain/paper/form/geometry.py writes it; lengths in mm from the top left corner."""
    stored_on: Mapped[date]


class Packet(Base):
    """A packet: the sheets of a school in one PDF, requested by a person and drawn in the background."""

    __tablename__ = "packets"
    __table_args__ = (
        CheckConstraint("contents in ('households', 'blanks')", "contents"),
        CheckConstraint("outside in ('window', 'code')", "outside"),
        CheckConstraint("style in ('standard', 'large', 'compact')", "style"),
        CheckConstraint("arrangement in ('under', 'beside')", "arrangement"),
        CheckConstraint("state in ('waiting', 'drawing', 'ready', 'failed', 'cancelled')", "state"),
    )

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    contents: Mapped[str] = mapped_column(String(10))
    """households: a set for each household of the roster. blanks: so many sets in each language."""
    outside: Mapped[str] = mapped_column(String(6))
    """window: the greeting shows through an envelope's window. code: the serial only."""
    paper: Mapped[str] = mapped_column(String(10))
    style: Mapped[str] = mapped_column(String(10))
    second: Mapped[str | None] = mapped_column(String(20))
    """A second language on the same sheet; sets in this language itself have it alone."""
    arrangement: Mapped[str] = mapped_column(String(6))
    """Where the second language stands: under the first, or beside it."""
    asked: Mapped[str] = mapped_column(Text)
    """JSON object: language to number of sets."""
    classes: Mapped[str] = mapped_column(Text)
    """JSON object: class to language to number of sets, for the count sheet. Empty where there is no roster."""
    state: Mapped[str] = mapped_column(String(10))
    pages: Mapped[int] = mapped_column(default=0)
    """How many pages it will have; 0 before the first is drawn."""
    drawn: Mapped[int] = mapped_column(default=0)
    """How many pages stand in the file so far."""
    problem: Mapped[str] = mapped_column(Text, default="")
    """JSON list: a code and its values; empty while nothing is wrong."""
    digest: Mapped[str | None] = mapped_column(String(DIGEST))
    """SHA-256 of the file, once it is ready."""
    made_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """None: from the command line."""
    made_on: Mapped[date]


class PrintRun(Base):
    """One printing of sheets of one language and layout. A packet has one for each of its languages, or two: where some
    households have a code already, their covers differ from those with a code of their own."""

    __tablename__ = "print_runs"

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    language: Mapped[str] = mapped_column(String(20))
    copies: Mapped[int]
    paper: Mapped[str] = mapped_column(String(10))
    large_print: Mapped[bool] = mapped_column(default=False)
    printed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """None: from the command line."""
    printed_on: Mapped[date]
    packet_id: Mapped[str | None] = mapped_column(ForeignKey("packets.id"), index=True)
    """None: printed before there were packets."""
    layout_digest: Mapped[str | None] = mapped_column(ForeignKey("layouts.digest"))
    """Where its boxes are; None: printed before layouts were kept."""


class Sheet(Base):
    """One numbered paper form. Its serial is public and is what staff key."""

    __tablename__ = "sheets"

    serial: Mapped[str] = mapped_column(String(20), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("print_runs.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default="printed")
    """printed, keyed or spoiled."""
    position: Mapped[int | None]
    """Its place in the packet, from 1; None where sheets lie by language and then in an order that only the site's
    secret tells (services/printing/rendering.py), as all do in an anonymous wave: handed out class by class as the
    count sheet says, a place in the pile would tell the class."""

    __table_args__ = (CheckConstraint("state in ('printed', 'keyed', 'spoiled')", "state"), WITHOUT_ROWID)


class SheetLink(Base):
    """Whose sheet it is: confidential waves only, and only until the day of forgetting."""

    __tablename__ = "sheet_links"
    __table_args__ = (
        CheckConstraint("identity = 'confidential'", "confidential"),
        ForeignKeyConstraint(["wave_id", "identity"], ["waves.id", "waves.identity"]),
        WITHOUT_ROWID,
    )

    serial: Mapped[str] = mapped_column(ForeignKey("sheets.serial", ondelete="CASCADE"), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    identity: Mapped[str] = mapped_column(String(12))
    household_id: Mapped[str | None] = mapped_column(ForeignKey("households.id", ondelete="SET NULL"))
    invitation: Mapped[str | None] = mapped_column(ForeignKey("invitations.digest", ondelete="SET NULL"), index=True)
    """The code the household may answer by instead, if it has one."""
    minted: Mapped[bool] = mapped_column(default=False)
    """Whether a code made for a packet stands on this sheet: it goes with the last such packet that is cancelled."""
    label: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed JSON, frozen when the packet was made: {"to": [lines on the outside], "class": "3B", "code": the access
    code or "", "who": [names], "number": the student's at the district}. The first packets' labels lack the last two;
    where no names are kept any more, they are taken out of "to" and "who" (services/printing/retention.py)."""
    forget_on: Mapped[date]


class Keying(Base):
    """What one person keyed from one sheet, mark for mark, so that the raw sheet can be rebuilt. In an anonymous wave
    it is deleted 14 days after it was keyed (services/data_entry/retention.py): the response stays, and nothing leads
    to it."""

    __tablename__ = "keyings"
    __table_args__ = (WITHOUT_ROWID,)

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
    __table_args__ = (WITHOUT_ROWID,)

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
