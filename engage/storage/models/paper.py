"""Paper forms: packets, print runs, sheets, and keyings."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import DIGEST, RANDOM_ID, WITHOUT_ROWID, Base


class StoredLayout(Base):
    """The position of every box and mark of a printed sheet, stored with its edition, so that a sheet can still be read
    years later."""

    __tablename__ = "layouts"

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    """SHA-256 over `geometry`; its first 8 digits are in the code on every page."""
    edition_digest: Mapped[str] = mapped_column(ForeignKey("editions.digest"), index=True)
    geometry: Mapped[str] = mapped_column(Text)
    """JSON in the format of domain/paper/form/geometry.py. Lengths are in mm from the top left corner."""
    stored_on: Mapped[date]


class Packet(Base):
    """A packet: the sheets of a school in one PDF, requested by a staff member and drawn in the background."""

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
    """households: one form for each household of the roster. blanks: a number of forms for each language."""
    outside: Mapped[str] = mapped_column(String(6))
    """window: the greeting shows through the window of an envelope. code: only the serial is printed."""
    paper: Mapped[str] = mapped_column(String(10))
    style: Mapped[str] = mapped_column(String(10))
    second: Mapped[str | None] = mapped_column(String(20))
    """A second language on the same sheet. Forms for households of this language have this language only."""
    arrangement: Mapped[str] = mapped_column(String(6))
    """Position of the second language: below the first, or beside it."""
    asked: Mapped[str] = mapped_column(Text)
    """JSON object: language to number of forms. Empty while the sheets of a packet that was requested together with
    those of other schools are not numbered yet."""
    classes: Mapped[str] = mapped_column(Text)
    """JSON object: class to language to number of forms, for the count sheet. Empty without a roster."""
    state: Mapped[str] = mapped_column(String(10))
    pages: Mapped[int] = mapped_column(default=0)
    """Total number of pages; 0 before drawing begins."""
    drawn: Mapped[int] = mapped_column(default=0)
    """Number of pages drawn so far."""
    problem: Mapped[str] = mapped_column(Text, default="")
    """JSON list: an error code and its values. Empty if there is no error."""
    digest: Mapped[str | None] = mapped_column(String(DIGEST))
    """SHA-256 of the file, once it is ready."""
    made_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """None for the command line."""
    made_on: Mapped[date]


class PrintRun(Base):
    """One printing of sheets with one language and layout. A packet has one or two per language: covers of households
    that already have a code differ from covers with a new code."""

    __tablename__ = "print_runs"

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    language: Mapped[str] = mapped_column(String(20))
    copies: Mapped[int]
    paper: Mapped[str] = mapped_column(String(10))
    large_print: Mapped[bool] = mapped_column(default=False)
    printed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """None for the command line."""
    printed_on: Mapped[date]
    packet_id: Mapped[str | None] = mapped_column(ForeignKey("packets.id"), index=True)
    """None for print runs from before packets existed."""
    layout_digest: Mapped[str | None] = mapped_column(ForeignKey("layouts.digest"))
    """The positions of its boxes. None for print runs from before layouts were stored."""


class Sheet(Base):
    """One paper form with a serial. The serial is public and is what staff enter in keying."""

    __tablename__ = "sheets"

    serial: Mapped[str] = mapped_column(String(20), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("print_runs.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default="printed")
    """printed, keyed or spoiled."""
    position: Mapped[int | None]
    """Position in the packet, from 1.

    None if the sheets are sorted by language and then in an order that only the site's secret determines
    (services/printing/rendering.py), as always in an anonymous wave: sheets are handed out class by class, as the count
    sheet says, so a position would reveal the class.
    """

    __table_args__ = (CheckConstraint("state in ('printed', 'keyed', 'spoiled')", "state"), WITHOUT_ROWID)


class SheetLink(Base):
    """The household of a sheet. Only in confidential waves, and only until the links of the wave are deleted."""

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
    """The household's access code for answering online instead, if it has one."""
    minted: Mapped[bool] = mapped_column(default=False)
    """Whether the sheet has a code that was created for a packet. The code is deleted when the last such packet is
    canceled."""
    label: Mapped[bytes] = mapped_column(LargeBinary)
    """Encrypted JSON, fixed when the packet was created: {"to": [lines on the outside], "class": "3B", "code": the
    access code or "", "who": [names], "number": the district's student number}. Labels of the first packets lack the
    last two. When names are no longer stored, they are removed from "to" and "who" (services/printing/retention.py)."""
    forget_on: Mapped[date]


class Keying(Base):
    """What one person keyed from one sheet, including every mark, so that the raw sheet can be reconstructed.

    In an anonymous wave it is deleted 14 days after keying (services/data_entry/retention.py). The response stays,
    without a link to the sheet.
    """

    __tablename__ = "keyings"
    __table_args__ = (WITHOUT_ROWID,)

    id: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    """Random. responses.provenance refers to it."""
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    serial: Mapped[str | None] = mapped_column(ForeignKey("sheets.serial"), unique=True)
    """None for a sheet without a readable serial, and for an interview."""
    language: Mapped[str] = mapped_column(String(20))
    mode: Mapped[str] = mapped_column(String(12))
    raw: Mapped[str] = mapped_column(Text)
    """JSON object: slot key to a list of raw strings as keyed, including marks that are off the route."""
    keyed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    keyed_at: Mapped[datetime]
    corrected_at: Mapped[datetime | None]


class KeyingDraft(Base):
    """A sheet during keying. Saved after every key press, so that a crash loses nothing. Deleted when the keying is
    saved."""

    __tablename__ = "keying_drafts"
    __table_args__ = (WITHOUT_ROWID,)

    keyed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    sheet: Mapped[str] = mapped_column(String(40), primary_key=True)
    """The serial, or the random name of the keying page for a sheet without one."""
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"))
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    language: Mapped[str] = mapped_column(String(20))
    mode: Mapped[str] = mapped_column(String(12))
    blocks: Mapped[int]
    """Number of blocks of a repeated section that the page shows."""
    raw: Mapped[str] = mapped_column(Text)
    """As in Keying."""
    touched_at: Mapped[datetime]
