"""A release as plain data (dicts, lists, numbers, None for what is not shown), ready to be frozen as JSON.

One question:
    {"question", "kind", "section": id or None, "breakdowns": {"all": [row], "school": [row, …], "language", "mode"}}
One row:
    {"group": code or None, "base": asked, "answered", "cells": [{"code", "count", "share", "low", "high"}, …],
     "apart": {"dont_know": count, …}}
Shares are of those who answered, rounded to 4 places; low and high are their Wilson interval.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from engage.questionnaire.shape import Survey
from engage.summaries.encoding import Encoder, encoders
from engage.summaries.intervals import wilson
from engage.summaries.release import Release
from engage.summaries.suppression import HIDDEN, Shown
from engage.summaries.tables import DIMENSIONS

PLACES = 4  # decimals of shares
ALL = "all"

Plain = dict[str, Any]
Line = tuple[str | None, int, Sequence[int]]  # group, base, one count per column


def plain(release: Release, survey: Survey) -> Plain:
    """Return everything one audience is shown of one wave."""
    bases = release.bases[None]
    return {
        "responses": {ALL: _told(bases.base)}
        | {each: dict(zip(release.groups[each], map(_told, bases.bases[each]), strict=True)) for each in DIMENSIONS},
        # a question to the school is a thread, not an answer that is counted
        "questions": [_question(release, each) for each in encoders(survey) if each.question.asks != "question"],
    }


def _question(release: Release, encoder: Encoder) -> Plain:
    return {
        "question": encoder.question.id,
        "kind": encoder.question.kind,
        "section": encoder.section.id if encoder.section.repeat else None,
        "breakdowns": {each: list(_rows(release, encoder, each)) for each in (ALL, *DIMENSIONS)},
    }


def _rows(release: Release, encoder: Encoder, breakdown: str) -> Iterator[Plain]:
    whole = release.parts[encoder.question.id, None]
    choices = {}
    if encoder.question.kind == "several":
        for choice in encoder.question.choices:
            part = release.parts[encoder.question.id, choice.code]
            choices[choice.code] = [counts[0] for _, _, counts in _lines(release, part, breakdown)]
    for number, (group, base, counts) in enumerate(_lines(release, whole, breakdown)):
        named = dict(zip(whole.columns, counts, strict=True))
        answered = _answered(encoder, base, named)
        cells = {code: at[number] for code, at in choices.items()} or {code: named[code] for code in encoder.answers}
        yield {
            "group": group,
            "base": _told(base),
            "answered": answered,
            "cells": [_cell(code, int(count), answered) for code, count in cells.items()],
            "apart": {code: _told(count) for code, count in named.items() if code not in encoder.answers},
        }


def _lines(release: Release, shown: Shown, breakdown: str) -> Iterator[Line]:
    if breakdown == ALL:
        yield None, shown.base, [int(each) for each in shown.overall]
        return
    bases, cells = shown.bases[breakdown], shown.by[breakdown]
    for group, base, counts in zip(release.groups[breakdown], bases, cells, strict=True):
        yield group, int(base), [int(each) for each in counts]


def _answered(encoder: Encoder, base: int, named: dict[str, int]) -> int | None:
    """How many gave an answer, where that follows from what is shown: from the answers, or from all others."""
    answers = [named[code] for code in encoder.answers]
    if HIDDEN not in answers:
        return sum(answers)
    others = [count for code, count in named.items() if code not in encoder.answers]
    return None if HIDDEN in (base, *others) else base - sum(others)


def _cell(code: str, count: int, answered: int | None) -> Plain:
    if count == HIDDEN or not answered:
        return {"code": code, "count": _told(count), "share": None, "low": None, "high": None}
    low, high = wilson(count, answered)
    share = round(count / answered, PLACES)
    return {"code": code, "count": count, "share": share, "low": round(low, PLACES), "high": round(high, PLACES)}


def _told(count: int) -> int | None:
    return None if count == HIDDEN else int(count)
