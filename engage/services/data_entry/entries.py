"""The marks of one sheet: from the keying form, and what does not fit together in them. Nothing is ever refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engage.domain.intake.form_data import MARKER, Raw, from_form
from engage.questionnaire.answers import assemble
from engage.questionnaire.model import CHOICE_KINDS, TEXT_KINDS, Question, Survey
from engage.questionnaire.question_types import MISSING, boxes
from engage.questionnaire.routing import Slot, printed, shown

EVERY_BLOCK = 99  # more than any survey's `maximum`
Marks = dict[str, list[str]]


class Strange(ValueError):
    """Something that no keying page offers: the form was not made by us."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to look at once more on the sheet. Codes: off_route, blocks, and those of `kinds.Refused`."""

    slot: Slot
    code: str
    params: Mapping[str, Any]


def extra(question: Question) -> tuple[str, ...]:
    """The ways a printed question can fail to have an answer, beyond the boxes printed and leaving it blank."""
    if question.kind == "note":
        return ()
    several_fit = question.kind in TEXT_KINDS or question.kind == "several"
    known = ("unclear",) if several_fit else ("unclear", "two_marks")
    return known if question.refuse else (*known, "refused")


def every_slot(survey: Survey) -> dict[str, Slot]:
    """All slots that can hold an answer, by key, with as many blocks as the survey can have."""
    return {slot.key: slot for slot in printed(survey, EVERY_BLOCK) if slot.question.kind != "note"}


def from_page(survey: Survey, pairs: Iterable[tuple[str, str]]) -> Marks:
    """What was keyed, mark for mark; blanks have no entry. Raises Strange, TooMuch."""
    slots = every_slot(survey)
    marks = from_form(pairs, slots)
    for name, values in marks.items():
        offered = _offered(slots[name.removesuffix(MARKER)].question, name.endswith(MARKER))
        if offered is not None and not offered.issuperset(values):
            raise Strange(name)
    return marks


def _offered(question: Question, marker: bool) -> set[str] | None:
    """The values a field may have; None for any text."""
    values = {box.value for box in boxes(question)} | {"~" + name for name in extra(question)}
    if question.kind in CHOICE_KINDS:
        return set() if marker else values
    return {value.removeprefix("~") for value in values} if marker else None


def remarks(survey: Survey, raw: Raw) -> list[Remark]:
    """What a second look could settle: marks off the route, more children than counted, answers out of bounds."""
    slots = every_slot(survey)
    answers, _ = assemble(survey, raw, lenient=True)
    troubles = assemble(survey, raw)[1]
    route = {slot.key for slot in shown(survey, answers)}
    return [
        *(Remark(slots[each.slot_key], each.code, each.params) for each in troubles if not _is_paper(each.params)),
        *(Remark(slot, "off_route", {}) for key, slot in slots.items() if _marked(raw, key) and key not in route),
        *_beyond_count(survey, answers, slots),
    ]


def _is_paper(params: Mapping[str, Any]) -> bool:
    """ "It cannot be read" and the like are not on the web, but from paper they are an answer."""
    return params.get("marker") in MISSING


def _marked(raw: Raw, key: str) -> bool:
    return bool(raw.get(key) or raw.get(key + MARKER))


def _beyond_count(survey: Survey, answers: Mapping[str, Any], slots: Mapping[str, Slot]) -> list[Remark]:
    found = []
    for section in survey.sections:
        count, kept = answers.get(section.repeat or ""), len(answers.get(section.id) or ())
        if section.repeat and kept > (count if isinstance(count, int) else 0):
            found.append(Remark(slots[section.repeat], "blocks", {"num": kept}))
    return found
