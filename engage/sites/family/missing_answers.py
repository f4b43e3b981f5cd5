"""Questions left blank that decide which pages come: a family is asked for them once, before pages are left out."""

from typing import Any

from engage.questionnaire.pages import Page, Plan
from engage.questionnaire.question_types import Refused, read
from engage.questionnaire.rules import holds
from engage.sites.family.draft_view import DraftView


def missing(view: DraftView, page: Page) -> dict[str, Refused]:
    """The blank questions of a page, by slot key, on whose answers other pages hang."""
    deciding = {question.id for question in view.plan.deciding if question.id in page.keys}
    step = view.step(page) if deciding else None
    if step is None:
        return {}
    answers: dict[str, Any] = {}
    found = {}
    for slot, rule in zip(page.slots, step.rules, strict=True):
        if rule is False or (rule is not True and not holds(rule, answers)):
            continue
        value = read(slot.question, view.kept.raw.get(slot.key, ()), view.kept.raw.get(slot.key + "~", ()))
        if value is None and slot.key in deciding:
            found[slot.key] = Refused("blank_count" if _is_count(view.plan, slot.key) else "blank")
        answers[slot.question.id] = value
    return found


def _is_count(plan: Plan, key: str) -> bool:
    return any(page.section.repeat == key for page in plan.pages)
