"""A district that keeps no names keeps none that came before it decided so."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from engage.storage.models.roster import Guardian, Student
from engage.storage.models.schools import Household

NAMED: tuple[Any, ...] = (Guardian.contact, Student.name, Household.greeting)
"""Every column that holds a name or an address, sealed."""


def erase_names(session: Session) -> None:
    """Empty them all; who belongs to whom, and languages, stay."""
    for column in NAMED:
        session.execute(update(column.class_).where(column.is_not(None)).values({column.key: None}))
