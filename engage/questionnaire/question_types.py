"""Rules for answers: what each kind of question accepts, and how an answer is stored.

A missing answer is `{"missing": "dont_know" | "refused" | "unclear" | "two_marks"}`; a blank has no entry at all. On
paper no answer is refused (`lenient`): one that cannot be read is stored as "unclear" or "two_marks".
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from engage.questionnaire.model import CHOICE_KINDS, TEXT_KINDS, Question
from engage.questionnaire.rules import Answers, AnswerValue
from engage.questionnaire.text_cleaning import clean_text, visible_text

WORDS_MOST = 200  # characters
LONG_WORDS_MOST = 4000  # characters
DIGITS_MOST = 9
YEARS = range(1900, 2200)
MISSING = ("dont_know", "refused", "unclear", "two_marks")
_KEYS = "123456789abcdefghijklmnopqrstuvwxyz"
_WHOLE = re.compile(
    rf"([+-]?)\s*(\d{{1,{DIGITS_MOST}}})(?:[.,\u066b]0{{0,2}})?\Z"
)  # "2.", "2.0"; "2.000" may be thousands
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\uff0d/\uff0f", "-"))
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})\Z")


@dataclass(frozen=True, slots=True)
class AnswerBox:
    """One box on paper. `key` is printed beside it and pressed in keying; `value` is its raw value."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class RefusedAnswer:
    """An answer that is not accepted. `code` is stable; `params` are for the error message, which the web layer words.

    unknown_choice(code) one_only exclusive(code) not_offered(marker) answer_and_marker not_a_number
    below_minimum(minimum) above_maximum(maximum) not_a_date too_long(most, length) too_many(most)
    """

    code: str
    params: dict[str, str | int] = field(default_factory=dict)


Reading = AnswerValue | RefusedAnswer | None
"""The result of reading raw strings: an answer, a refused answer, or None for a blank."""


def answer_boxes(question: Question) -> tuple[AnswerBox, ...]:
    """Return the boxes of a question on paper: choices in order, then "I don't know" if offered. "I don't want to
    answer" has none: a family leaves the question blank, or says so, which can be keyed for any question.

    Keys are 1-9, then a-z. For written answers (number, words, date) they start at a, since digits are part of the
    answer.
    """
    values = [choice.code for choice in question.choices]
    values += ["~dont_know"] if question.dont_know else []
    keys = _KEYS if question.kind in CHOICE_KINDS else _KEYS[9:]
    return tuple(AnswerBox(key, value) for key, value in zip(keys, values, strict=False))


def is_missing_offered(question: Question, missing: str) -> bool:
    """Whether a question offers this missing answer on the web."""
    return {"dont_know": question.dont_know, "refused": question.refuse}.get(missing, False)


def read_answer(
    question: Question, raw: Sequence[str], marker: Sequence[str] = (), *, lenient: bool = False
) -> Reading:
    """Return the value of raw strings: None (blank), a value, `{"missing": ...}`, or RefusedAnswer.

    `marker` is the extra field of a written answer (key + "~"). Its value is a missing kind without "~".
    """
    if question.kind == "note":
        return None
    if question.kind in CHOICE_KINDS:
        return _read_choices(question, [*raw, *("~" + each for each in marker if each)], lenient)
    return _read_text_field(question, raw, marker, lenient)


