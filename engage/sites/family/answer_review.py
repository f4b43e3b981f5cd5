"""The answers of the review page, as text."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from engage.questionnaire.answer_text import answer_text, own_blank_text
from engage.questionnaire.model import Question, Section
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.pages import Step
from engage.questionnaire.question_types import read_answer
from engage.questionnaire.routing import Slot
from engage.questionnaire.rules import Rule, evaluate_rule, rule_question_ids
from engage.sites.family.draft_view import DraftView
from engage.sites.family.validation_messages import validation_sentence
from engage.sites.family.wave_cache import Offer
from engage.web.page_language import gettext, language_markup

Raw = Mapping[str, Sequence[str]]
BREAK = Markup("<br>")


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One question and its answer, as HTML; `wrong` is the message about an invalid answer."""

    key: str
    number: int | None
    question: Question
    said: Markup
    wrong: str
    page: int


@dataclass(frozen=True, slots=True)
class ReviewPart:
    """One page's rows; `block` of `count` if the section repeats. `elsewhere`: another phone has sent the page, and its
    answers are not in the rows; `asking`: they may include a question to the school."""

    section: Section
    block: int | None
    count: int
    page: int
    rows: tuple[ReviewRow, ...]
    elsewhere: bool = False
    asking: bool = False

    @property
    def drawing(self) -> Hashable:
        """The values that the rendered page depends on, except the answers."""
        return self.page, self.count, self.elsewhere, tuple(row.key for row in self.rows)


def review_parts(offer: Offer, lang: str, view: DraftView) -> list[ReviewPart]:
    """The parts of the family's route that this phone may see, in order, in a language."""
    survey = offer.survey(lang)
    steps = view.steps
    numbered = question_numbers(survey)
    words = {question.id: question for _, question in survey.questions()}
    parts = []
    for step in steps:
        page = step.page
        count = sum(other.page.section is page.section for other in steps)
        rows, elsewhere = tuple(_review_rows(view, step, words, numbered)), view.is_elsewhere(page)
        asking = elsewhere and any(slot.question.asks for slot in page.slots if slot.key not in view.raw)
        section = survey.section(page.section.id)
        parts.append(ReviewPart(section, page.block, count, page.number, rows, elsewhere, asking))
    return parts


def _review_rows(
    view: DraftView, step: Step, words: Mapping[str, Question], numbered: Mapping[str, int]
) -> list[ReviewRow]:
    raw, wrong, elsewhere = view.raw, view.wrong(step.page), view.is_elsewhere(step.page)
    met: dict[str, Any] = {}
    rows = []
    for slot, rule in zip(step.page.slots, step.rules, strict=True):
        plainly = rule is True and not elsewhere
        visible = plainly or slot.key in wrong or _is_shown(view, slot, rule, met, elsewhere)
        if slot.question.kind == "note" or not visible:
            continue
        question = words[slot.question.id]
        value = None if slot.key in wrong else _value(slot, raw)
        if value is not None:
            met[question.id] = value
        if slot.key in wrong:
            problem, text = (
                validation_sentence(wrong[slot.key], question),
                _own_words_markup("\n".join(raw.get(slot.key, ()))),
            )
        else:
            problem, text = "", _answer_markup(question, value)
        rows.append(ReviewRow(slot.key, numbered.get(question.id), question, text, problem, step.page.number))
    return rows


def _is_shown(view: DraftView, slot: Slot, rule: Rule | bool, met: Mapping[str, Any], elsewhere: bool) -> bool:
    """Whether a question is listed. Where answers from other phones decide, it is listed if it is answered on this
    phone."""
    if rule is not False and (elsewhere or (not isinstance(rule, bool) and view.unread & rule_question_ids(rule))):
        return slot.key in view.raw or slot.key + "~" in view.raw
    return rule if isinstance(rule, bool) else evaluate_rule(rule, met)


def _value(slot: Slot, raw: Raw) -> Any:
    return read_answer(slot.question, raw.get(slot.key, ()), raw.get(slot.key + "~", ()))


def _answer_markup(question: Question, value: Any) -> Markup:
    text = answer_text(question, value, gettext)
    if not text.texts:
        return Markup('<span class="hint">{}</span>').format(own_blank_text(gettext))
    if text.is_own:
        return _own_words_markup(text.texts[0])
    return BREAK.join(map(language_markup, text.texts))


def _own_words_markup(text: str) -> Markup:
    """The family's own text, in any direction."""
    return Markup('<bdi class="said">{}</bdi>').format(text)
