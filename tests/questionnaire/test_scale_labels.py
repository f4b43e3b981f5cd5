"""The points of every scale in every language, compared with the table of back-translations in docs/scale-labels.md."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engage.base.catalogs import survey_catalogues
from engage.base.languages import LANGUAGES
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_surveys
from engage.questionnaire.model import Question

PAGE = Path(__file__).parents[2] / "docs" / "scale-labels.md"
EDITIONS = [build_edition(survey, survey_catalogues()) for survey in shipped_surveys()]
Labels = tuple[tuple[str, str], ...]  # English and translated, by position


def scales(tag: str) -> Iterator[tuple[str, Question, Question]]:
    """Every scale of the shipped surveys: its name, in English, and in a language."""
    for edition in EDITIONS:
        both = zip(edition.survey("en").questions(), edition.survey(tag).questions(), strict=True)
        for (_, english), (_, translated) in both:
            if english.kind == "scale":
                yield f"{edition.survey('en').slug}/{english.id}", english, translated


def listed(tag: str) -> dict[str, Labels]:
    """The tables of a language on the page, by question."""
    part = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    [section] = [each for each in part if each.startswith(f"{tag}\n")]
    found: dict[str, Labels] = {}
    for names, table in re.findall(r"^(`[^\n]+):\n\n((?:\|[^\n]*\n?)+)", section, re.MULTILINE):
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
        assert all(len(row) == 3 and all(row) for row in cells), names
        labels = tuple((english, label) for english, label, _ in cells)
        found |= dict.fromkeys(re.findall(r"`([^`]+)`", names), labels)
    return found


@pytest.mark.parametrize("tag", [tag for tag in LANGUAGES if tag != "en"])
def test_the_page_has_the_labels_of_today(tag):
    current = {
        name: tuple((str(a.text), str(b.text)) for a, b in zip(english.choices, translated.choices, strict=True))
        for name, english, translated in scales(tag)
    }
    assert listed(tag) == current


@pytest.mark.parametrize("tag", list(LANGUAGES))
def test_no_label_stands_for_two_positions_and_none_is_doubled(tag):
    places: dict[str, set[int]] = {}
    for name, _, translated in scales(tag):
        texts = [str(choice.text).casefold() for choice in translated.choices]
        assert len(set(texts)) == len(texts) == 5, name
        for place, text in enumerate(texts):
            places.setdefault(text, set()).add(place)
    assert {text: found for text, found in places.items() if len(found) > 1} == {}
