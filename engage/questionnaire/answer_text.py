"""The text shown for an answer or a missing answer.

Texts that are not part of the survey are translated by the `gettext` argument, since pages, paper, and figures may be
in different languages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engage.questionnaire.model import CHOICE_KINDS, Choice, Question
from engage.questionnaire.question_types import is_missing, is_missing_offered

Translate = Callable[[str], str]
"""Translates an English text to the reader's language."""
OFFERED = ("dont_know", "refused")  # missing answers a question can offer to families, in the order of their boxes


@dataclass(frozen=True, slots=True)
class AnswerText:
    """An answer as text: one text, one per choice for several choices, or none for a blank. `is_own`: the family wrote
    the text itself, in any language and direction."""

    texts: tuple[str, ...]
    is_own: bool = False


def answer_text(question: Question, value: Any, gettext: Translate) -> AnswerText:
    """Return the text of a value of the answer document, in the language of `question`. None is a blank."""
    if value is None:
        return AnswerText(())
    if is_missing(value):
        return AnswerText((missing_text(value["missing"], gettext),))
    if question.kind in CHOICE_KINDS:
        return AnswerText(tuple(choice.text for choice in chosen_choices(question, value)))
    return AnswerText((str(value),), is_own=True)


def chosen_choices(question: Question, value: object) -> list[Choice]:
    """Return the choices in an answer (one code or a list of codes), in survey order."""
    codes = value if isinstance(value, list) else [value]
    return [choice for choice in question.choices if choice.code in codes]


def box_text(question: Question, value: str, gettext: Translate) -> str:
    """Return the text beside a box. `value` is the code of a choice, or "~" and the code of a missing answer."""
    choice = question.choice(value)
    return choice.text if choice else missing_text(value.removeprefix("~"), gettext)


def offered_missing_texts(question: Question, gettext: Translate) -> tuple[tuple[str, str], ...]:
    """Return the missing answers that a question offers to families, as pairs of code and text."""
    return tuple((code, missing_text(code, gettext)) for code in OFFERED if is_missing_offered(question, code))


def missing_text(code: str, gettext: Translate) -> str:
    """Return the text shown in place of an answer. `code` is a missing answer of `question_types.MISSING`, blank,
    not_asked, or answered (where the answer itself is not shown). An unknown code is returned unchanged."""
    match code:
        case "dont_know":
            # translators: a choice of almost every question; on paper a box set apart below the answers
            return gettext("I don't know")
        case "refused":
            # translators: a choice of almost every question: the family would rather not answer this one; on paper a
            # box set apart below the answers
            return gettext("I don't want to answer")
        case "unclear":
            # translators: in place of an answer on paper. In a table: how many marks on paper could not be read, or
            # were two where one was asked
            return gettext("Could not be read")
        case "two_marks":
            # translators: in place of an answer on paper: two boxes are marked where only one answer fits
            return gettext("Two answers marked")
        case "blank":
            # translators: where an answer would stand: the question was left open. In a table: how many left it empty
            return gettext("Left blank")
        case "not_asked":
            # translators: in a table: how many were not asked, because the question did not fit what they said before
            return gettext("Did not get this question")
        case "answered":
            # translators: in a table: how many wrote something in a text box
            return gettext("Wrote an answer")
    return code


def own_blank_text(gettext: Translate) -> str:
    """Return the text shown to readers in place of their own answer if they left the question blank."""
    # translators: where an answer would stand
    return gettext("You skipped this.")
