"""One household's answers in words, for those who may look them up."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engage.questionnaire.model import CHOICE_KINDS, Question, Survey, Words
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.question_types import is_missing
from engage.questionnaire.routing import Slot, slots_on_route
from engage.web.page_language import gettext


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """A question and what was answered: words of the survey, or the family's own (`own`). `block` is the child."""

    question: Question
    number: int | None
    block: int | None
    said: tuple[Words | str, ...]
    own: bool


def answer_lines(survey: Survey, document: str) -> list[AnswerLine]:
    """Every question on the household's route, in the words of `survey`; `document` is the response's."""
    answers, numbered = json.loads(document), question_numbers(survey)
    asked = [slot for slot in slots_on_route(survey, answers) if slot.question.kind != "note"]
    return [_answer_line(slot, numbered.get(slot.question.id), _value(answers, slot)) for slot in asked]


def _answer_line(slot: Slot, number: int | None, value: Any) -> AnswerLine:
    question = slot.question
    own = value is not None and not is_missing(value) and question.kind not in CHOICE_KINDS
    return AnswerLine(question, number, slot.block, _answer_words(question, value), own)


def _answer_words(question: Question, value: Any) -> tuple[Words | str, ...]:
    if value is None:
        return ()
    if is_missing(value):
        return (missing_reason(value["missing"]),)
    if question.kind in CHOICE_KINDS:
        codes = [value] if isinstance(value, str) else value
        return tuple(choice.text for choice in question.choices if choice.code in codes)
    return (str(value),)


def _value(answers: Mapping[str, Any], slot: Slot) -> Any:
    if slot.block is None:
        return answers.get(slot.question.id)
    kept = answers.get(slot.section.id) or []
    return kept[slot.block - 1].get(slot.question.id) if slot.block <= len(kept) else None


def missing_reason(kind: str) -> str:
    """Why an answer is missing."""
    said = {
        # translators: a choice of almost every question
        "dont_know": gettext("I don't know"),
        # translators: a choice of almost every question: the family would rather not answer this one
        "refused": gettext("I don't want to answer"),
        # translators: in place of an answer on paper
        "unclear": gettext("Could not be read"),
        # translators: in place of an answer on paper: two boxes are marked where only one answer fits
        "two_marks": gettext("Two answers marked"),
    }
    return said.get(kind, kind)
