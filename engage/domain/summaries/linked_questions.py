"""Linked questions: what a question asked of some families reveals about the questions that decide who is asked.

"Which device?" and "Is it shared?" (asked if the device is not none) must be protected together: the number asked the
second question in a school is the number with a device, so it must not be shown where the first hides it.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from engage.domain.summaries.encoding import ANSWERED, Encoder, number_ranges
from engage.domain.summaries.max_flow import Mask
from engage.domain.summaries.suppression import PublishedTable, Set, Sets
from engage.domain.summaries.tables import CHOSEN, NOT_ASKED
from engage.questionnaire.routing import Rule, comparisons, evaluate_rule, rule_question_ids
from engage.questionnaire.rules import AnswerValue, Compare

Key = tuple[str, str | None]  # question id, and choice of a "several" question
Classes = tuple[object, ...]


def column_classes(columns: tuple[str, ...], encoder: Encoder, rules: Iterable[Rule]) -> Classes:
    """Return the class of each column of a question's table. Columns are in the same class if all rules treat them
    alike."""
    compared = [each for rule in rules for each in comparisons(rule) if each.name == encoder.question.id]
    return tuple(tuple(_evaluate_for_column(each, column, encoder) for each in compared) for column in columns)


def _evaluate_for_column(compare: Compare, column: str, encoder: Encoder) -> object:
    if column not in encoder.answers:
        return evaluate_rule(compare, {})
    if encoder.question.kind in ("one", "scale"):
        return evaluate_rule(compare, {encoder.question.id: column})
    if encoder.question.kind == "number" and column != ANSWERED:
        return column  # a rule may divide a range, so every range is in its own class
    return ANSWERED


def find_link(question: Encoder, encoders: Mapping[str, Encoder]) -> tuple[Key, Set] | None:
    """Return the table of an earlier question, and its columns, that together are exactly those who are asked this
    question.

    None if the rule refers to several questions or outside its block, or divides a range of numbers.
    """
    rule = question.question.shown_when
    if rule is None or len(rule_question_ids(rule)) > 1:
        return None
    parent = encoders[next(iter(rule_question_ids(rule)))]
    if question.section.repeat and parent.section.id != question.section.id:
        return None
    if parent.question.shown_when is not None and evaluate_rule(rule, {}):
        return None
    if parent.question.kind == "several" and any("answered" not in each.operator for each in comparisons(rule)):
        if isinstance(rule, Compare) and rule.operator == "includes":
            return (parent.question.id, str(rule.value)), (0,)
        return None
    met = [_is_rule_met(rule, parent, column) for column in asked_columns(parent.columns)]
    if any(each is None for each in met):
        return None
    return (parent.question.id, None), tuple(at for at, each in enumerate(met) if each)


def _is_rule_met(rule: Rule, parent: Encoder, column: str) -> bool | None:
    """Whether answers in a column satisfy the rule; None if some do and some do not."""
    if column not in parent.answers:
        return evaluate_rule(rule, {})
    results = {evaluate_rule(rule, {parent.question.id: each}) for each in _sample_answers(rule, parent, column)}
    return results.pop() if len(results) == 1 else None


def _sample_answers(rule: Rule, parent: Encoder, column: str) -> list[AnswerValue]:
    """Return enough sample answers of a column to detect a rule that divides it."""
    kind = parent.question.kind
    if kind in ("one", "scale"):
        return [column]
    if kind != "number":
        return [[] if kind == "several" else ""]
    limits = [each.value for each in comparisons(rule) if isinstance(each.value, int)]
    near = [limit + step for limit in limits for step in (-1, 0, 1)] or [0]
    if parent.counts:
        return [*near]
    index = parent.answers.index(column)
    low = number_ranges(parent.question)[index].low
    return [low, *(each for each in near if parent.byte({parent.question.id: each}, {}) == index + 1)]


def parent_tables(rule: Rule, encoders: Mapping[str, Encoder]) -> Iterator[tuple[Key, Classes]]:
    """Yield the tables that a rule refers to, with the classes of their columns (`NOT_ASKED` last, if there is one)."""
    for name in sorted(rule_question_ids(rule)):
        encoder = encoders[name]
        yield (name, None), column_classes(encoder.columns, encoder, [rule])
        codes = {str(each.value) for each in comparisons(rule) if each.name == name}
        for choice in encoder.question.choices if encoder.question.kind == "several" else ():
            if choice.code in codes:
                yield (name, choice.code), (CHOSEN, "rest", "rest")


def has_split_column(parent: PublishedTable, classes: Classes) -> bool:
    """Whether even the total asked reveals more than the parent's overall row, because it divides a merged column."""
    return parent.nothing or any(_is_mixed(each, classes) for each in parent.sets)


def mask_underivable(parent: PublishedTable, classes: Classes, rows: Mapping[str, Sets]) -> Mapping[str, Mask]:
    """Mark the groups (one mask per dimension) where the number asked reveals more than the parent's table.

    These are groups where the parent hides cells of more than one class, or that it merges and `rows` does not.
    """
    masks = {}
    for dimension, sets in parent.rows.items():
        mask = np.zeros(sum(len(each) for each in sets), dtype=np.bool_)
        whole = [set(each) for each in rows[dimension]]
        for number, members in enumerate(sets):
            hidden = np.flatnonzero(parent.masks[dimension][number])
            parted = len(members) > 1 and not any(set(members) <= each for each in whole)
            columns = [member for at in hidden for member in parent.sets[at]]
            mask[list(members)] = parent.nothing or parted or _is_mixed(columns, classes)
        masks[dimension] = mask
    return masks


def _is_mixed(columns: Iterable[int], classes: Classes) -> bool:
    return len({classes[each] for each in columns}) > 1


def asked_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of those who were asked."""
    return tuple(each for each in columns if each != NOT_ASKED)
