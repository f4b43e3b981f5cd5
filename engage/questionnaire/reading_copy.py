"""A reading copy of a survey: every question with its number, its display rule in words, and how it can be answered."""

from collections.abc import Callable
from dataclasses import dataclass
from gettext import NullTranslations

from engage.questionnaire.answer_text import offered_missing_texts
from engage.questionnaire.model import Question, Section, Survey
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.skip_instructions import format_direction


@dataclass(frozen=True, slots=True)
class ReadableQuestion:
    """One question: its number (None for a note), when it is asked (one line for each sentence, none: always), how it
    can be answered (empty for a note), and the missing answers it offers, as pairs of code and text."""

    question: Question
    number: int | None
    directions: tuple[str, ...]
    instruction: str
    missing_answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ReadableSection:
    """One section of the survey, and how often it is asked (empty: once)."""

    section: Section
    instruction: str
    questions: tuple[ReadableQuestion, ...]


def reading_copy(survey: Survey, words: NullTranslations) -> tuple[ReadableSection, ...]:
    """Return the whole survey, in order. `words` are the texts of pages, in the language of `survey`."""
    numbers = question_numbers(survey)

    def read(question: Question) -> ReadableQuestion:
        return ReadableQuestion(
            question,
            numbers.get(question.id),
            _directions(question, survey, words),
            _question_instruction(question, words.gettext),
            offered_missing_texts(question, words.gettext),
        )

    return tuple(
        ReadableSection(section, _section_instruction(section, words.gettext), tuple(map(read, section.questions)))
        for section in survey.sections
    )


def _directions(question: Question, survey: Survey, words: NullTranslations) -> tuple[str, ...]:
    if question.shown_when is None:
        return ()
    return tuple(format_direction(question.shown_when, survey, words, keys=False).split("\n"))


def _section_instruction(section: Section, gettext: Callable[[str], str]) -> str:
    # translators: on a page that shows a whole survey: this part comes more than once
    return gettext("These questions are asked once for each child.") if section.repeat else ""


def _question_instruction(question: Question, gettext: Callable[[str], str]) -> str:
    match question.kind:
        case "note":
            return ""
        case "several":
            # translators: on a page that shows a whole survey: how a question can be answered
            return gettext("You can choose more than one:")
        case "one" | "scale":
            # translators: on a page that shows a whole survey: how a question can be answered
            return gettext("You can choose one:")
        case "number":
            # translators: on a page that shows a whole survey: how a question can be answered
            return gettext("You can write a number.")
        case "date":
            # translators: on a page that shows a whole survey: how a question can be answered
            return gettext("You can enter a date.")
        case _:
            # translators: on a page that shows a whole survey: how a question can be answered
            return gettext("You can write in your own words.")
