"""Editions of surveys and waves: an edition asked of some schools between two days."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engage.storage.models.base import DIGEST, Base
from engage.storage.models.schools import School


class StoredEdition(Base):
    """A survey document as it was asked: all languages, whole, never changed."""

    __tablename__ = "editions"

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), index=True)
    document: Mapped[str] = mapped_column(Text)
    stored_on: Mapped[date]


class WaveSchool(Base):
    __tablename__ = "wave_schools"

    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), primary_key=True, index=True)


class Wave(Base):
    """One edition asked of some schools between two days."""

    __tablename__ = "waves"
    __table_args__ = (
        CheckConstraint("identity in ('anonymous', 'confidential')", "identity"),
        CheckConstraint("entry in ('open', 'code')", "entry"),
        CheckConstraint("closes >= opens", "days"),
        CheckConstraint("counting in ('family', 'family_school', 'student')", "counting"),
        CheckConstraint("asked in ('everyone', 'english_learners', 'disabilities')", "asked"),
        UniqueConstraint("id", "identity"),  # so that other tables can point at a wave of one kind only
    )

    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    """Readable, for the open link: "access-fall-2026"."""
    edition_digest: Mapped[str] = mapped_column(ForeignKey("editions.digest"))
    title: Mapped[str] = mapped_column(String(200))
    """For staff; families see the survey's own title."""
    opens: Mapped[date]
    closes: Mapped[date]
    """The last day answers are taken."""
    results_on: Mapped[date | None]
    """The day families are told results will come."""
    identity: Mapped[str] = mapped_column(String(12))
    """anonymous: nobody can tie an answer to a household. confidential: only the permitted role can."""
    entry: Mapped[str] = mapped_column(String(4))
    """open: one link for all. code: one access code per household."""
    languages: Mapped[str] = mapped_column(Text)
    """Language tags with a space between, in the order they are offered."""
    edits: Mapped[int] = mapped_column(default=0)
    """Grows with each correction or removal of a stored response, so that the byte columns are rebuilt."""
    modes: Mapped[str] = mapped_column(String(40), default="web paper interview", server_default="web paper interview")
    """How answers may come: web, paper, interview, with a space between."""
    counting: Mapped[str] = mapped_column(String(14), default="family", server_default="family")
    """What is asked once: a family, a family in each of its schools, or each student."""
    asked: Mapped[str] = mapped_column(String(20), default="everyone", server_default="everyone")
    """Whose households: everyone's, or those with an English learner or with a student who has a disability."""
    burn_salt: Mapped[str | None] = mapped_column(String(DIGEST))
    """Makes, with the site's key, the digests of used codes. Destroyed when the wave is long over."""
    delete_on: Mapped[date | None]
    """The day on which its answers are deleted, as families are told; None in a wave opened before this was stored: as
    the setting says (services/waves/retention.py)."""
    deleted_on: Mapped[date | None]
    """The day on which its answers were deleted."""
    privacy_notice: Mapped[str | None] = mapped_column(Text)
    """What its families are told about their answers, as services/waves/privacy_notice.py writes it when the wave is
    opened; None for a wave opened before this was stored: then the shipped statements hold."""

    edition: Mapped[StoredEdition] = relationship()
    schools: Mapped[list[School]] = relationship(secondary="wave_schools", order_by=School.name)

    @property
    def offered(self) -> list[str]:
        """The language tags this wave offers."""
        return self.languages.split()

    def is_open(self, today: date) -> bool:
        """Whether answers are taken on `today`; both end days count."""
        return self.opens <= today <= self.closes
