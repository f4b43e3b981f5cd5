"""Schools and households."""

from sqlalchemy import ForeignKey, LargeBinary, String, text, true
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import RANDOM_ID, Base

UNDETERMINED = "und"  # ISO 639-2: the language of a household whose language is unknown


class School(Base):
    __tablename__ = "schools"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    """A short readable id for URLs: "lincoln"."""
    name: Mapped[str] = mapped_column(String(200))
    """The school's own name, as families know it. Never translated."""
    source_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    """The district's id: the OneRoster sourcedId. None if the school is not from a roster."""
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether the current roster contains the school."""
    teachers: Mapped[int | None]
    """How many people the roster lists as its teachers; None if it lists no teachers. Nothing else about them is
    stored."""


class Household(Base):
    """People who share children at one address. A household is surveyed once per wave."""

    __tablename__ = "households"

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    """The school of its youngest child, where the household will stay longest."""
    language: Mapped[str] = mapped_column(String(20))
    """The language the guardian reads; UNDETERMINED if unknown."""
    speaks: Mapped[str] = mapped_column(String(35), default="", server_default=text("''"))
    """The language the guardian speaks; empty if unknown."""
    greeting: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted salutation for letters. None if the district stores no names."""
