"""The answers so far, in words, for the last look before they are sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engage.family.offers import Offer
from engage.family.plan import Step, plan_of
from engage.family.wrong import sentence, troubles
from engage.paper.numbering import numbers
from engage.questionnaire.kinds import is_missing, read
from engage.questionnaire.routing import Slot
from engage.questionnaire.rules import holds
from engage.questionnaire.shape import CHOICE_KINDS, Question, Section
from engage.web.locale import gettext

Raw = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One question and what was answered: `said` are words of the survey or the family's own (`own`); empty: blank."""

    key: str
    number: int | None
    question: Question
    said: tuple[str, ...]
    own: bool
    wrong: str
    page: int


@dataclass(frozen=True, slots=True)
class Part:
    """One page's rows; `block` of `count` where the section repeats."""

    section: Section
    block: int | None
    count: int
    page: int
    rows: tuple[Row, ...]


def parts(offer: Offer, lang: str, raw: Raw) -> list[Part]:
    """Everything on the family's route, in order, in a language."""
    survey = offer.survey(lang)
    steps = plan_of(offer.edition).steps(raw)
    numbered = numbers(survey)
    words = {question.id: question for _, question in survey.questions()}
    found = []
    for step in steps:
        page = step.page
        count = sum(other.page.section is page.section for other in steps)
        rows = tuple(_rows(step, raw, words, numbered))
        found.append(Part(survey.section(page.section.id), page.block, count, page.number, rows))
    return found


def _rows(step: Step, raw: Raw, words: Mapping[str, Question], numbered: Mapping[str, int]) -> list[Row]:
    wrong = troubles(step, raw)
    met: dict[str, Any] = {}
    found = []
    for slot, rule in zip(step.page.slots, step.rules, strict=True):
        if slot.question.kind == "note" or rule is False or (rule is not True and not holds(rule, met)):
            continue
        question = words[slot.question.id]
        value = None if slot.key in wrong else _value(slot, raw)
        if value is not None:
            met[question.id] = value
        said, own = _said(question, value)
        if slot.key in wrong:
            said, own = tuple(raw.get(slot.key, ())), True
        problem = sentence(wrong[slot.key], question) if slot.key in wrong else ""
        found.append(Row(slot.key, numbered.get(question.id), question, said, own, problem, step.page.number))
    return found


def _value(slot: Slot, raw: Raw) -> Any:
    return read(slot.question, raw.get(slot.key, ()), raw.get(slot.key + "~", ()))


def _said(question: Question, value: Any) -> tuple[tuple[str, ...], bool]:
    """The answer in words, and whether they are the family's own."""
    if value is None:
        return (), False
    if is_missing(value):
        return (missing_words(value["missing"]),), False
    if question.kind in CHOICE_KINDS:
        codes = [value] if isinstance(value, str) else value
        return tuple(choice.text for choice in question.choices if choice.code in codes), False
    return (str(value),), True


def missing_words(missing: str) -> str:
    """The choice that stands for a missing answer, as every question offers it."""
    if missing == "dont_know":
        # translators: a choice of almost every question
        return gettext("I don't know")
    # translators: a choice of almost every question: the family would rather not answer this one
    return gettext("I don't want to answer")
