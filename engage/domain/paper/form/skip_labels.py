"""Skip instructions on paper: "If you chose 2 (No), go to question 5." Pure functions.

A skip is printed only if it is certain: none of the skipped questions can be asked, whatever else the family answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any

from babel.lists import format_list

from engage.questionnaire.model import Question, Section, Survey, Words
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.question_types import AnswerBox, answer_boxes
from engage.questionnaire.routing import Slot, count_blocks
from engage.questionnaire.rules import LIST_OPERATORS, And, Compare, Not, Or, Rule, evaluate_rule
from engage.questionnaire.skip_instructions import ISOLATE, POP, choice_words, gettext

WORDED = 4  # choices named with their texts in one sentence; more are named by key only

ONE = {
    # translators: printed below the answers of a question; choice is the number of a box and its words, like 2 (No)
    "question": gettext("If you chose %(choice)s, go to question %(number)s."),
    # translators: printed below the answers of a question; part is a heading on the form, like Your child · 1
    "part": gettext("If you chose %(choice)s, skip the other questions in “%(part)s”."),
    # translators: printed below the answers of a question, where no later question is for this family
    "end": gettext("If you chose %(choice)s, you are done with the questions: go to the end."),
}
SEVERAL = {
    # translators: printed below the answers of a question; choices is a list, like 2 (No) or 3 (Not sure)
    "question": gettext("If you chose %(choices)s, go to question %(number)s."),
    # translators: printed below the answers; choices is a list, like 2 (No) or 3 (Not sure); part is a heading
    "part": gettext("If you chose %(choices)s, skip the other questions in “%(part)s”."),
    # translators: printed below the answers; choices is a list, like 2 (No) or 3 (Not sure)
    "end": gettext("If you chose %(choices)s, you are done with the questions: go to the end."),
}


@dataclass(frozen=True, slots=True)
class Jump:
    """Boxes with the same target: the question with this `number`, the end of the "part", or the "end" of the form."""

    boxes: tuple[AnswerBox, ...]
    where: str  # "question", "part" (the rest of a repeated section's block) or "end"
    number: int = 0  # for "question" only


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """The answer to a question as far as it is known. `more` are choices that may be marked in addition."""

    value: Any
    more: frozenset[str] = frozenset()


ABSENT = KnownAnswer(None)  # not asked, so not answered


def find_jumps(survey: Survey, question: Question) -> list[Jump]:
    """Return every skip from a question, in the order of its boxes, without those that skip nothing."""
    after, numbered = list(_questions_after(survey, question)), question_numbers(survey)
    leads: dict[tuple[str, int], list[AnswerBox]] = {}
    for box in answer_boxes(question):
        where = _jump_target({question.id: _answer_of_box(question, box)}, after, numbered)
        if where is not None:
            leads.setdefault(where, []).append(box)
    in_block = _section_of(survey, question).repeat is not None
    ends = {"end": "part"} if in_block else {}
    return [Jump(tuple(boxes), ends.get(where, where), number) for (where, number), boxes in leads.items()]


def part_title(section: Section, block: int | None) -> Words:
    """Return a section's heading; in a repeated section, with the number of the block."""
    return section.title if block is None else Words(f"{section.title} · {block}", section.title.language)


def jump_lines(survey: Survey, words: NullTranslations, locale: str, slot: Slot) -> list[str]:
    """Return the skips from a question as sentences in the language of `survey`, `words`, and `locale` (Babel's)."""
    return [
        _jump_sentence(jump, survey, words, locale, slot)
        for jump in find_jumps(survey, survey.question(slot.question.id))
    ]


def _jump_sentence(jump: Jump, survey: Survey, words: NullTranslations, locale: str, slot: Slot) -> str:
    question = survey.question(slot.question.id)
    bare = len(jump.boxes) > WORDED
    labels = [box.key if bare else choice_words(question, box, words) for box in jump.boxes]
    part = f"{ISOLATE}{part_title(survey.section(slot.section.id), slot.block)}{POP}"
    values = {"choice": labels[0], "choices": format_list(labels, "or", locale), "number": jump.number, "part": part}
    return words.gettext((ONE if len(labels) == 1 else SEVERAL)[jump.where]) % values


def _jump_target(
    answers: dict[str, KnownAnswer], after: Sequence[tuple[Section, Question]], numbered: Mapping[str, int]
) -> tuple[str, int] | None:
    """Return the target of an answer that skips at least one question in `after`; None if the next one may follow."""
    passed = False
    for section, later in after:
        if not _is_never_asked(section, later, answers):
            # A note has no number as a target, and its text must not be skipped.
            return ("question", numbered[later.id]) if passed and later.id in numbered else None
        answers[later.id] = ABSENT
        # The line for "Something else" says itself when it is to be filled in.
        passed = passed or (later.id in numbered and later.write_in_of is None)
    return ("end", 0) if passed else None


def _answer_of_box(question: Question, box: AnswerBox) -> KnownAnswer:
    """Return what is known if this box is marked. An exclusive choice allows no other."""
    choice = question.choice(box.value)
    if choice is None:
        return KnownAnswer({"missing": box.value.removeprefix("~")})
    if question.kind != "several":
        return KnownAnswer(choice.code)
    others = (each.code for each in question.choices if not each.exclusive and each is not choice)
    return KnownAnswer([choice.code], frozenset() if choice.exclusive else frozenset(others))


def _section_of(survey: Survey, question: Question) -> Section:
    return next(section for section, each in survey.questions() if each.id == question.id)


def _questions_after(survey: Survey, question: Question) -> Iterator[tuple[Section, Question]]:
    """Yield the questions after a question; in a repeated section only those of the same block."""
    home, met = _section_of(survey, question), False
    for section, each in survey.questions():
        if met and (home.repeat is None or section is home):
            yield section, each
        met = met or each.id == question.id


def _is_never_asked(section: Section, question: Question, answers: Mapping[str, KnownAnswer]) -> bool:
    """Whether it is certain that a question is not asked."""
    counted = answers.get(section.repeat or "")
    if counted is not None and count_blocks(section, {str(section.repeat): counted.value}) == 0:
        return True
    return question.shown_when is not None and _evaluate_partially(question.shown_when, answers) is False


def _evaluate_partially(rule: Rule, answers: Mapping[str, KnownAnswer]) -> bool | None:
    """Return the value of a rule if it is certain, None if it depends on unknown answers."""
    match rule:
        case Compare():
            return _evaluate_comparison(rule, answers.get(rule.name))
        case Not(inner):
            truth = _evaluate_partially(inner, answers)
            return None if truth is None else not truth
        case And(rules):
            return _combine_truths([_evaluate_partially(part, answers) for part in rules], False)
        case Or(rules):
            return _combine_truths([_evaluate_partially(part, answers) for part in rules], True)


def _combine_truths(truths: Sequence[bool | None], decisive: bool) -> bool | None:
    """Return `decisive` if any part has that value, the opposite if all parts are known, else None."""
    if decisive in truths:
        return decisive
    return None if None in truths else not decisive


def _evaluate_comparison(rule: Compare, answer: KnownAnswer | None) -> bool | None:
    if answer is None or (rule.operator in LIST_OPERATORS and rule.value in answer.more):
        return None
    return evaluate_rule(rule, {rule.name: answer.value})
