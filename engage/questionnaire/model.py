"""The shape of a survey: frozen dataclasses, in the field's own words. Reading a file is `parser.py`."""

from collections.abc import Iterator
from dataclasses import dataclass

from engage.questionnaire.rules import Rule

KINDS = ("one", "several", "scale", "number", "words", "long_words", "date", "note")
CHOICE_KINDS = frozenset({"one", "several", "scale"})
TEXT_KINDS = frozenset({"words", "long_words"})
ASKS = ("question", "help")


class Words(str):
    """Text that knows the language it is really in: "en" where a translation is missing."""

    __slots__ = ("language",)
    language: str

    def __new__(cls, text: str = "", language: str = "en") -> "Words":
        words = super().__new__(cls, text)
        words.language = language
        return words


BLANK = Words()


@dataclass(frozen=True, slots=True)
class Choice:
    """One box. `exclusive` ("none of these") excludes every other; `ed_fi` is the exact Ed-Fi code value."""

    code: str
    text: Words
    exclusive: bool = False
    ed_fi: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `note` is for translators; `asks` is "question", "help" or None.

    `element` names the Ed-Fi element on StudentEducationOrganizationAssociation the answer becomes;
    `dont_know_ed_fi` is its code value for "I don't know" ("Unknown"); None where Ed-Fi has none: nothing is sent.
    `skipped_ed_fi` is its code value when given answers leave the question off the route (no internet: type "None").
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
    """One page. With `repeat` (id of an earlier number question) it is asked per block, `maximum` blocks at most."""

    id: str
    title: Words
    intro: Words = BLANK
    questions: tuple[Question, ...] = ()
    repeat: str | None = None
    maximum: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey. `minutes` is the time it takes, as families read it."""

    slug: str
    title: Words
    purpose: Words
    minutes: int
    sections: tuple[Section, ...] = ()
    note: str = ""

    def questions(self) -> Iterator[tuple[Section, Question]]:
        """Every question with its section, in order."""
        return ((section, question) for section in self.sections for question in section.questions)

    def question(self, id: str) -> Question:
        """The question with this id; KeyError if there is none."""
        for _, question in self.questions():
            if question.id == id:
                return question
        raise KeyError(id)

    def section(self, id: str) -> Section:
        """The section with this id; KeyError if there is none."""
        for section in self.sections:
            if section.id == id:
                return section
        raise KeyError(id)
