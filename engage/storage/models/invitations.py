"""Invitations of households to a wave, open, withdrawn, and used."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import DIGEST, WITHOUT_ROWID, Base
from engage.storage.models.roster import SOURCED_ID

OF_STUDENT = "student_id is not null"  # only waves that count students have such invitations


class Invitation(Base):
    """A household's invitation to a wave. Of its access code only a keyed digest is stored."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("identity = 'confidential' or (used_on is null and not used)", "unlinked"),
        CheckConstraint("used or used_on is null", "used"),
        ForeignKeyConstraint(["wave_id", "identity"], ["waves.id", "waves.identity"]),
        Index("ix_invitations_group", "wave_id", "school_id", "language"),
        Index("ix_invitations_household", "household_id", "wave_id"),
        Index(
            "ix_invitations_student",
            "student_id",
            "wave_id",
            sqlite_where=text(OF_STUDENT),
            postgresql_where=text(OF_STUDENT),
        ),
        WITHOUT_ROWID,
    )

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"))
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    language: Mapped[str] = mapped_column(String(20))
    """The language the household reads, from the roster. `waves.units.asked_in` gives the language of its survey."""
    household_id: Mapped[str | None] = mapped_column(ForeignKey("households.id"))
    used_on: Mapped[date | None]
    """Confidential waves only: the day of use, without a time. Cleared when the link to the response is deleted."""
    identity: Mapped[str] = mapped_column(String(12))
    """The same as the wave's. In an anonymous wave nothing here changes when the code is used; see UsedCode."""
    student_id: Mapped[str | None] = mapped_column(String(SOURCED_ID))
    """The student it was issued for, if the wave counts students."""
    used: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Confidential waves only: whether the code was used."""


class WithdrawnInvitation(Base):
    """An invitation of a household that opted out, moved out of `invitations` so that its code does not work.

    It is restored if the opt-out ends while the wave is open, and otherwise deleted after the wave.
    """

    __tablename__ = "withdrawn_invitations"
    __table_args__ = (WITHOUT_ROWID,)

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    language: Mapped[str] = mapped_column(String(20))
    household_id: Mapped[str] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True)
    identity: Mapped[str] = mapped_column(String(12))
    student_id: Mapped[str | None] = mapped_column(String(SOURCED_ID))


class UsedCode(Base):
    """A used code of an anonymous wave, as a digest with the site's key and the wave's salt.

    Someone who has the database and the list of codes, but not the key, cannot tell which invitation was used.
    """

    __tablename__ = "spent"
    __table_args__ = (WITHOUT_ROWID,)

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
