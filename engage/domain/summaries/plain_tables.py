"""A release as plain data (dicts, lists, numbers, None for what is not shown), ready to be frozen as JSON.

One question:
    {"question", "kind", "section": id or None, "effect": design effect,
     "breakdowns": {"all": [row], "school": [row, …], "language", "mode"}}
One row:
    {"group": code or None, "base": who had the question, "answered",
     "cells": [{"code", "count", "share", "low", "high"}, …], "apart": {"dont_know": count, …}}
Shares are of those who answered, not rounded; low and high are their Wilson interval (see `frame`).
"""

from collections.abc import Container, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from engage.domain.summaries.frame import ALL, COLUMNS, THREADS, figures_frame
from engage.domain.summaries.release import Release
from engage.domain.summaries.suppression import HIDDEN
from engage.domain.summaries.tables import DIMENSIONS
from engage.questionnaire.model import Survey

if TYPE_CHECKING:
    import pandas as pd

Plain = dict[str, Any]
Line = tuple[Any, ...]  # of the frame, in the order of COLUMNS


def build_plain_figures(release: Release, survey: Survey, threads: Container[str] = THREADS) -> Plain:
    """Return everything one audience is shown of one wave; `threads` as `figures_frame` has them."""
    return {
        "responses": count_responses(release),
        "questions": list(_question_tables(figures_frame(release, survey, threads), release.effects)),
    }


def count_responses(release: Release) -> Plain:
    """How many responded: {"all": n, "school": {id: n}, "language": {tag: n}, "mode": {code: n}}."""
    bases = release.bases[None]
    return {ALL: _count_or_none(bases.base)} | {
        each: dict(zip(release.groups[each], map(_count_or_none, bases.bases[each]), strict=True))
        for each in DIMENSIONS
    }


def _question_tables(frame: "pd.DataFrame", effects: Mapping[str, float]) -> Iterator[Plain]:
    lines = zip(*(_column_values(frame[each]) for each in COLUMNS), strict=True)
    for (question, kind, section), some in groupby(lines, itemgetter(0, 1, 2)):  # in the order of COLUMNS
        breakdowns: dict[str, list[Plain]] = {each: [] for each in (ALL, *DIMENSIONS)}
        for (breakdown, group), row in groupby(some, itemgetter(3, 4)):
            breakdowns[breakdown].append({"group": group, **_group_row(row)})
        about = {"question": question, "kind": kind, "section": section, "effect": effects.get(question, 1.0)}
        yield {**about, "breakdowns": breakdowns}


def _column_values(column: "pd.Series[Any]") -> list[Any]:
    """A column as Python's own values, None for what is missing."""
    values = column.to_numpy(dtype=np.object_, copy=True)
    values[column.isna().to_numpy()] = None
    return list(values.tolist())


def _group_row(lines: Iterator[Line]) -> Plain:
    cells: list[Plain] = []
    others: dict[str, int | None] = {}
    for *_, answer, apart, base, answered, count, share, low, high in lines:  # noqa: B007  # of the last one
        if apart:
            others[answer] = count
        else:
            cells.append({"code": answer, "count": count, "share": share, "low": low, "high": high})
    return {"base": base, "answered": answered, "cells": cells, "apart": others}


def _count_or_none(count: int) -> int | None:
    return None if count == HIDDEN else int(count)
