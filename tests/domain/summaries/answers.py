"""Stored answers as a tidy pandas frame, computed without the column files: a slow and simple way to check every
count."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from engage.domain.summaries.column_store import ResponseRow
from engage.domain.summaries.encoding import Encoder, build_encoders, number_ranges
from engage.domain.summaries.tables import CHOSEN, DIMENSIONS, NOT_ASKED, REST
from engage.questionnaire.model import Survey
from engage.questionnaire.routing import walk_slots

COLUMNS = ("response", "question", "choice", "block", "value", *DIMENSIONS)


def answers_frame(survey: Survey, rows: Iterable[ResponseRow]) -> pd.DataFrame:
    """Return one row per response, question, and block; `value` is a column of the question's table.

    A "several" question has one row for itself (`choice` empty) and one for each choice, "chosen" or "rest". Responses
    are numbered in the given order; their ids are left out.
    """
    known = {each.question.id: each for each in build_encoders(survey)}
    lines = (line for number, row in enumerate(rows) for line in _lines(survey, known, number, row))
    frame = pd.DataFrame(lines, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(("question", "choice", "value", *DIMENSIONS), "category"))


def _lines(survey: Survey, known: dict[str, Encoder], number: int, row: ResponseRow) -> Iterator[tuple[Any, ...]]:
    answers = json.loads(row.answers)
    groups = (row.school, row.language, row.mode)
    for slot, on_route in walk_slots(survey, answers):
        encoder = known.get(slot.question.id)
        if encoder is None:
            continue
        given = answers if slot.block is None else _block(answers.get(slot.section.id), slot.block)
        value = given.get(slot.question.id)
        name = _column(encoder, value) if on_route else NOT_ASKED
        yield (number, slot.question.id, None, slot.block, name, *groups)
        for choice in slot.question.choices if slot.question.kind == "several" else ():
            part = CHOSEN if isinstance(value, list) and choice.code in value else REST
            yield (number, slot.question.id, choice.code, slot.block, part if on_route else NOT_ASKED, *groups)


def _block(kept: Any, block: int) -> Any:
    return kept[block - 1] if isinstance(kept, list) and block <= len(kept) else {}


def _column(encoder: Encoder, value: Any) -> str:
    """Return the column in which an answer on the route counts, computed without the encoding."""
    if value is None:
        return "blank"
    if isinstance(value, dict):
        return value["missing"] if value["missing"] in encoder.columns else "unclear"
    if encoder.question.kind in ("one", "scale"):
        return value if value in encoder.columns else "unclear"
    if encoder.question.kind == "number" and not encoder.counts:
        return _range(encoder, value)
    return "answered"


def _range(encoder: Encoder, value: int) -> str:
    found = [each.code for each in number_ranges(encoder.question) if each.low <= value]
    return found[-1] if found else encoder.answers[0]
