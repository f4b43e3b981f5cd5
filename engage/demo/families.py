"""The people in Riverbend's households: one or two guardians and one to three children, without names. They have their
own random numbers, so that the rest of the story does not change with them."""

from collections.abc import Iterator
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from engage.demo.district import SEED, DemoHousehold
from engage.storage.models.roster import Guardian, Guardianship, HouseholdGuardian, HouseholdStudent, Student

GRADES = {
    "lincoln": ("KG", "01", "02", "03", "04", "05"),
    "cedar-hill": ("06", "07", "08"),
    "riverbend-high": ("09", "10", "11", "12"),
}
CHILDREN = (1, 1, 1, 1, 2, 2, 3)
LEARNS_ENGLISH = 0.4  # share of the students whose family reads another language
DISABILITY = 0.14  # share of the students
SECOND_GUARDIAN = 0.6


def add_families(session: Session, homes: list[DemoHousehold]) -> None:
    """Add people to each household; all children of a household go to its school."""
    rng = Random(SEED + 1)
    for number, home in enumerate(homes, 1):
        for rows in _family_rows(home, number, rng):
            session.add_all(rows)
            session.flush()


def _family_rows(home: DemoHousehold, number: int, rng: Random) -> Iterator[list[Any]]:
    guardians = [f"g{number:04}{each}" for each in ("a", "b")[: 1 + (rng.random() < SECOND_GUARDIAN)]]
    children = [_generate_student(f"s{number:04}{each}", home, rng) for each in "abc"[: rng.choice(CHILDREN)]]
    yield [Guardian(id=each, reads=home.language, speaks=home.language) for each in guardians] + children
    yield [
        *(HouseholdGuardian(household_id=home.id, guardian_id=each) for each in guardians),
        *(HouseholdStudent(household_id=home.id, student_id=child.id) for child in children),
        *(
            Guardianship(student_id=child.id, guardian_id=each, position=position)
            for child in children
            for position, each in enumerate(guardians)
        ),
    ]


def _generate_student(id: str, home: DemoHousehold, rng: Random) -> Student:
    learns = rng.random() < LEARNS_ENGLISH
    return Student(
        id=id,
        school_id=home.school,
        grade=rng.choice(GRADES[home.school]),
        home_language=home.language,
        english_learner=learns and home.language != "en",
        disability=rng.random() < DISABILITY,
    )
