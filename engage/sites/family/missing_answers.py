"""Blank answers to questions that decide which pages follow: a family is asked once to fill them in before pages are
skipped."""

from typing import Any

from engage.questionnaire.pages import Plan, SurveyPage
from engage.questionnaire.question_types import RefusedAnswer, read_answer
from engage.questionnaire.rules import evaluate_rule
from engage.sites.family.draft_view import DraftView


def find_missing(view: DraftView, page: SurveyPage) -> dict[str, RefusedAnswer]:
    """The blank questions of a page that decide about other pages, by slot key."""
    deciding = {question.id for question in view.plan.deciding if question.id in page.keys}
    step = view.step(page) if deciding else None
    if step is None:
        return {}
    answers: dict[str, Any] = {}
    missing = {}
    for slot, rule in zip(page.slots, step.rules, strict=True):
        if rule is False or (rule is not True and not evaluate_rule(rule, answers)):
            continue
        value = read_answer(slot.question, view.kept.raw.get(slot.key, ()), view.kept.raw.get(slot.key + "~", ()))
        if value is None and slot.key in deciding:
            missing[slot.key] = RefusedAnswer("blank_count" if _is_repeat_count(view.plan, slot.key) else "blank")
        answers[slot.question.id] = value
    return missing


def _is_repeat_count(plan: Plan, key: str) -> bool:
    return any(page.section.repeat == key for page in plan.pages)
