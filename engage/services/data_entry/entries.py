"""The marks of one sheet: parsing of the keying form, and inconsistencies in them. A mark on paper is never refused."""

from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from typing import Any, cast

from engage.domain.intake.form_data import MARKER, Raw, parse_form
from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.model import CHOICE_KINDS, TEXT_KINDS, Question, Survey
from engage.questionnaire.question_types import MISSING, answer_boxes
from engage.questionnaire.routing import Slot, printed_slots, slots_on_route
from engage.questionnaire.rules import Answers

EVERY_BLOCK = 99  # more than any survey's `maximum`
Marks = dict[str, list[str]]


class InvalidMark(ValueError):
    """A value that no keying page offers."""


@dataclass(frozen=True, slots=True)
class Remark:
    """An inconsistency on the sheet to check. Codes: off_route, blocks, and those of `question_types.RefusedAnswer`."""

    slot: Slot
    code: str
    params: Mapping[str, Any]


def missing_answer_codes(question: Question) -> tuple[str, ...]:
    """The missing-answer codes of a printed question, except those printed as boxes and a blank."""
    if question.kind == "note":
        return ()
    several_fit = question.kind in TEXT_KINDS or question.kind == "several"
    codes = ("unclear",) if several_fit else ("unclear", "two_marks")
    return (*codes, "refused")


def slots_by_key(survey: Survey) -> dict[str, Slot]:
    """All slots that can have an answer, by key, with the survey's maximum number of blocks."""
    return {slot.key: slot for slot in printed_slots(survey, EVERY_BLOCK) if slot.question.kind != "note"}


def parse_marks(survey: Survey, pairs: Iterable[tuple[str, str]]) -> Marks:
    """The marks that were keyed; blanks have no entry. Raises InvalidMark, FormTooLarge."""
    slots = slots_by_key(survey)
    marks = parse_form(pairs, slots)
    for name, values in marks.items():
        offered = _allowed_values(slots[name.removesuffix(MARKER)].question, name.endswith(MARKER))
        if offered is not None and not offered.issuperset(values):
            raise InvalidMark(name)
    return marks


def _allowed_values(question: Question, marker: bool) -> set[str] | None:
    """The values a field may have; None if it accepts any text."""
    values = {box.value for box in answer_boxes(question)} | {"~" + name for name in missing_answer_codes(question)}
    if question.kind in CHOICE_KINDS:
        return set() if marker else values
    return {value.removeprefix("~") for value in values} if marker else None


def find_remarks(survey: Survey, raw: Raw, answers: Answers) -> list[Remark]:
    """Inconsistencies for the keyer to check: marks off the route, more children than the stated number, answers out of
    bounds. `answers` are those of `raw`, assembled by the rules for paper."""
    slots = slots_by_key(survey)
    troubles = assemble_answers(survey, raw)[1]
    route = {slot.key for slot in slots_on_route(survey, answers)}
    return [
        *(
            Remark(slots[each.slot_key], each.code, each.params)
            for each in troubles
            if not _is_paper_answer(each.params)
        ),
        *(Remark(slot, "off_route", {}) for key, slot in slots.items() if _is_marked(raw, key) and key not in route),
        *_extra_block_remarks(survey, answers, slots),
    ]


def _is_paper_answer(params: Mapping[str, Any]) -> bool:
    """Whether this is "illegible" or a similar code, which counts as an answer on paper but does not exist on the
    web."""
    return params.get("marker") in MISSING


def _is_marked(raw: Raw, key: str) -> bool:
    return bool(raw.get(key) or raw.get(key + MARKER))


def _extra_block_remarks(survey: Survey, answers: Answers, slots: Mapping[str, Slot]) -> list[Remark]:
    remarks = []
    for section in survey.sections:
        count, blocks = answers.get(section.repeat or ""), len(cast(Sized, answers.get(section.id) or ()))
        if section.repeat and blocks > (count if isinstance(count, int) else 0):
            remarks.append(Remark(slots[section.repeat], "blocks", {"num": blocks}))
    return remarks