def canonical_answers(answers: Answers) -> bytes:
    """Return an answer document as bytes that depend on the answers only, not on the mode or the order of keys."""
    return json.dumps(answers, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def is_missing(value: Any) -> bool:
    """Whether a value is `{"missing": ...}`."""
    return isinstance(value, Mapping)


def _read_choices(question: Question, raw: Sequence[str], lenient: bool) -> Reading:
    values = {each.strip() for each in raw} - {""}
    markers = sorted(value[1:] for value in values if value.startswith("~"))
    codes = [choice.code for choice in question.choices if choice.code in values]
    unknown = sorted(value for value in values if not value.startswith("~") and value not in codes)
    if unknown:
        return {"missing": "unclear"} if lenient else RefusedAnswer("unknown_choice", {"code": unknown[0][:40]})
    if markers:
        return _read_missing(question, markers, bool(codes), lenient)
    if not codes:
        return None
    return _read_multiple(question, codes, lenient) if question.kind == "several" else _read_single(codes, lenient)


def _read_single(codes: list[str], lenient: bool) -> Reading:
    if len(codes) == 1:
        return codes[0]
    return {"missing": "two_marks"} if lenient else RefusedAnswer("one_only")


def _read_multiple(question: Question, codes: list[str], lenient: bool) -> Reading:
    alone = [choice.code for choice in question.choices if choice.exclusive and choice.code in codes]
    if alone and len(codes) > 1 and not lenient:
        return RefusedAnswer("exclusive", {"code": alone[0]})
    if question.at_most is not None and len(codes) > question.at_most:
        return {"missing": "two_marks"} if lenient else RefusedAnswer("too_many", {"most": question.at_most})
    return codes


def _read_missing(question: Question, markers: list[str], answered: bool, lenient: bool) -> Reading:
    if lenient:
        if len(markers) > 1 or answered:
            return {"missing": "two_marks"}
        return {"missing": markers[0] if markers[0] in MISSING else "unclear"}
    if not all(is_missing_offered(question, each) for each in markers):
        return RefusedAnswer("not_offered", {"marker": markers[0][:40]})
    if answered or len(markers) > 1:
        return RefusedAnswer("answer_and_marker")
    return {"missing": markers[0]}


def _read_text_field(question: Question, raw: Sequence[str], marker: Sequence[str], lenient: bool) -> Reading:
    text = next((each for each in raw if each.strip()), "")
    markers = sorted({each for each in marker if each})
    # A family may write "~dont_know" as its own words. It is a marker only from a keyer, or in a field that is not for
    # words.
    if text.strip()[:1] == "~" and text.strip()[1:] in MISSING and (lenient or question.kind not in TEXT_KINDS):
        markers, text = sorted({*markers, text.strip()[1:]}), ""
    value = _READERS[question.kind](question, text, lenient)
    if not markers:
        return value
    if lenient and value is not None and question.kind in TEXT_KINDS:
        return value
    return _read_missing(question, markers, value is not None, lenient)


def _read_number(question: Question, text: str, lenient: bool) -> Reading:
    text = visible_text(clean_text(text, lines=False)).translate(_DASHES).strip()
    if not text:
        return None
    match = _WHOLE.match(text)
    if match is None:
        return {"missing": "unclear"} if lenient else RefusedAnswer("not_a_number")
    number = int(match[1] + match[2])
    if question.minimum is not None and number < question.minimum and not lenient:
        return RefusedAnswer("below_minimum", {"minimum": question.minimum})
    if question.maximum is not None and number > question.maximum and not lenient:
        return RefusedAnswer("above_maximum", {"maximum": question.maximum})
    return number


def _read_date(question: Question, text: str, lenient: bool) -> Reading:
    text = visible_text(clean_text(text, lines=False)).translate(_DASHES).strip()
    if not text:
        return None
    match = _DATE.match(text)
    try:
        day = date(*map(int, match.groups())) if match else None
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        return {"missing": "unclear"} if lenient else RefusedAnswer("not_a_date")
    return day.isoformat()


def _read_words(question: Question, text: str, lenient: bool) -> Reading:
    most = WORDS_MOST if question.kind == "words" else LONG_WORDS_MOST
    text = clean_text(text, lines=question.kind == "long_words")
    if len(text) > most and not lenient:
        return RefusedAnswer("too_long", {"most": most, "length": len(text)})
    return text or None


_READERS: dict[str, Callable[[Question, str, bool], Reading]] = {
    "number": _read_number,
    "date": _read_date,
    "words": _read_words,
    "long_words": _read_words,
}
