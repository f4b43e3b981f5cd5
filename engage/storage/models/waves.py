"""Survey editions, and waves: one edition, open in some schools between two days."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engage.storage.models.base import DIGEST, Base
from engage.storage.models.schools import School


class StoredEdition(Base):
    """A survey document as it was used: complete, in all languages, and immutable."""

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
    """One edition of a survey, open in some schools between two days."""

    __tablename__ = "waves"
    __table_args__ = (
        CheckConstraint("identity in ('anonymous', 'confidential')", "identity"),
        CheckConstraint("entry in ('open', 'code')", "entry"),
        CheckConstraint("closes >= opens", "days"),
        CheckConstraint("counting in ('family', 'family_school', 'student', 'educator', 'event')", "counting"),
        CheckConstraint("asked in ('everyone', 'english_learners', 'disabilities')", "asked"),
        CheckConstraint("population in ('family', 'educator', 'student', 'liaison')", "population"),
        CheckConstraint(
            "population not in ('educator', 'student') or (identity = 'anonymous' and entry = 'code')", "piles"
        ),
        CheckConstraint("notice_on is null or population = 'student'", "notice_on"),
        UniqueConstraint("id", "identity"),  # so that other tables can refer to waves of one kind only
    )

    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    """A readable id for the open link: "access-fall-2026"."""
    edition_digest: Mapped[str] = mapped_column(ForeignKey("editions.digest"))
    title: Mapped[str] = mapped_column(String(200))
    """The title for staff. Families see the survey's own title."""
    opens: Mapped[date]
    closes: Mapped[date]
    """The last day on which responses are accepted."""
    results_on: Mapped[date | None]
    """The day on which families are told to expect results."""
    identity: Mapped[str] = mapped_column(String(12))
    """anonymous: nobody can link an answer to a household. confidential: only the permitted role can."""
    entry: Mapped[str] = mapped_column(String(4))
    """open: one link for everyone. code: one access code per household."""
    languages: Mapped[str] = mapped_column(Text)
    """Language tags separated by spaces, in the order in which they are offered."""
    edits: Mapped[int] = mapped_column(default=0)
    """Incremented with each correction or deletion of a stored response, so that the column file is rebuilt."""
    modes: Mapped[str] = mapped_column(String(40), default="web paper interview", server_default="web paper interview")
    """The accepted modes, separated by spaces: web, paper, interview."""
    counting: Mapped[str] = mapped_column(String(14), default="family", server_default="family")
    """The sampling unit: a family, a family in each of its schools, a student, an educator, or an event of a
    liaison."""
    asked: Mapped[str] = mapped_column(String(20), default="everyone", server_default="everyone")
    """The surveyed population: everyone, or households with an English learner or with a student who has a
    disability."""
    burn_salt: Mapped[str | None] = mapped_column(String(DIGEST))
    """Salt of the digests of used codes, together with the site's key. Deleted long after the end of the wave."""
    delete_on: Mapped[date | None]
    """The day on which its responses will be deleted, as families are told. None for a wave opened before this was
    stored: the setting applies (services/waves/retention.py)."""
    deleted_on: Mapped[date | None]
    """The day on which its responses were deleted."""
    privacy_notice: Mapped[str | None] = mapped_column(Text)
    """The privacy notice for families, written by services/waves/privacy_notice.py when the wave was opened. None for a
    wave opened before this was stored: the shipped statements apply."""
    population: Mapped[str] = mapped_column(String(8), default="family", server_default="family")
    """Who answers: families, educators, students, or liaisons. The same as the survey's."""
    federal_funds: Mapped[bool | None]
    """Whether the U.S. Department of Education pays for a survey of students (20 U.S.C. 1232h(b)). None for others."""
    notice_on: Mapped[date | None]
    """The day on which families were given the notice of a survey of students (20 U.S.C. 1232h(c)(2)(B))."""

    edition: Mapped[StoredEdition] = relationship()
    schools: Mapped[list[School]] = relationship(secondary="wave_schools", order_by=School.name)

    @property
    def offered(self) -> list[str]:
        """The tags of the languages that are offered."""
        return self.languages.split()

    @hybrid_property
    def is_for_families(self) -> bool:
        """Whether families answer, and not educators, students, or liaisons. Also a condition of a query."""
        return self.population == "family"

    def is_open(self, today: date) -> bool:
        """Whether responses are accepted on `today`; the first and last day are included."""
        return self.opens <= today <= self.closes
