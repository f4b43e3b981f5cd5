"""Intervals for the families of the roster: where a group's number of households is published, its population is
finite.

Only published numbers are used, so that an interval gives away nothing more than the count beside it. A question that
was for some only, and a way of answering, are taken to have their share of the households that did not answer.
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
    """One audience's figures, every interval worked out for its population. `households` are what the audience sees of
    them; bands and hidden numbers count as unknown."""
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
    """Every cell that has a share: count, who answered, population (NaN: not known), design effect."""
    for question in figures["questions"]:
        for breakdown, rows in question["breakdowns"].items():
            for row in rows:
                population = _row_population(figures["responses"], households, breakdown, row)
                for cell in row["cells"]:
                    if cell["share"] is not None:
                        yield cell, cell["count"], row["answered"], population, question["effect"]


def _row_population(responses: ResponseCounts, households: HouseholdCounts, breakdown: str, row: GroupFigures) -> float:
    """How many would have had the question if every household had answered."""
    size = _group_size(households, breakdown, row["group"])
    responded = _group_responses(responses, breakdown, row["group"])
    base, answered = row["base"], row["answered"]
    if size is None or not responded or responded > size or base is None or answered is None:
        return float("nan")
    return max(float(base * size / responded), float(answered))


def _group_size(households: HouseholdCounts, breakdown: str, group: str | None) -> int | None:
    """How many households a group has; None where that is not published as a number."""
    number: HouseholdNumber
    if breakdown in (ALL, MODE):
        number = households.get("all")
    else:
        groups = households.get("school", {}) if breakdown == "school" else households.get("language", {})
        number = groups.get(group or "")
    return number if isinstance(number, int) else None


def _group_responses(responses: ResponseCounts, breakdown: str, group: str | None) -> int | None:
    """How many of a group responded; None where that is hidden."""
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
