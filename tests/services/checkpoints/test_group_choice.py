"""Only a part of the released figures is shown, unchanged, and a small document is shown whole."""

from collections.abc import Iterator
from typing import Any

import pytest

from engage.services.checkpoints.figure_rows import FigureRow, figure_rows
from engage.services.checkpoints.group_choice import (
    CELLS_MOST,
    SCHOOLS_MOST,
    GroupChoice,
    choose_groups,
    limit_schools,
    question_key,
)

TONGUES = ("en", "es")


def a_document(schools: int, questions: int) -> Any:
    """Figures of one wave with this number of schools and questions; every third school's numbers are hidden."""
    places = [f"school-{each}" for each in range(schools)]
    figures = {"responses": {}, "questions": [a_question(f"q{each}", places) for each in range(questions)]}
    return {
        "format": 2,
        "as_of": "2026-11-20",
        "minimum": {"leaders": 5, "public": 10},
        "waves": [
            {
                "id": "fall",
                "survey": "small",
                "audiences": {"leaders": figures},
            }
        ],
    }


def a_question(id: str, places: list[str]) -> Any:
    def group(code: str | None, number: int) -> Any:
        count = None if number % 3 == 2 else number
        cell = {"code": "yes", "count": count, "share": 0.5, "low": 0.1, "high": 0.9}
        return {"group": code, "base": 9, "answered": 9, "cells": [cell], "apart": {"blank": count}}

    breakdowns = {
        "all": [group(None, 7)],
        "school": [group(place, number) for number, place in enumerate(places)],
        "language": [group(tag, number) for number, tag in enumerate(TONGUES)],
    }
    return {"question": id, "kind": "one", "section": None, "effect": 1.0, "breakdowns": breakdowns}


def rows(document: Any) -> list[FigureRow]:
    return list(figure_rows(document, "leaders"))


def shown(document: Any, breakdown: str) -> Iterator[tuple[str, str | None]]:
    """Question and group of each row of a breakdown."""
    yield from {(row.question, row.group): None for row in rows(document) if row.breakdown == breakdown}


LARGE = a_document(schools=200, questions=10)


def test_a_small_document_is_shown_whole_and_offers_no_choice() -> None:
    small = a_document(schools=3, questions=10)
    chosen = choose_groups(small, "leaders", GroupChoice("school-1", "fall.q1"))
    assert chosen.document is small
    assert (chosen.schools, chosen.questions, chosen.choice) == (frozenset(), frozenset(), GroupChoice())


@pytest.mark.parametrize(
    "choice",
    [
        GroupChoice(),
        GroupChoice("school-7"),
        GroupChoice(question="fall.q3"),
        GroupChoice("school-7", "fall.q3"),
        GroupChoice("nowhere", "fall.q99"),
        GroupChoice("all", "fall."),
    ],
)
def test_what_is_shown_is_a_part_of_the_figures(choice: GroupChoice) -> None:
    chosen = choose_groups(LARGE, "leaders", choice)
    part, whole = rows(chosen.document), rows(LARGE)
    assert set(part) < set(whole)
    assert [row for row in part if row.breakdown == "all"] == [row for row in whole if row.breakdown == "all"]
    assert len(part) < CELLS_MOST


def test_without_a_choice_there_are_totals_only() -> None:
    chosen = choose_groups(LARGE, "leaders", GroupChoice())
    assert {row.breakdown for row in rows(chosen.document)} == {"all"}
    assert chosen.schools == {f"school-{each}" for each in range(200)}
    assert chosen.questions == {question_key("fall", f"q{each}") for each in range(10)}


def test_a_chosen_school_is_shown_for_every_question() -> None:
    chosen = choose_groups(LARGE, "leaders", GroupChoice(school="school-7"))
    assert list(shown(chosen.document, "school")) == [(f"q{each}", "school-7") for each in range(10)]


def test_a_chosen_question_is_shown_with_all_its_groups() -> None:
    chosen = choose_groups(LARGE, "leaders", GroupChoice(question="fall.q3"))
    assert list(shown(chosen.document, "school")) == [("q3", f"school-{each}") for each in range(200)]
    assert list(shown(chosen.document, "language")) == [("q3", tag) for tag in TONGUES]


def test_what_the_checkpoint_does_not_have_cannot_be_chosen() -> None:
    assert choose_groups(LARGE, "leaders", GroupChoice("nowhere", "fall.q99")).choice == GroupChoice()


def test_families_choose_among_schools_only() -> None:
    chosen = choose_groups(LARGE, "leaders", GroupChoice(question="fall.q3"), ["school"], 100)
    assert len(list(shown(chosen.document, "school"))) == 200


def test_a_printed_document_has_few_schools_or_one() -> None:
    few = a_document(SCHOOLS_MOST, 2)
    assert limit_schools(few, "leaders", "") == (few, 0)
    many = a_document(SCHOOLS_MOST + 1, 2)
    document, left_out = limit_schools(many, "leaders", "school-4")
    assert left_out == SCHOOLS_MOST
    assert list(shown(document, "school")) == [("q0", "school-4"), ("q1", "school-4")]
    assert list(shown(document, "language")) == list(shown(many, "language"))
    assert limit_schools(many, "leaders", "")[1] == SCHOOLS_MOST + 1
