"""Conversion of a release to JSON types (`published_figures`), ready to be frozen. `frame` computes shares and
intervals."""

from collections.abc import Container, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from engage.domain.summaries.frame import ALL, COLUMNS, THREADS, figures_frame
from engage.domain.summaries.published_figures import (
    AudienceFigures,
    GroupFigures,
    QuestionFigures,
    ResponseCounts,
    ShareCell,
)
from engage.domain.summaries.release import Release
from engage.domain.summaries.suppression import HIDDEN
from engage.domain.summaries.tables import DIMENSIONS
from engage.questionnaire.model import Survey

if TYPE_CHECKING:
    import pandas as pd

Line = tuple[Any, ...]  # row of the frame, in the order of COLUMNS


def build_plain_figures(release: Release, survey: Survey, threads: Container[str] = THREADS) -> AudienceFigures:
    """Return all figures of one wave for one audience. `threads` is as in `figures_frame`."""
    return {
        "responses": count_responses(release),
        "questions": list(_question_tables(figures_frame(release, survey, threads), release.effects)),
    }


def count_responses(release: Release) -> ResponseCounts:
    """Return the number of responses, in total and by group."""
    bases = release.bases[None]
    groups = {
        name: dict(zip(release.groups[name], map(_count_or_none, bases.bases[name]), strict=True))
        for name in DIMENSIONS
    }
    return {
        "all": _count_or_none(bases.base),
        "school": groups["school"],
        "language": groups["language"],
        "mode": groups["mode"],
    }


def _question_tables(frame: "pd.DataFrame", effects: Mapping[str, float]) -> Iterator[QuestionFigures]:
    lines = zip(*(_column_values(frame[each]) for each in COLUMNS), strict=True)
    for (question, kind, section), some in groupby(lines, itemgetter(0, 1, 2)):  # in the order of COLUMNS
        breakdowns: dict[str, list[GroupFigures]] = {name: [] for name in (ALL, *DIMENSIONS)}
        for (breakdown, group), group_lines in groupby(some, itemgetter(3, 4)):
            breakdowns[breakdown].append(_group_figures(group, group_lines))
        yield {
            "question": question,
            "kind": kind,
            "section": section,
            "effect": effects.get(question, 1.0),
            "breakdowns": breakdowns,
        }


def _column_values(column: "pd.Series[Any]") -> list[Any]:
    """Return a column as Python values, with None for missing ones."""
    values = column.to_numpy(dtype=np.object_, copy=True)
    values[column.isna().to_numpy()] = None
    return list(values.tolist())


def _group_figures(group: str | None, lines: Iterator[Line]) -> GroupFigures:
    cells: list[ShareCell] = []
    others: dict[str, int | None] = {}
    for *_, answer, apart, base, answered, count, share, low, high in lines:  # noqa: B007  # of the last one
        if apart:
            others[answer] = count
        else:
            cells.append({"code": answer, "count": count, "share": share, "low": low, "high": high})
    return {"group": group, "base": base, "answered": answered, "cells": cells, "apart": others}


def _count_or_none(count: int) -> int | None:
    return None if count == HIDDEN else int(count)
