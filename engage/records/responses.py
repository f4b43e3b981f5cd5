"""Chances to answer, unfinished answers and stored responses."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engage.records.base import DIGEST, RANDOM_ID, WITHOUT_ROWID, Base
from engage.records.roster import SOURCED_ID

MODES = ("web", "paper", "interview")


class Invitation(Base):
    """A household's chance in a wave. Opened by its access code, of which only a keyed digest is kept."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("identity = 'confidential' or used_on is null", "unlinked"),
        ForeignKeyConstraint(["wave_id", "identity"], ["waves.id", "waves.identity"]),
        WITHOUT_ROWID,
    )

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    language: Mapped[str] = mapped_column(String(20))
    """What the household reads, as the roster knew it; `waves.units.asked_in` says in which language it is asked."""
    household_id: Mapped[str | None] = mapped_column(ForeignKey("households.id"))
    used_on: Mapped[date | None]
    """Confidential waves only: the day it was used, nothing finer."""
    identity: Mapped[str] = mapped_column(String(12))
    """As the wave's. In an anonymous wave nothing here changes when the code is used: see Spent."""
    student_id: Mapped[str | None] = mapped_column(String(SOURCED_ID))
    """The student it stands for, where a wave counts students."""


class WaveStratum(Base):
    """Which languages of a school are named in an anonymous wave with codes, as records/strata.py decides."""

    __tablename__ = "wave_strata"
    __table_args__ = (WITHOUT_ROWID,)

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), primary_key=True)
    named: Mapped[str] = mapped_column(Text)
    """Language tags with a space between."""


class Spent(Base):
    """A used code of an anonymous wave, under a digest that only the site's key and the wave's salt can make. Whoever
    has the database and the list of codes, but not the key, cannot tell which invitation it was."""

    __tablename__ = "spent"
    __table_args__ = (WITHOUT_ROWID,)

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)


class ResponseLink(Base):
    """Which invitation a response came by: confidential waves only, and only until the day of forgetting."""

    __tablename__ = "response_links"
    __table_args__ = (
        CheckConstraint("identity = 'confidential'", "confidential"),
        ForeignKeyConstraint(["wave_id", "identity"], ["waves.id", "waves.identity"]),
        WITHOUT_ROWID,
    )

    response_id: Mapped[str] = mapped_column(ForeignKey("responses.id", ondelete="CASCADE"), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    identity: Mapped[str] = mapped_column(String(12))
    invitation: Mapped[str] = mapped_column(ForeignKey("invitations.digest", ondelete="CASCADE"), index=True)
    forget_on: Mapped[date]


class Draft(Base):
    """Answers on the way: every Continue is kept, sealed so that only the family's phone and this site together can
    open it. Destroyed when the response is stored."""

    __tablename__ = "drafts"
    __table_args__ = (WITHOUT_ROWID,)

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """SHA-256 of the secret the family's phone holds; the secret itself is never stored."""
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """School, language, access code's digests and the answers as typed: intake/sealed.py."""
    touched_on: Mapped[date]


class Response(Base):
    """What one household said, once. One canonical JSON document of codes, the same bytes whatever the mode."""

    __tablename__ = "responses"
    __table_args__ = (
        CheckConstraint("mode in ('web', 'paper', 'interview')", "mode"),
        CheckConstraint("(mode = 'web') = (provenance is null)", "provenance"),
        Index("ix_responses_wave", "wave_id", "id"),
        WITHOUT_ROWID,
    )

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"))
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    language: Mapped[str] = mapped_column(String(20))
    mode: Mapped[str] = mapped_column(String(12))
    day: Mapped[date]
    """Cut to the day on purpose."""
    answers: Mapped[str] = mapped_column(Text)
    submission: Mapped[str] = mapped_column(String(DIGEST), unique=True)
    """Idempotency key: the same submission again finds this row instead of making a second."""
    provenance: Mapped[str | None] = mapped_column(String(DIGEST))
    """Paper and interview only: the keying it came from (keyings.id)."""


class Unfolded(Base):
    """Responses not yet in their wave's byte columns. Keyed by a random id, so it tells no order."""

    __tablename__ = "unfolded"
    __table_args__ = (Index("ix_unfolded_wave", "wave_id", "response_id"), WITHOUT_ROWID)

    response_id: Mapped[str] = mapped_column(ForeignKey("responses.id", ondelete="CASCADE"), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"))


class WaveColumns(Base):
    """What the byte-column file of a wave must look like to be believed."""

    __tablename__ = "wave_columns"

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    rows: Mapped[int]
    digest: Mapped[str] = mapped_column(String(DIGEST))
    edits: Mapped[int]
    """Wave.edits when the file was built."""
