"""The pages of a survey, and which of them a family sees: one page per section, or one per block of a repeated
section."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from engage.questionnaire.editions import Edition
from engage.questionnaire.model import Question, Section, Survey
from engage.questionnaire.question_types import RefusedAnswer, read_answer
from engage.questionnaire.routing import Slot, count_blocks
from engage.questionnaire.rules import (
    And,
    Answers,
    AnswerValue,
    Compare,
    Not,
    Or,
    Rule,
    evaluate_rule,
    rule_question_ids,
)

Raw = Mapping[str, Sequence[str]]
HashableAnswer = str | int | tuple[str, ...]
NOTHING: frozenset[str] = frozenset()
ROUTES_KEPT = 4096  # a survey has few routes; the limit bounds the memory in unusual cases


@dataclass(frozen=True, slots=True, eq=False)
class SurveyPage:
    """One page. `number` is its position among all possible pages, so that a URL always refers to the same
    questions."""

    number: int
    section: Section
    block: int | None
    slots: tuple[Slot, ...]
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Step:
    """A page in one family's route, at position `place` of `total`. `rules` has an entry per question: True (shown),
    False (not shown), or the rest of a rule that depends on answers on the same page."""

    page: SurveyPage
    place: int
    total: int
    rules: tuple[Rule | bool, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All possible pages of an edition. `deciding` are the questions whose answers decide which pages are shown."""

    edition: Edition
    pages: tuple[SurveyPage, ...]
    deciding: tuple[Question, ...]

    def page(self, number: int) -> SurveyPage | None:
        """Return the page with this number, or None."""
        return self.pages[number - 1] if 1 <= number <= len(self.pages) else None

    def page_of(self, key: str) -> SurveyPage:
        """Return the page that contains this slot. Raises KeyError."""
        for page in self.pages:
            if key in page.keys:
                return page
        raise KeyError(key)

    def count(self, name: str, raw: Raw) -> int:
        """Return the answer to a number question outside repeated sections, or 0 if there is none."""
        question = next(question for question in self.deciding if question.id == name)
        value = _hashable_answer(question, raw)
        return value if isinstance(value, int) else 0

    def steps(self, raw: Raw, unread: frozenset[str] = NOTHING) -> tuple[Step, ...]:
        """Return the pages for a family with these answers, in order.

        Rules about questions in `unread` are left undecided, so that no page reveals the answers to them. Only the
        number of blocks of a repeated section still does.
        """
        values = [(question.id, _hashable_answer(question, raw)) for question in self.deciding]
        return _visible_steps(self, tuple((name, value) for name, value in values if value is not None), unread)


@lru_cache(maxsize=64)
def build_plan(edition: Edition) -> Plan:
    """Build the plan of an edition. Its texts are in English; use `edition.survey(language)` for translations."""
    survey = edition.survey("en")
    pages: list[SurveyPage] = []
    for section in survey.sections:
        for block in [None] if section.repeat is None else range(1, section.maximum + 1):
            slots = tuple(Slot(section, block, question) for question in section.questions)
            pages.append(SurveyPage(len(pages) + 1, section, block, slots, frozenset(slot.key for slot in slots)))
    return Plan(edition, tuple(pages), _deciding_questions(survey))


def evaluate_partially(rule: Rule | None, answers: Answers, undecided: frozenset[str]) -> Rule | bool:
    """Evaluate a rule when the answers to all questions but `undecided` are known: True, False, or the rest of the
    rule."""
    match rule:
        case None:
            return True
        case Compare():
            return rule if rule.name in undecided else evaluate_rule(rule, answers)
        case Not(inner):
            left = evaluate_partially(inner, answers, undecided)
            return not left if isinstance(left, bool) else Not(left)
        case And(rules) | Or(rules):
            return _combine_parts(rule, [evaluate_partially(part, answers, undecided) for part in rules])


def _combine_parts(rule: And | Or, parts: list[Rule | bool]) -> Rule | bool:
    ends = isinstance(rule, Or)  # "or" is decided by one True, "and" by one False
    if ends in parts:
        return ends
    left = tuple(part for part in parts if not isinstance(part, bool))
    if not left:
        return not ends
    return left[0] if len(left) == 1 else type(rule)(left)


def _deciding_questions(survey: Survey) -> tuple[Question, ...]:
    """Return the questions outside blocks that rules of later sections use, and those that decide whether these are
    shown."""
    home = {question.id: section.id for section, question in survey.questions()}
    deciding = {section.repeat for section in survey.sections if section.repeat}
    for section, question in survey.questions():
        sources = rule_question_ids(question.shown_when) if question.shown_when else frozenset()
        deciding |= {name for name in sources if home[name] != section.id}
    for _, question in reversed(list(survey.questions())):
        if question.id in deciding and question.shown_when:
            deciding |= rule_question_ids(question.shown_when)
    return tuple(question for _, question in survey.questions() if question.id in deciding)


def _hashable_answer(question: Question, raw: Raw) -> HashableAnswer | None:
    """Return the answer as a cache key: a list becomes a tuple. A missing answer becomes None, since rules treat both
    alike."""
    value = read_answer(question, raw.get(question.id, ()), raw.get(question.id + "~", ()))
    if isinstance(value, RefusedAnswer | Mapping):
        return None
    return tuple(value) if isinstance(value, list) else value


@lru_cache(maxsize=ROUTES_KEPT)
def _visible_steps(
    plan: Plan, values: tuple[tuple[str, HashableAnswer], ...], unread: frozenset[str]
) -> tuple[Step, ...]:
    answers = {name: list(value) if isinstance(value, tuple) else value for name, value in values}
    on_route: dict[str, AnswerValue] = {}
    visible: list[tuple[SurveyPage, tuple[Rule | bool, ...]]] = []
    for page in plan.pages:
        if page.block is not None and page.block > (count_blocks(page.section, on_route) or 0):
            continue
        rules = _page_rules(page, on_route, unread)
        if any(rule is not False for rule in rules):
            visible.append((page, rules))
        _collect_page_answers(page, answers, on_route)
    return tuple(Step(page, place, len(visible), rules) for place, (page, rules) in enumerate(visible, 1))


def _page_rules(page: SurveyPage, on_route: Answers, unread: frozenset[str]) -> tuple[Rule | bool, ...]:
    open_names = unread
    rules: list[Rule | bool] = []
    for slot in page.slots:
        rules.append(evaluate_partially(slot.question.shown_when, on_route, open_names))
        if rules[-1] is not False:
            open_names |= {slot.question.id}
    return tuple(rules)


def _collect_page_answers(
    page: SurveyPage, answers: Mapping[str, AnswerValue], on_route: dict[str, AnswerValue]
) -> None:
    """Add the answers of this page that are on the route to `on_route`."""
    if page.block is not None:
        return
    for slot in page.slots:
        question = slot.question
        if question.id in answers and (question.shown_when is None or evaluate_rule(question.shown_when, on_route)):
            on_route[question.id] = answers[question.id]
