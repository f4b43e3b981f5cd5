"""Schools, the households that could be asked, and the waves in which they are asked."""

from sqlalchemy import ForeignKey, LargeBinary, String, text, true
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import RANDOM_ID, Base

UNDETERMINED = "und"  # ISO 639-2: the language of a household of which no language is known


class School(Base):
    __tablename__ = "schools"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    """A short readable name for addresses: "lincoln"."""
    name: Mapped[str] = mapped_column(String(200))
    """The school's own name, as families say it. Never translated."""
    source_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    """The district's id of it: OneRoster's sourcedId; None where it did not come with a roster."""
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether the roster still has it."""


class Household(Base):
    """People who share children at one address; it is asked once per wave."""

    __tablename__ = "households"

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    """The school of its youngest child: the one that sees the household longest."""
    language: Mapped[str] = mapped_column(String(20))
    """The language the guardian reads; UNDETERMINED where it is not known."""
    speaks: Mapped[str] = mapped_column(String(35), default="", server_default=text("''"))
    """The language the guardian speaks; empty where it is not known."""
    greeting: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed: whom a letter greets. None where the district keeps no names."""
