"""Schools, the households that could be asked, and the waves in which they are asked."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engage.records.base import DIGEST, RANDOM_ID, Base


class School(Base):
    __tablename__ = "schools"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    """A short readable name for addresses: "lincoln"."""
    name: Mapped[str] = mapped_column(String(200))
    """The school's own name, as families say it. Never translated."""


class Household(Base):
    """People who share children at one address; it is asked once per wave."""

    __tablename__ = "households"

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    language: Mapped[str] = mapped_column(String(20))
    """The language the guardian reads."""


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

    edition: Mapped[StoredEdition] = relationship()
    schools: Mapped[list[School]] = relationship(secondary="wave_schools", order_by=School.name)

    @property
    def offered(self) -> list[str]:
        """The language tags this wave offers."""
        return self.languages.split()

    def is_open(self, today: date) -> bool:
        """Whether answers are taken on `today`; both end days count."""
        return self.opens <= today <= self.closes
