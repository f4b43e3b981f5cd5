"""Drafts, stored responses, and the groups under which they are stored."""

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
MARKED = "is_burst = true"  # few responses are, so they have a partial index
JOINED = "mul"  # in place of a mode: several modes merged, like OTHER in storage/language_groups.py


class NamedLanguages(Base):
    """The named languages of a school in an anonymous wave, by the rule in storage/language_groups.py."""

    __tablename__ = "wave_strata"
    __table_args__ = (WITHOUT_ROWID,)

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), primary_key=True)
    named: Mapped[str] = mapped_column(Text)
    """Language tags, separated by spaces."""


class JoinedGroup(Base):
    """A school and language with so few responses of a wave that they are stored under "other languages".

    With the language "mul" it is a whole school whose responses are stored without a school.
    """

    __tablename__ = "joined_groups"
    __table_args__ = (WITHOUT_ROWID,)

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(20), primary_key=True)


class ResponseLink(Base):
    """The invitation of a response. Only in confidential waves, and only until the links of the wave are deleted."""

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
    """A family's unfinished answers, saved with every page.

    They are encrypted so that decryption needs both the family's browser and this site. Deleted when the response is
    stored.
    """

    __tablename__ = "drafts"
    __table_args__ = (WITHOUT_ROWID,)

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """SHA-256 of a secret in the family's browser. The secret itself is never stored."""
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Encrypted: school, language, digests of the access code, and the answers as typed
    (domain/intake/draft_encryption.py)."""
    touched_on: Mapped[date]
    is_empty: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether no page was sent yet. Such drafts are removed first when drafts take too much space."""


class Response(Base):
    """The response of one household: one canonical JSON document of codes, with the same bytes for every mode.

    In an anonymous wave, every group (school, language, mode, answer language) has at least ten responses. As long as
    fewer have arrived, the group is encrypted, and its columns are empty or "mul" (domain/intake/group_assignment.py).
    """

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
    """None: one of several schools, merged."""
    language: Mapped[str] = mapped_column(String(20))
    """The language the household reads, if it is known (from an access code or a sheet for a household); otherwise the
    language it answered in. "mul": one of several, merged."""
    mode: Mapped[str] = mapped_column(String(12))
    """One of MODES, or JOINED."""
    day: Mapped[date]
    """The day only, for privacy. In an anonymous wave, and after the link to the household is deleted, it is the first
    day of the wave."""
    answers: Mapped[str] = mapped_column(Text)
    submission: Mapped[str] = mapped_column(String(DIGEST), unique=True)
    """Idempotency key: a repeated submission returns this row instead of adding a second one."""
    provenance: Mapped[str | None] = mapped_column(String(DIGEST))
    """Paper and interview only: the keying it came from (keyings.id). In an anonymous wave it is removed with the
    keying."""
    answered_in: Mapped[str | None] = mapped_column(String(20))
    """The language of the page or sheet. None: one of several, merged."""
    sealed_group: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Anonymous waves only: the encrypted group, until it is decided which groups are large enough
    (domain/intake/group_encryption.py)."""
    is_burst: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it came in a burst by an open link (domain/intake/burst_detection.py). No more detail is stored."""


class PendingResponse(Base):
    """Responses that are not yet in their wave's column file. The key is random, so it reveals no order."""

    __tablename__ = "unfolded"
    __table_args__ = (Index("ix_unfolded_wave", "wave_id", "response_id"), WITHOUT_ROWID)

    response_id: Mapped[str] = mapped_column(ForeignKey("responses.id", ondelete="CASCADE"), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"))


class WaveColumns(Base):
    """The expected state of a wave's column file. A file that differs is rebuilt."""

    __tablename__ = "wave_columns"

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    rows: Mapped[int]
    digest: Mapped[str] = mapped_column(String(DIGEST))
    edits: Mapped[int]
    """Wave.edits at the time the file was built."""
