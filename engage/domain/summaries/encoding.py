"""Encoding of answers as bytes, and the names of table columns.

One byte per answer: 0 for blank, 1.. for the choice (or range of numbers, or "answered" for words and dates), and 250..
for missing kinds. A "several" question has that byte (1 is answered) and one bit per choice in additional bytes, lowest
bit first.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from engage.domain.summaries.tables import NOT_ASKED
from engage.questionnaire.model import Question, Section, Survey
from engage.questionnaire.routing import evaluate_rule
from engage.questionnaire.rules import Answers

VERSION = 2  # raise it when the encoding changes: columns of other versions are rebuilt
BLANK, DONT_KNOW, REFUSED, UNCLEAR, TWO_MARKS, OFF_ROUTE = 0, 250, 251, 252, 253, 254
ANSWERED = "answered"
_MISSING = {"dont_know": DONT_KNOW, "refused": REFUSED, "unclear": UNCLEAR, "two_marks": TWO_MARKS}
_SINGLE_NUMBERS = 13  # a number question with at most this many values is shown value by value
_SMALL_NUMBERS = 21  # with at most this many, the first ten are, and the rest as one range; few homes have 10 children
_RANGES = 10  # otherwise about this many ranges of equal width

AnswerPair = tuple[Answers, Answers]
"""The answers of a response, or of one of its blocks, and those of the whole response."""


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers that are counted together. `code` is "3", "10-19", or "20+"."""

    code: str
    low: int


def number_ranges(question: Question) -> tuple[Range, ...]:
    """Return the ranges of a number question, ascending. Numbers outside (only from paper) count in the nearest one."""
    low = question.minimum if question.minimum is not None else 0
    if question.maximum is None:
        top = low + _RANGES
        return (*(Range(str(value), value) for value in range(low, top)), Range(f"{top}+", top))
    span = question.maximum - low + 1
    if span <= _SINGLE_NUMBERS:
        return tuple(Range(str(value), value) for value in range(low, question.maximum + 1))
    if span <= _SMALL_NUMBERS:
        top = low + _RANGES
        return (*(Range(str(value), value) for value in range(low, top)), Range(f"{top}-{question.maximum}", top))
    width = -(-span // _RANGES)
    starts = range(low, question.maximum + 1, width)
    return tuple(Range(f"{start}-{min(start + width - 1, question.maximum)}", start) for start in starts)


@dataclass(frozen=True)
class Encoder:
    """Encoder for one question. `counts` is set for the question that gives the number of blocks of a section.

    Values of such a question are not tabulated, since two hidden values could be computed from the published number of
    children. It counts as answered; the number of children is the base of the section's own tables.
    """

    section: Section
    question: Question
    counts: bool = False

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The codes of possible answers; the first is byte 1."""
        if self.question.kind in ("one", "scale"):
            return tuple(choice.code for choice in self.question.choices)
        if self.question.kind == "number" and not self.counts:
            return tuple(each.code for each in number_ranges(self.question))
        return (ANSWERED,)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the question's table, in order. `NOT_ASKED` only if a rule can skip the question."""
        offered = [("dont_know", self.question.dont_know), ("refused", self.question.refuse)]
        missing = [code for code, is_offered in offered if is_offered]
        return (*self.answers, *missing, "unclear", "blank", *([NOT_ASKED] if self.question.shown_when else []))

    @cached_property
    def column_of(self) -> dict[int, int]:
        """Column number by byte. Two marks, and missing kinds that are not offered, count as unclear."""
        unclear = self.columns.index("unclear")
        columns = {number: number - 1 for number in range(1, len(self.answers) + 1)}
        for kind, byte in _MISSING.items():
            columns[byte] = self.columns.index(kind) if kind in self.columns else unclear
        columns[BLANK] = self.columns.index("blank")
        columns[OFF_ROUTE] = self.columns.index(NOT_ASKED) if NOT_ASKED in self.columns else columns[BLANK]
        return columns

    @property
    def mask_bytes(self) -> int:
        """Number of additional bytes for choice bits."""
        return -(-len(self.question.choices) // 8) if self.question.kind == "several" else 0

    @cached_property
    def _bytes(self) -> dict[Any, int]:
        return {code: number for number, code in enumerate(self.answers, 1)}

    @cached_property
    def _bits(self) -> dict[str, int]:
        return {choice.code: 1 << at for at, choice in enumerate(self.question.choices)}

    def byte(self, answers: Answers, outside: Answers) -> int:
        """Return the byte of the answer in `answers` (the whole document, or one block of it). `outside` is the whole
        document."""
        value = answers.get(self.question.id)
        if value is None:
            rule = self.question.shown_when
            return BLANK if rule is None or evaluate_rule(rule, outside, answers) else OFF_ROUTE
        if isinstance(value, Mapping):
            return _MISSING.get(value.get("missing", ""), UNCLEAR)
        if self.question.kind in ("one", "scale"):
            return self._bytes.get(value, UNCLEAR)
        if self.question.kind == "number" and not self.counts:
            return max(1, bisect_right(self._lows, cast(int, value)))
        return 1

    @cached_property
    def _lows(self) -> list[int]:
        return [each.low for each in number_ranges(self.question)]

    def bytes_of(self, pairs: Sequence[AnswerPair]) -> list[int]:
        """Return the bytes of many answers, as `byte` does for one. A plain choice takes a single lookup."""
        id, codes = self.question.id, self._bytes
        if self.question.kind not in ("one", "scale"):
            return [self.byte(*each) for each in pairs]
        return [
            codes.get(value, UNCLEAR) if (value := each[0].get(id)).__class__ is str else self.byte(*each)
            for each in pairs
        ]

    def masks_of(self, pairs: Sequence[AnswerPair]) -> list[int]:
        """Return the bits of the marked choices, lowest bit first."""
        values, bits = (each.get(self.question.id) for each, _ in pairs), self._bits
        return [sum([bits.get(code, 0) for code in value]) if value.__class__ is list else 0 for value in values]


def build_encoders(survey: Survey) -> list[Encoder]:
    """Return an encoder for every question that can be answered, in order."""
    counting = {section.repeat for section in survey.sections if section.repeat}
    return [
        Encoder(section, question, question.id in counting)
        for section, question in survey.questions()
        if question.kind != "note"
    ]


def layout_digest(survey: Survey) -> str:
    """Return a digest that changes whenever the encoding of answers does."""
    shape = [
        [
            (each.section.id, each.section.repeat, each.section.maximum),
            (each.question.id, each.columns, each.mask_bytes, each.question.minimum, each.question.maximum),
            [choice.code for choice in each.question.choices],
            repr(each.question.shown_when),
        ]
        for each in build_encoders(survey)
    ]
    return hashlib.sha256(json.dumps([VERSION, shape]).encode()).hexdigest()
