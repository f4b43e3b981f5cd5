"""How an answer becomes bytes, and what the columns of its table are called.

One byte per answer: 0 blank, 1.. the choice (or range of numbers, or "answered" for words and dates), 250.. the missing
kinds. A "several" question has that byte (1 is answered) and one bit per choice in further bytes, first choice lowest.
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

VERSION = 2  # raise it when the bytes change: columns made by another version are built anew
BLANK, DONT_KNOW, REFUSED, UNCLEAR, TWO_MARKS, OFF_ROUTE = 0, 250, 251, 252, 253, 254
ANSWERED = "answered"
_MISSING = {"dont_know": DONT_KNOW, "refused": REFUSED, "unclear": UNCLEAR, "two_marks": TWO_MARKS}
_SINGLE_NUMBERS = 13  # a number question with no more values than this is shown value by value
_SMALL_NUMBERS = 21  # with no more than this the first ten are, and the rest together: few homes have 10 children
_RANGES = 10  # else in about this many ranges of equal width

AnswerPair = tuple[Answers, Answers]
"""The answers of a response, or of one block of it, and those of the whole response."""


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers counted together; `code` is "3", "10-19" or "20+"."""

    code: str
    low: int


def number_ranges(question: Question) -> tuple[Range, ...]:
    """The ranges of a number question, ascending; what lies outside (only from paper) counts with the nearest."""
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
    """Bytes of one question. `counts` is set for the question that says how many blocks a section has.

    Its values are not tabulated: with the number of children published beside them, two hidden values of it could be
    solved for. It counts as answered; how many children there are is the base of the section's own tables.
    """

    section: Section
    question: Question
    counts: bool = False

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The codes of what can be answered; byte 1 is the first."""
        if self.question.kind in ("one", "scale"):
            return tuple(choice.code for choice in self.question.choices)
        if self.question.kind == "number" and not self.counts:
            return tuple(each.code for each in number_ranges(self.question))
        return (ANSWERED,)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the question's table, in order; `NOT_ASKED` only where a rule can skip it."""
        offered = [("dont_know", self.question.dont_know), ("refused", self.question.refuse)]
        missing = [code for code, is_offered in offered if is_offered]
        return (*self.answers, *missing, "unclear", "blank", *([NOT_ASKED] if self.question.shown_when else []))

    @cached_property
    def column_of(self) -> dict[int, int]:
        """From byte to column number; two marks, and missing kinds that are not offered, count as unclear."""
        unclear = self.columns.index("unclear")
        columns = {number: number - 1 for number in range(1, len(self.answers) + 1)}
        for kind, byte in _MISSING.items():
            columns[byte] = self.columns.index(kind) if kind in self.columns else unclear
        columns[BLANK] = self.columns.index("blank")
        columns[OFF_ROUTE] = self.columns.index(NOT_ASKED) if NOT_ASKED in self.columns else columns[BLANK]
        return columns

    @property
    def mask_bytes(self) -> int:
        """How many bytes of choice bits follow."""
        return -(-len(self.question.choices) // 8) if self.question.kind == "several" else 0

    @cached_property
    def _bytes(self) -> dict[Any, int]:
        return {code: number for number, code in enumerate(self.answers, 1)}

    @cached_property
    def _bits(self) -> dict[str, int]:
        return {choice.code: 1 << at for at, choice in enumerate(self.question.choices)}

    def byte(self, answers: Answers, outside: Answers) -> int:
        """The byte of the answer in `answers` (the whole document, or one block of it); `outside` is the document."""
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
        """The bytes of many answers, as `byte` has them one by one; a plain choice costs one look-up."""
        id, codes = self.question.id, self._bytes
        if self.question.kind not in ("one", "scale"):
            return [self.byte(*each) for each in pairs]
        return [
            codes.get(value, UNCLEAR) if (value := each[0].get(id)).__class__ is str else self.byte(*each)
            for each in pairs
        ]

    def masks_of(self, pairs: Sequence[AnswerPair]) -> list[int]:
        """The bits of the choices marked, first choice lowest."""
        values, bits = (each.get(self.question.id) for each, _ in pairs), self._bits
        return [sum([bits.get(code, 0) for code in value]) if value.__class__ is list else 0 for value in values]


def build_encoders(survey: Survey) -> list[Encoder]:
    """One encoder for every question that can be answered, in order."""
    counting = {section.repeat for section in survey.sections if section.repeat}
    return [
        Encoder(section, question, question.id in counting)
        for section, question in survey.questions()
        if question.kind != "note"
    ]


def layout_digest(survey: Survey) -> str:
    """Changes whenever the same answers would give other bytes."""
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
