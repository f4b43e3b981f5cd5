"""Conversion between raw strings from forms and the answer document that is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from engage.questionnaire.model import CHOICE_KINDS, Survey
from engage.questionnaire.question_types import RefusedAnswer, read_answer
from engage.questionnaire.routing import Slot, all_slots, walk_slots
from engage.questionnaire.rules import Answers, AnswerValue

Raw = Mapping[str, Sequence[str]]
AnswerDocument = dict[str, AnswerValue | list[dict[str, AnswerValue]]]
"""Answers in the form in which they are stored; see `rules.Answers`."""


@dataclass(frozen=True, slots=True)
class AnswerProblem:
    """An answer that was refused: its slot, and a stable code with parameters (see `question_types.RefusedAnswer`)."""

    slot_key: str
    code: str
    params: dict[str, str | int] = field(default_factory=dict)


def assemble_answers(survey: Survey, raw: Raw, lenient: bool = False) -> tuple[AnswerDocument, list[AnswerProblem]]:
    """Return the answer document, and the problems of refused answers, which are left out of it (none when `lenient`).

    `raw` maps slot keys to raw strings; other keys are ignored. Answers to questions off the route are left out. A
    repeated section has as many blocks as its count question says; `lenient` (paper) also keeps blocks beyond that.
    """
    answers, refused = _read_answers(survey, raw, lenient)
    document: AnswerDocument = {}
    problems = []
    for slot, on_route in walk_slots(survey, answers):
        if not lenient and slot.section.repeat and slot.section.repeat not in document:
            continue  # the count question is off the route, so its blocks are too
        if on_route and slot.key in refused:
            problem = refused[slot.key]
            problems.append(AnswerProblem(slot.key, problem.code, problem.params))
        elif on_route:
            _set_answer(document, slot, _get_answer(answers, slot))
    return document, problems


def to_raw(survey: Survey, answers: Answers) -> dict[str, list[str]]:
    """Return the raw strings that `assemble_answers` turns into these answers (with `lenient` if they came from
    paper)."""
    raw = {}
    for slot in all_slots(survey, answers):
        value = _get_answer(answers, slot)
        if value is None:
            continue
        if isinstance(value, Mapping) and slot.question.kind not in CHOICE_KINDS:
            raw[slot.key + "~"] = [value["missing"]]
        else:
            raw[slot.key] = _raw_values(value)
    return raw


def _raw_values(value: AnswerValue) -> list[str]:
    if isinstance(value, Mapping):
        return ["~" + value["missing"]]
    return list(value) if isinstance(value, list) else [str(value)]


def _read_answers(survey: Survey, raw: Raw, lenient: bool) -> tuple[AnswerDocument, dict[str, RefusedAnswer]]:
    """Read all answers without applying the route. Returns the document and the refused answers by slot key."""
    answers: AnswerDocument = {}
    refused: dict[str, RefusedAnswer] = {}
    for section in survey.sections:
        most = 0 if section.repeat is None else _block_count(answers.get(section.repeat), section.maximum, lenient)
        for block in [None] if section.repeat is None else range(1, most + 1):
            for question in section.questions:
                slot = Slot(section, block, question)
                value = read_answer(question, raw.get(slot.key, ()), raw.get(slot.key + "~", ()), lenient=lenient)
                if isinstance(value, RefusedAnswer):
                    refused[slot.key] = value
                else:
                    _set_answer(answers, slot, value)
    return answers, refused


def _block_count(count: object, maximum: int, lenient: bool) -> int:
    if lenient:
        return maximum
    return max(0, min(count, maximum)) if isinstance(count, int) else 0


def _set_answer(answers: AnswerDocument, slot: Slot, value: AnswerValue | None) -> None:
    if value is None:
        return
    if slot.block is None:
        answers[slot.question.id] = value
        return
    blocks = cast(list[dict[str, AnswerValue]], answers.setdefault(slot.section.id, []))
    blocks += [{} for _ in range(slot.block - len(blocks))]
    blocks[slot.block - 1][slot.question.id] = value


def _get_answer(answers: Answers, slot: Slot) -> AnswerValue | None:
    if slot.block is None:
        return cast(AnswerValue | None, answers.get(slot.question.id))
    blocks = cast(Sequence[Mapping[str, AnswerValue]], answers.get(slot.section.id) or [])
    return blocks[slot.block - 1].get(slot.question.id) if slot.block <= len(blocks) else None
