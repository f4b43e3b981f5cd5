"""A sheet as the keying page shows it: every printed question in paper order, with the paper's own numbers and keys."""

from collections.abc import Iterator
from dataclasses import dataclass

from engage.questionnaire.model import CHOICE_KINDS, Question, Section, Survey, Words
from engage.questionnaire.numbering import numbers
from engage.questionnaire.question_types import boxes
from engage.questionnaire.routing import Slot, printed
from engage.services.data_entry.entries import Marks, extra


@dataclass(frozen=True, slots=True)
class Box:
    """One thing a family can have marked, or one way in which there is no answer. `key` is printed beside it."""

    field: str
    value: str
    key: str
    text: str
    own: str
    """The same in the keyer's language; empty where it would only repeat."""
    mark: str
    """unclear, two_marks, refused: the name of a way to have no answer that is not printed; else empty."""
    checked: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One printed question."""

    slot: Slot
    number: int | None
    """As printed; None for a note."""
    own: str
    boxes: tuple[Box, ...]
    kind: str
    """radio or checkbox: how the boxes behave."""
    blank: bool
    written: str

    @property
    def field(self) -> str:
        """The form field of the boxes."""
        return self.slot.key if self.slot.question.kind in CHOICE_KINDS else self.slot.key + "~"

    @property
    def is_written(self) -> bool:
        """Whether the family writes the answer itself."""
        return self.slot.question.kind not in (*CHOICE_KINDS, "note")


@dataclass(frozen=True, slots=True)
class Group:
    """The questions of one section, or of one block of it."""

    section: Section
    own: str
    block: int | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """The survey in the paper's language and in the keyer's, and what the boxes after the choices say in both."""

    paper: Survey
    own: Survey
    asides: dict[str, tuple[str, str]]
    """~dont_know and ~refused: in the paper's language, in the keyer's."""


def groups(wording: Wording, marks: Marks, blocks: int) -> list[Group]:
    """The whole sheet, with `blocks` blocks of a repeated section and the marks filled in."""
    found: list[tuple[Section, int | None, list[Slot]]] = []
    for slot in printed(wording.paper, blocks):
        if not found or (found[-1][0], found[-1][1]) != (slot.section, slot.block):
            found.append((slot.section, slot.block, []))
        found[-1][2].append(slot)
    shown = numbers(wording.paper)
    return [
        Group(
            section,
            _unless_same(wording.own.section(section.id).title, section.title),
            block,
            tuple(_line(wording, slot, shown.get(slot.question.id), marks) for slot in slots),
        )
        for section, block, slots in found
    ]


def blocks_of(survey: Survey, marks: Marks) -> int:
    """The highest block in which something is marked."""
    repeated = [slot for slot in printed(survey, 99) if slot.block is not None]
    return max((slot.block or 0 for slot in repeated if slot.key in marks or slot.key + "~" in marks), default=0)


def _line(wording: Wording, slot: Slot, number: int | None, marks: Marks) -> Line:
    question = slot.question
    own = wording.own.question(question.id)
    several = question.kind == "several"
    field = slot.key if question.kind in CHOICE_KINDS else slot.key + "~"
    given = marks.get(field, [])
    return Line(
        slot=slot,
        number=number,
        own=_unless_same(own.text, question.text),
        boxes=tuple(_boxes(wording, question, own, field, given)),
        kind="checkbox" if several else "radio",
        blank=not given,
        written=(marks.get(slot.key) or [""])[0] if field != slot.key else "",
    )


def _boxes(wording: Wording, question: Question, own: Question, field: str, given: list[str]) -> Iterator[Box]:
    choosing = question.kind in CHOICE_KINDS
    for box in boxes(question):
        choice, same = question.choice(box.value), own.choice(box.value)
        text, mine = (choice.text, same.text) if choice and same else wording.asides[box.value]
        value = box.value if choosing else box.value.removeprefix("~")
        yield Box(field, value, box.key, text, _unless_same(mine, text), "", value in given)
    for name in extra(question):
        value = "~" + name if choosing else name
        yield Box(field, value, "", "", "", name, value in given)


def _unless_same(own: str, text: str) -> str:
    same_tongue = isinstance(own, Words) and isinstance(text, Words) and own.language == text.language
    return "" if same_tongue or own == text else own
