"""Invitations of households to a wave, open, withdrawn, and used."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, String, false
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import DIGEST, WITHOUT_ROWID, Base
from engage.storage.models.roster import SOURCED_ID


class Invitation(Base):
    """A household's chance in a wave. Opened by its access code, of which only a keyed digest is kept."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("identity = 'confidential' or (used_on is null and not used)", "unlinked"),
        CheckConstraint("used or used_on is null", "used"),
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
    """Confidential waves only: the day it was used, nothing finer; cleared when the link to the response is
    destroyed."""
    identity: Mapped[str] = mapped_column(String(12))
    """As the wave's. In an anonymous wave nothing here changes when the code is used: see UsedCode."""
    student_id: Mapped[str | None] = mapped_column(String(SOURCED_ID))
    """The student it stands for, where a wave counts students."""
    used: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Confidential waves only: whether it was used."""


class WithdrawnInvitation(Base):
    """An invitation of a household that does not want to be asked, out of `invitations` so that its code opens nothing.
    It goes back when the household can be asked again while the wave runs; else it goes when the wave is over."""

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
    """A used code of an anonymous wave, under a digest that only the site's key and the wave's salt can make. Whoever
    has the database and the list of codes, but not the key, cannot tell which invitation it was."""

    __tablename__ = "spent"
    __table_args__ = (WITHOUT_ROWID,)

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), index=True)
