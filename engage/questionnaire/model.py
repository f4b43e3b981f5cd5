"""The data model of a survey: frozen dataclasses. `parser.py` reads it from a file."""

from collections.abc import Iterator
from dataclasses import dataclass

from engage.questionnaire.rules import Rule

KINDS = ("one", "several", "scale", "number", "words", "long_words", "date", "note")
CHOICE_KINDS = frozenset({"one", "several", "scale"})
TEXT_KINDS = frozenset({"words", "long_words"})
ASKS = ("question", "help")
POPULATIONS = ("family", "educator", "student", "liaison")
IDENTITIES = ("anonymous", "confidential")
PROFILES = ("mn", "ny")
"""States with codes of their own for the Ed-Fi elements: Minnesota, New York."""


class Words(str):
    """A text and its actual language: "en" where a translation is missing."""

    __slots__ = ("language",)
    language: str

    def __new__(cls, text: str = "", language: str = "en") -> "Words":
        words = super().__new__(cls, text)
        words.language = language
        return words


BLANK = Words()


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a question. `exclusive` ("none of these") excludes all others; `ed_fi` is the exact Ed-Fi code
    value, which several choices may share; `profiles` are pairs of a state of PROFILES and its own value."""

    code: str
    text: Words
    exclusive: bool = False
    ed_fi: str | None = None
    profiles: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ImpliedCode:
    """An Ed-Fi code value of a question that follows from an answer other than its own choices: from that to another
    question, or from "I don't know" (`answer` is then "dont_know")."""

    question: str
    answer: str
    ed_fi: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `note` is for translators; `asks` is "question", "help", or None. `at_most` is the largest number
    of choices that may be marked. `write_in_of` is the question with a choice like "Something else", if this one is for
    the words.

    `element` names the Ed-Fi element of StudentEducationOrganizationAssociation that the answer is exported to.
    `mirrors` is the same question asked of somebody else, as "survey/question". `construct` is what it measures,
    `source` where the construct comes from, and `needs` are the needs in docs/surveys.md that it is asked for.
    """

    id: str
    kind: str
    text: Words
    hint: Words = BLANK
    choices: tuple[Choice, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    unit: Words = BLANK
    shown_when: Rule | None = None
    dont_know: bool = False
    refuse: bool = False
    at_most: int | None = None
    write_in_of: str | None = None
    element: str | None = None
    implied: tuple[ImpliedCode, ...] = ()
    asks: str | None = None
    mirrors: str | None = None
    construct: str = ""
    source: str = ""
    needs: tuple[str, ...] = ()
    note: str = ""

    def choice(self, code: str) -> Choice | None:
        """The choice with this code, or None."""
        return next((choice for choice in self.choices if choice.code == code), None)


@dataclass(frozen=True, slots=True)
class Section:
    """One page. With `repeat` (id of an earlier number question) it is shown once per block, at most `maximum`
    times."""

    id: str
    title: Words
    intro: Words = BLANK
    questions: tuple[Question, ...] = ()
    repeat: str | None = None
    maximum: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class MeasurementScale:
    """Questions of kind "scale" that measure one construct together. Of those in `reversed`, the first point is the
    high one."""

    id: str
    title: str
    items: tuple[str, ...]
    reversed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey. `minutes` is the time it takes, as stated to families; `version` is that of the instrument, which keeps
    its slug; `identity` is the only identity its waves may have, None for either. Answers to a `sensitive` one, about
    what help a child needs, have a permission of their own, and are stored for a year at most."""

    slug: str
    title: Words
    purpose: Words
    minutes: int
    sections: tuple[Section, ...] = ()
    version: int = 1
    population: str = "family"
    identity: str | None = None
    sensitive: bool = False
    scales: tuple[MeasurementScale, ...] = ()
    note: str = ""

    def questions(self) -> Iterator[tuple[Section, Question]]:
        """Yield every question with its section, in order."""
        return ((section, question) for section in self.sections for question in section.questions)

    def question(self, id: str) -> Question:
        """Return the question with this id. Raises KeyError."""
        for _, question in self.questions():
            if question.id == id:
                return question
        raise KeyError(id)

    def section(self, id: str) -> Section:
        """Return the section with this id. Raises KeyError."""
        for section in self.sections:
            if section.id == id:
                return section
        raise KeyError(id)
