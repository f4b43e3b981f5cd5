"""The data model of a survey: frozen dataclasses. `parser.py` reads it from a file."""

from collections.abc import Iterator
from dataclasses import dataclass

from engage.questionnaire.rules import Rule

KINDS = ("one", "several", "scale", "number", "words", "long_words", "date", "note")
CHOICE_KINDS = frozenset({"one", "several", "scale"})
TEXT_KINDS = frozenset({"words", "long_words"})
ASKS = ("question", "help")


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
    value."""

    code: str
    text: Words
    exclusive: bool = False
    ed_fi: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `note` is for translators; `asks` is "question", "help", or None.

    `element` names the Ed-Fi element of StudentEducationOrganizationAssociation that the answer is exported to.
    `dont_know_ed_fi` is its code value for "I don't know" ("Unknown"), or None if Ed-Fi has none, and then nothing is
    exported. `skipped_ed_fi` is its code value when earlier answers take the question off the route (no internet: type
    "None").
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
    element: str | None = None
    dont_know_ed_fi: str | None = None
    skipped_ed_fi: str | None = None
    asks: str | None = None
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
class Survey:
    """A survey. `minutes` is the time it takes, as stated to families."""

    slug: str
    title: Words
    purpose: Words
    minutes: int
    sections: tuple[Section, ...] = ()
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
