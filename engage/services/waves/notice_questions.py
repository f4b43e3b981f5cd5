"""The questions of a survey as a notice to families lists them, with their choices and protected areas."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from gettext import NullTranslations

from engage.questionnaire.answer_text import offered_missing_texts
from engage.questionnaire.model import CHOICE_KINDS, Question, Survey, Words
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.skip_instructions import format_direction
from engage.services.waves.screening import AREAS, NONE, describe_decision

TEXT_DOMAIN = "family"


@dataclass(frozen=True, slots=True)
class NoticeQuestion:
    """A question: its number (None for a note, which has no answers), when it is asked (empty: always), how students
    answer, its choices, and a sentence if it is in a protected area or undecided."""

    number: int | None
    text: Words
    hint: Words
    directions: tuple[str, ...]
    manner: str
    choices: tuple[str, ...]
    area: str


@dataclass(frozen=True, slots=True)
class NoticePart:
    """The questions of one page of the survey."""

    title: Words
    intro: Words
    questions: tuple[NoticeQuestion, ...]


def list_protected_questions(survey: Survey, areas: Mapping[str, str], words: NullTranslations) -> Iterator[str]:
    """A line for each question in a protected area."""
    for id, number in question_numbers(survey).items():
        if (area := areas.get(id, NONE)) != NONE:
            # translators: one line of a list in a notice to families; area is one of eight, like "religion: what …"
            line = words.gettext("Question %(number)s: %(area)s")
            yield line % {"number": number, "area": words.gettext(AREAS[area])}


def list_survey_parts(survey: Survey, areas: Mapping[str, str], words: NullTranslations) -> Iterator[NoticePart]:
    """The pages of a survey, with their questions. `areas` are screening decisions by question id."""
    for section in survey.sections:
        questions = tuple(_build_question(question, survey, areas, words) for question in section.questions)
        yield NoticePart(section.title, section.intro, questions)


def _build_question(
    question: Question, survey: Survey, areas: Mapping[str, str], words: NullTranslations
) -> NoticeQuestion:
    rule, area = question.shown_when, areas.get(question.id)
    asides = tuple(text for _, text in offered_missing_texts(question, words.gettext))
    is_note = question.kind == "note"
    return NoticeQuestion(
        question_numbers(survey).get(question.id),
        question.text,
        question.hint,
        tuple(format_direction(rule, survey, words, keys=False).split("\n")) if rule else (),
        "" if is_note else _answer_manner(question, words),
        (*(choice.text for choice in question.choices), *asides),
        "" if is_note or area == NONE else describe_decision(area, words),
    )


def _answer_manner(question: Question, words: NullTranslations) -> str:
    if question.kind == "several":
        # translators: in a list of a survey's questions, before the choices
        return words.gettext("Students can choose more than one:")
    if question.kind in CHOICE_KINDS:
        # translators: in a list of a survey's questions, before the choices
        return words.gettext("Students choose one:")
    if question.kind in ("number", "date"):
        # translators: in a list of a survey's questions, how a question is answered: with a number or a day
        return words.gettext("Students write a number or a date.")
    # translators: in a list of a survey's questions, how a question is answered
    return words.gettext("Students write in their own words.")
