"""Households of two schools with children, guardians, and names, as from a roster."""

import json
from typing import Any

from sqlalchemy.orm import Session

from engage.domain.security.encryption import Sealer
from engage.storage.models.roster import HouseholdStudent, Student
from engage.storage.models.schools import Household
from tests.makers import a_school

NAMES = {"students": ["Amina Ali"], "guardians": ["=HYPERLINK(1)", "Yusuf Ali"]}


def a_home(
    session: Session,
    number: int,
    *children: tuple[str, str],
    language: str = "en",
    sealer: Sealer | None = None,
    **about: Any,
) -> str:
    """Add a household with children, (id, school) each, at the school of the first; with names if there is a sealer."""
    id = f"{number:032x}"
    for _, school in children:
        a_school(session, school, school.title())
    session.flush()
    greeting = sealer.seal(json.dumps(NAMES)) if sealer else None
    session.add(Household(id=id, school_id=children[0][1], language=language, greeting=greeting))
    for child, school in children:
        if session.get(Student, child) is None:
            name = sealer.seal("Amina Ali") if sealer else None
            session.add(Student(id=child, school_id=school, name=name, **about))
    session.flush()
    session.add_all(HouseholdStudent(household_id=id, student_id=child) for child, _ in children)
    session.flush()
    return id
