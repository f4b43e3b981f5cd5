"""The answers so far, in words, for the last look before they are sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from engage.family.offers import Offer
from engage.family.plan import Step, plan_of
from engage.family.wrong import sentence, troubles
from engage.paper.numbering import numbers
from engage.questionnaire.kinds import is_missing, read
from engage.questionnaire.routing import Slot
from engage.questionnaire.rules import holds
from engage.questionnaire.shape import CHOICE_KINDS, Question, Section
from engage.web.locale import gettext, worded

Raw = Mapping[str, Sequence[str]]
BREAK = Markup("<br>")


@dataclass(frozen=True, slots=True)
class Row:
    """One question and what was answered, as HTML; `wrong` says what cannot be taken of it."""

    key: str
    number: int | None
    question: Question
    said: Markup
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
        if slot.key in wrong:
            problem, said = sentence(wrong[slot.key], question), _own("\n".join(raw.get(slot.key, ())))
        else:
            problem, said = "", _said(question, value)
        found.append(Row(slot.key, numbered.get(question.id), question, said, problem, step.page.number))
    return found


def _value(slot: Slot, raw: Raw) -> Any:
    return read(slot.question, raw.get(slot.key, ()), raw.get(slot.key + "~", ()))


def _said(question: Question, value: Any) -> Markup:
    if value is None:
        # translators: where an answer would stand
        return Markup('<span class="hint">{}</span>').format(gettext("You left this open."))
    if is_missing(value):
        return escape(missing_words(value["missing"]))
    if question.kind in CHOICE_KINDS:
        codes = [value] if isinstance(value, str) else value
        return BREAK.join(worded(choice.text) for choice in question.choices if choice.code in codes)
    return _own(str(value))


def _own(text: str) -> Markup:
    """What the family wrote itself, in whatever direction."""
    return Markup('<bdi class="said">{}</bdi>').format(text)


def missing_words(missing: str) -> str:
    """The choice that stands for a missing answer, as every question offers it."""
    if missing == "dont_know":
        # translators: a choice of almost every question
        return gettext("I don't know")
    # translators: a choice of almost every question: the family would rather not answer this one
    return gettext("I don't want to answer")
