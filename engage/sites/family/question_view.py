"""A question as a page shows it: its text, direction, answer, and error."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engage.base.catalogs import catalogue
from engage.questionnaire.answer_text import offered_missing_texts
from engage.questionnaire.model import Question, Survey
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.pages import Step
from engage.questionnaire.question_types import RefusedAnswer
from engage.questionnaire.rules import And, Compare, Not, Or, Rule, rule_question_ids
from engage.questionnaire.skip_instructions import format_direction
from engage.sites.family.validation_messages import validation_sentence
from engage.web.page_language import gettext, language

Raw = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question on one page. `when` is the display rule for the script, as JSON; `marked` are the raw values shown
    as chosen; `typed` is the text shown; `wrong` the error message; `asides` the missing answers offered."""

    question: Question
    key: str
    number: int | None
    directions: tuple[str, ...]
    when: str
    marked: frozenset[str]
    typed: str
    wrong: str
    asides: tuple[tuple[str, str], ...]


def question_views(survey: Survey, step: Step, raw: Raw, wrong: Mapping[str, RefusedAnswer]) -> list[QuestionView]:
    """The questions of a step in the language of `survey`; those off the route are left out. `wrong` are the refused
    answers, by slot key."""
    views = []
    numbered = question_numbers(survey)
    words = {question.id: question for _, question in survey.questions()}
    for slot, rule in zip(step.page.slots, step.rules, strict=True):
        if rule is False:
            continue
        question = words[slot.question.id]
        values = raw.get(slot.key, ())
        markers = {"~" + marker for marker in raw.get(slot.key + "~", ())}
        views.append(
            QuestionView(
                question=question,
                key=slot.key,
                number=numbered.get(question.id),
                directions=() if rule is True else _direction(rule, survey),
                when=_script_rule(rule, step),
                marked=frozenset(values) | markers,
                typed=values[0] if values else "",
                wrong=validation_sentence(wrong[slot.key], question) if slot.key in wrong else "",
                asides=offered_missing_texts(question, gettext),
            )
        )
    return views


def problem_summary(questions: Sequence[QuestionView]) -> list[tuple[str, str]]:
    """The errors of a page for its summary: slot key, and message with the question's number."""
    return [(one.key, f"{one.number}. {one.wrong}" if one.number else one.wrong) for one in questions if one.wrong]


def _direction(rule: Rule, survey: Survey) -> tuple[str, ...]:
    return tuple(format_direction(rule, survey, catalogue(language().tag), keys=False).split("\n"))


def _script_rule(rule: Rule | bool, step: Step) -> str:
    """The display rule for the script; empty if it depends on another page."""
    if isinstance(rule, bool) or not rule_question_ids(rule) <= {slot.question.id for slot in step.page.slots}:
        return ""
    return json.dumps(_plain_rule(rule, step))


def _plain_rule(rule: Rule, step: Step) -> list[Any]:
    """A rule as lists, with names of fields instead of questions: the format of family.js."""
    match rule:
        case Compare(name, operator, value):
            key = next((slot.key for slot in step.page.slots if slot.question.id == name), name)
            return [operator, key, value]
        case Not(inner):
            return ["not", _plain_rule(inner, step)]
        case And(rules):
            return ["and", *(_plain_rule(part, step) for part in rules)]
        case Or(rules):
            return ["or", *(_plain_rule(part, step) for part in rules)]
