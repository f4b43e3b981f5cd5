"""Routing: which questions are shown to a family, in order. `rules.py` defines the rules.

Rules refer to earlier questions only, so one pass decides. A question off the route counts as not answered for later
rules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from engage.questionnaire.model import Question, Section, Survey
from engage.questionnaire.rules import (
    Answers,
    AnswerValue,
    Rule,
    RuleError,
    comparisons,
    evaluate_rule,
    format_rule,
    parse_rule,
    rule_question_ids,
)

__all__ = [
    "Rule",
    "RuleError",
    "Slot",
    "all_slots",
    "comparisons",
    "count_blocks",
    "evaluate_rule",
    "format_rule",
    "parse_rule",
    "printed_slots",
    "rule_question_ids",
    "slots_on_route",
]


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for one answer. `key` ("internet", "child.1.device") names the form field, the keying field, and the
    paper box."""

    section: Section
    block: int | None  # 1-based; None outside a repeated section
    question: Question
    key: str = field(init=False)

    def __post_init__(self) -> None:
        where = "" if self.block is None else f"{self.section.id}.{self.block}."
        object.__setattr__(self, "key", where + self.question.id)


def count_blocks(section: Section, answers: Answers) -> int | None:
    """Return the number of blocks of a section: None if it is not repeated, else the answered count, or the number of
    blocks with answers if greater.

    More blocks than the count (or blocks without a count) come only from paper, where everything written is stored.
    """
    if section.repeat is None:
        return None
    count, blocks = answers.get(section.repeat), answers.get(section.id)
    number = count if isinstance(count, int) else 0
    return max(0, min(section.maximum, max(number, len(blocks) if isinstance(blocks, list) else 0)))


def all_slots(survey: Survey, counts: Answers | int) -> list[Slot]:
    """Return every slot, regardless of rules. `counts` is the answers, or the number of blocks for each repeated
    section."""
    slots = []
    for section in survey.sections:
        number = min(counts, section.maximum) if isinstance(counts, int) else count_blocks(section, counts)
        for block in _block_numbers(section, number):
            slots += [Slot(section, block, question) for question in section.questions]
    return slots


def printed_slots(survey: Survey, blocks: int) -> list[Slot]:
    """Return the slots printed on paper: all questions, in the given number of blocks (at most the section's
    maximum)."""
    return all_slots(survey, blocks)


def slots_on_route(survey: Survey, answers: Answers) -> list[Slot]:
    """Return the slots on the route of these answers, in order."""
    return [slot for slot, on_route in walk_slots(survey, answers) if on_route]


def walk_slots(survey: Survey, answers: Answers) -> Iterator[tuple[Slot, bool]]:
    """Yield every slot in order, and whether it is on the route."""
    route: dict[str, AnswerValue] = {}
    for section in survey.sections:
        # A count that is off the route is ignored. Blocks with answers from paper still count.
        counts: Answers = {**route, section.id: answers.get(section.id, [])}
        for block in _block_numbers(section, count_blocks(section, counts)):
            block_answers = answers if block is None else _block_answers(answers, section, block)
            block_route = route if block is None else {}
            for question in section.questions:
                rule = question.shown_when
                on_route = rule is None or evaluate_rule(rule, route, block_route)
                yield Slot(section, block, question), on_route
                if on_route and question.id in block_answers:
                    block_route[question.id] = cast(AnswerValue, block_answers[question.id])


def _block_numbers(section: Section, count: int | None) -> list[int | None]:
    return [None] if section.repeat is None else list(range(1, (count or 0) + 1))


def _block_answers(answers: Answers, section: Section, block: int) -> Answers:
    blocks = answers.get(section.id)
    block_answers = blocks[block - 1] if isinstance(blocks, list) and block <= len(blocks) else None
    return block_answers if isinstance(block_answers, Mapping) else {}
