"""Instructions on code slips: whom they address, and how easy they are to read."""

from gettext import NullTranslations

import pytest

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.services.printing.slip_texts import educator_instructions, slip_instructions, student_instructions
from tests.questionnaire.reading_grade import grade

ENGLISH = NullTranslations()


def test_a_third_grader_can_read_a_students_slip() -> None:
    text = student_instructions(ENGLISH)
    assert grade(text) <= 3
    assert max(len(sentence.split()) for sentence in text.split(".")) <= 10, "it may be read aloud"


def test_each_population_has_its_own_instructions() -> None:
    assert slip_instructions("educator", ENGLISH) == educator_instructions(ENGLISH)
    assert slip_instructions("student", ENGLISH) == student_instructions(ENGLISH)
    for population in ("family", "liaison", ""):
        with pytest.raises(ValueError, match="no slips"):
            slip_instructions(population, ENGLISH)


@pytest.mark.parametrize("language", [tag for tag in LANGUAGES if tag != "en"])
@pytest.mark.parametrize("population", ["educator", "student"])
def test_every_language_has_them(population: str, language: str) -> None:
    assert slip_instructions(population, catalogue(language)) != slip_instructions(population, ENGLISH)
