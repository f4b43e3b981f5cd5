"""Names of people: formatting in the order of their language, and erasure if a district does not store names."""

import re
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from engage.questionnaire.text_cleaning import clean_text
from engage.storage.models.roster import Guardian, Student
from engage.storage.models.schools import Household

NAMED: tuple[Any, ...] = (Guardian.contact, Student.name, Household.greeting)
"""Every column with an encrypted name or address."""

FAMILY_FIRST = frozenset(("vi", "zh", "yue", "nan", "hak", "wuu", "cdo", "ko", "hu"))
# Han characters and Hangul are written without a space between names (Unicode blocks; Han extensions A to F)
_JOINED = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ebef\uac00-\ud7af\u1100-\u11ff]+", re.ASCII
)


def full_name(given_name: str | None, family: str | None, language: str | None) -> str | None:
    """Return given name and family name. The family name is first if `language` (a tag) requires it, or if both are
    written in Han characters or Hangul. None if both are missing."""
    if given_name is None and family is None:
        return None
    given_name, family = given_name or "", family or ""
    joined = bool(_JOINED.fullmatch(given_name) and _JOINED.fullmatch(family))
    if joined or (language or "").partition("-")[0] in FAMILY_FIRST:
        given_name, family = family, given_name
    return clean_text(f"{given_name}{'' if joined else ' '}{family}", lines=False)


def erase_names(session: Session) -> None:
    """Empty every column that has a name or an address.

    Relationships and languages stay.
    """
    for column in NAMED:
        session.execute(update(column.class_).where(column.is_not(None)).values({column.key: None}))
