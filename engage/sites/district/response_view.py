"""One household's answers as text, for staff who may look them up."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engage.questionnaire.answer_text import answer_text
from engage.questionnaire.model import Question, Survey
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.routing import Slot, slots_on_route
from engage.web.page_language import gettext


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """A question and its answer: a text of the survey, or the family's own (`own`). `block` is the child."""

    question: Question
    number: int | None
    block: int | None
    said: tuple[str, ...]
    own: bool


def answer_lines(survey: Survey, document: str) -> list[AnswerLine]:
    """Every question on the household's route, in the language of `survey`; `document` is the response's."""
    answers, numbered = json.loads(document), question_numbers(survey)
    slots = [slot for slot in slots_on_route(survey, answers) if slot.question.kind != "note"]
    return [_answer_line(slot, numbered.get(slot.question.id), _value(answers, slot)) for slot in slots]


def _answer_line(slot: Slot, number: int | None, value: Any) -> AnswerLine:
    text = answer_text(slot.question, value, gettext)
    return AnswerLine(slot.question, number, slot.block, text.texts, text.is_own)


def _value(answers: Mapping[str, Any], slot: Slot) -> Any:
    if slot.block is None:
        return answers.get(slot.question.id)
    instances = answers.get(slot.section.id) or []
    return instances[slot.block - 1].get(slot.question.id) if slot.block <= len(instances) else None
