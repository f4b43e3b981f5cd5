"""Chances to answer, unfinished answers and stored responses."""

from datetime import date

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import DIGEST, RANDOM_ID, WITHOUT_ROWID, Base

MODES = ("web", "paper", "interview")
MARKED = "is_burst = true"  # few responses are: how many stands in an index of their own
JOINED = "mul"  # in place of a mode: the ways of answering of several, as storage/language_groups.py OTHER


class NamedLanguages(Base):
    """Which languages of a school are named in an anonymous wave, as storage/language_groups.py decides by size."""

    __tablename__ = "wave_strata"
    __table_args__ = (WITHOUT_ROWID,)

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), primary_key=True)
    named: Mapped[str] = mapped_column(Text)
    """Language tags with a space between."""


class JoinedGroup(Base):
    """A school and language that so few answers of a wave came from that they are stored under "other languages". With
    the language "mul": a whole school whose answers are stored under no school."""

    __tablename__ = "joined_groups"
    __table_args__ = (WITHOUT_ROWID,)

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(20), primary_key=True)


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
    """School, language, access code's digests and the answers as typed: domain/intake/draft_encryption.py."""
    touched_on: Mapped[date]
    is_empty: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether no page was sent yet: such drafts go first where drafts take too much room."""


class Response(Base):
    """What one household said, once. One canonical JSON document of codes, the same bytes whatever the mode.

    In an anonymous wave no response stands apart from fewer than ten others by its group (school, language, mode,
    language answered in): while too few have come, the group is sealed and the columns are empty or say "mul"
    (domain/intake/group_assignment.py)."""

    __tablename__ = "responses"
    __table_args__ = (
        CheckConstraint("mode in ('web', 'paper', 'interview', 'mul')", "mode"),
        CheckConstraint("mode <> 'web' or provenance is null", "provenance"),
        Index("ix_responses_wave", "wave_id", "id"),
        Index("ix_responses_burst", "wave_id", "id", sqlite_where=text(MARKED), postgresql_where=text(MARKED)),
        WITHOUT_ROWID,
    )

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"))
    school_id: Mapped[str | None] = mapped_column(ForeignKey("schools.id"))
    """None: one of several schools."""
    language: Mapped[str] = mapped_column(String(20))
    """The language the household reads, where it is known (an access code, a sheet for a household); else the one it
    answered in. "mul": one of several."""
    mode: Mapped[str] = mapped_column(String(12))
    """One of MODES, or JOINED."""
    day: Mapped[date]
    """Cut to the day on purpose; in an anonymous wave, and once the link to a household is destroyed, the wave's
    first."""
    answers: Mapped[str] = mapped_column(Text)
    submission: Mapped[str] = mapped_column(String(DIGEST), unique=True)
    """Idempotency key: the same submission again finds this row instead of making a second."""
    provenance: Mapped[str | None] = mapped_column(String(DIGEST))
    """Paper and interview only: the keying it came from (keyings.id). In an anonymous wave it goes with the keying."""
    answered_in: Mapped[str | None] = mapped_column(String(20))
    """The language of the page or sheet it answered on. None: one of several."""
    sealed_group: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Anonymous waves only: its group, while it is not settled which groups are large enough
    (domain/intake/group_encryption.py)."""
    is_burst: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it came in a burst by an open link (domain/intake/burst_detection.py): this bit, and nothing finer."""


class PendingResponse(Base):
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
