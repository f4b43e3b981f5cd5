"""Intervals for the population of the roster: finite if a group's number of households is published.

Only published numbers are used, so that an interval reveals no more than the count beside it. For a question asked of
some families, or a mode, the share among households that did not answer is assumed to be the same.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from engage.domain.summaries.intervals import wilson_intervals
from engage.domain.summaries.published_figures import (
    AudienceFigures,
    GroupFigures,
    HouseholdCounts,
    HouseholdNumber,
    QuestionFigures,
    ResponseCounts,
    ShareCell,
)

ALL, MODE = "all", "mode"


def with_population(figures: AudienceFigures, households: HouseholdCounts) -> AudienceFigures:
    """Return one audience's figures with all intervals computed for its population.

    `households` are the numbers this audience sees. Bands and hidden numbers count as unknown.
    """
    rows = list(_share_cells(figures, households))
    if rows:
        cells, counts, answered, populations, effects = zip(*rows, strict=True)
        low, high = wilson_intervals(
            np.array(counts), np.array(answered), np.array(populations, np.float64), np.array(effects, np.float64)
        )
        narrowed = {id(cell): pair for cell, *pair in zip(cells, low.tolist(), high.tolist(), strict=True)}
    else:
        narrowed = {}
    return {
        **figures,
        "households": households.copy(),
        "questions": [_narrow_question(question, narrowed) for question in figures["questions"]],
    }


def _share_cells(
    figures: AudienceFigures, households: HouseholdCounts
) -> Iterator[tuple[ShareCell, int | None, int | None, float, float]]:
    """Yield every cell with a share: the cell, count, number who answered, population (NaN: unknown), design effect."""
    for question in figures["questions"]:
        for breakdown, rows in question["breakdowns"].items():
            for row in rows:
                population = _row_population(figures["responses"], households, breakdown, row)
                for cell in row["cells"]:
                    if cell["share"] is not None:
                        yield cell, cell["count"], row["answered"], population, question["effect"]


def _row_population(responses: ResponseCounts, households: HouseholdCounts, breakdown: str, row: GroupFigures) -> float:
    """Return the number who would have been asked the question if every household had answered."""
    size = _group_size(households, breakdown, row["group"])
    responded = _group_responses(responses, breakdown, row["group"])
    base, answered = row["base"], row["answered"]
    if size is None or not responded or responded > size or base is None or answered is None:
        return float("nan")
    return max(float(base * size / responded), float(answered))


def _group_size(households: HouseholdCounts, breakdown: str, group: str | None) -> int | None:
    """Return the number of households of a group; None unless it is published as a number."""
    number: HouseholdNumber
    if breakdown in (ALL, MODE):
        number = households.get("all")
    else:
        groups = households.get("school", {}) if breakdown == "school" else households.get("language", {})
        number = groups.get(group or "")
    return number if isinstance(number, int) else None


def _group_responses(responses: ResponseCounts, breakdown: str, group: str | None) -> int | None:
    """Return the number of responses of a group; None if hidden."""
    if breakdown in (ALL, MODE):
        return responses["all"]
    return responses["school" if breakdown == "school" else "language"].get(group or "")


def _narrow_question(question: QuestionFigures, narrowed: Mapping[int, list[float]]) -> QuestionFigures:
    def cell(each: ShareCell) -> ShareCell:
        if id(each) not in narrowed:
            return each
        low, high = narrowed[id(each)]
        return {**each, "low": low, "high": high}

    breakdowns: dict[str, list[GroupFigures]] = {
        name: [{**row, "cells": [cell(each) for each in row["cells"]]} for row in rows]
        for name, rows in question["breakdowns"].items()
    }
    return {**question, "breakdowns": breakdowns}
