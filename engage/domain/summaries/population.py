"""Intervals for the families of the roster: where a group's number of households is told, its population is finite.

Only told numbers are used, so that an interval gives away nothing more than the count beside it. A question that was
for some only, and a way of answering, are taken to have their share of the households that did not answer.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engage.domain.summaries.intervals import wilson_intervals

ALL, MODE = "all", "mode"

Document = dict[str, Any]
Cell = dict[str, Any]


def with_population(figures: Mapping[str, Any], households: Mapping[str, Any]) -> Document:
    """One audience's plain figures (`plain`), every interval made for its population. `households` are what the
    audience is told of them: {"all": n, "school": {id: n}, "language": {tag: n}}; other than numbers counts as unknown.
    """
    found = list(_share_cells(figures, households))
    if found:
        cells, counts, answered, populations, effects = zip(*found, strict=True)
        low, high = wilson_intervals(
            np.array(counts), np.array(answered), np.array(populations, np.float64), np.array(effects, np.float64)
        )
        narrowed = {id(cell): pair for cell, *pair in zip(cells, low.tolist(), high.tolist(), strict=True)}
    else:
        narrowed = {}
    return {
        **figures,
        "households": dict(households),
        "questions": [_narrow_question(each, narrowed) for each in figures["questions"]],
    }


def _share_cells(
    figures: Mapping[str, Any], households: Mapping[str, Any]
) -> Iterator[tuple[Cell, int, int, float, float]]:
    """Every cell that has a share: count, who answered, population (NaN: not known), design effect."""
    for question in figures["questions"]:
        for breakdown, rows in question["breakdowns"].items():
            for row in rows:
                population = _row_population(figures["responses"], households, breakdown, row)
                for cell in row["cells"]:
                    if cell["share"] is not None:
                        yield cell, cell["count"], row["answered"], population, question["effect"]


def _row_population(
    responses: Mapping[str, Any], households: Mapping[str, Any], breakdown: str, row: Mapping[str, Any]
) -> float:
    """How many would have had the question if every household had answered."""
    overall = breakdown in (ALL, MODE)
    size = households.get(ALL) if overall else households.get(breakdown, {}).get(row["group"])
    responded = responses[ALL] if overall else responses[breakdown].get(row["group"])
    if not isinstance(size, int) or not responded or responded > size or None in (row["base"], row["answered"]):
        return float("nan")
    return max(float(row["base"] * size / responded), float(row["answered"]))


def _narrow_question(question: Document, narrowed: Mapping[int, list[float]]) -> Document:
    def cell(each: Cell) -> Cell:
        if id(each) not in narrowed:
            return each
        low, high = narrowed[id(each)]
        return {**each, "low": low, "high": high}

    breakdowns = {
        name: [{**row, "cells": [cell(each) for each in row["cells"]]} for row in rows]
        for name, rows in question["breakdowns"].items()
    }
    return {**question, "breakdowns": breakdowns}
