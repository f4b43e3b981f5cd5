"""A sheet as the keying page shows it: every printed question in paper order, with the printed numbers and keys."""

from collections.abc import Iterator
from dataclasses import dataclass

from engage.questionnaire.answer_text import Translate, box_text
from engage.questionnaire.model import CHOICE_KINDS, Question, Section, Survey, Words
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.question_types import answer_boxes
from engage.questionnaire.routing import Slot, printed_slots
from engage.services.data_entry.entries import Marks, missing_answer_codes


@dataclass(frozen=True, slots=True)
class EntryBox:
    """A box that a family can mark, or a missing-answer code. `key` is the keyboard key shown beside it."""

    field: str
    value: str
    key: str
    text: str
    own: str
    """The same in the keyer's language; empty if it is identical."""
    mark: str
    """A missing-answer code that is not printed (unclear, two_marks, refused); otherwise empty."""
    checked: bool


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One printed question."""

    slot: Slot
    number: int | None
    """As printed; None for a note."""
    own: str
    boxes: tuple[EntryBox, ...]
    kind: str
    """The type of the boxes: radio or checkbox."""
    blank: bool
    written: str

    @property
    def field(self) -> str:
        """The name of the form field of the boxes."""
        return self.slot.key if self.slot.question.kind in CHOICE_KINDS else self.slot.key + "~"

    @property
    def is_written(self) -> bool:
        """Whether the answer is handwritten."""
        return self.slot.question.kind not in (*CHOICE_KINDS, "note")


@dataclass(frozen=True, slots=True)
class EntryGroup:
    """The questions of one section, or of one block of it."""

    section: Section
    own: str
    block: int | None
    lines: tuple[EntryLine, ...]


@dataclass(frozen=True, slots=True)
class EntryWording:
    """The survey and the catalog, in the paper's language and in the keyer's."""

    paper: Survey
    own: Survey
    paper_gettext: Translate
    own_gettext: Translate


def build_groups(wording: EntryWording, marks: Marks, blocks: int) -> list[EntryGroup]:
    """The groups of the whole sheet, with `blocks` blocks of a repeated section and the marks filled in."""
    groups: list[tuple[Section, int | None, list[Slot]]] = []
    for slot in printed_slots(wording.paper, blocks):
        if not groups or (groups[-1][0], groups[-1][1]) != (slot.section, slot.block):
            groups.append((slot.section, slot.block, []))
        groups[-1][2].append(slot)
    numbers = question_numbers(wording.paper)
    return [
        EntryGroup(
            section,
            _text_if_different(wording.own.section(section.id).title, section.title),
            block,
            tuple(_build_line(wording, slot, numbers.get(slot.question.id), marks) for slot in slots),
        )
        for section, block, slots in groups
    ]


def highest_block(survey: Survey, marks: Marks) -> int:
    """The highest block that has a mark."""
    repeated = [slot for slot in printed_slots(survey, 99) if slot.block is not None]
    return max((slot.block or 0 for slot in repeated if slot.key in marks or slot.key + "~" in marks), default=0)


def _build_line(wording: EntryWording, slot: Slot, number: int | None, marks: Marks) -> EntryLine:
    question = slot.question
    translated = wording.own.question(question.id)
    several = question.kind == "several"
    field = slot.key if question.kind in CHOICE_KINDS else slot.key + "~"
    values = marks.get(field, [])
    return EntryLine(
        slot=slot,
        number=number,
        own=_text_if_different(translated.text, question.text),
        boxes=tuple(_build_boxes(wording, question, translated, field, values)),
        kind="checkbox" if several else "radio",
        blank=not values,
        written=(marks.get(slot.key) or [""])[0] if field != slot.key else "",
    )


def _build_boxes(
    wording: EntryWording, question: Question, translated: Question, field: str, values: list[str]
) -> Iterator[EntryBox]:
    choosing = question.kind in CHOICE_KINDS
    for box in answer_boxes(question):
        text = box_text(question, box.value, wording.paper_gettext)
        same = box_text(translated, box.value, wording.own_gettext)
        value = box.value if choosing else box.value.removeprefix("~")
        yield EntryBox(field, value, box.key, text, _text_if_different(same, text), "", value in values)
    for name in missing_answer_codes(question):
        value = "~" + name if choosing else name
        yield EntryBox(field, value, "", "", "", name, value in values)


def _text_if_different(translated: str, text: str) -> str:
    same_tongue = isinstance(translated, Words) and isinstance(text, Words) and translated.language == text.language
    return "" if same_tongue or translated == text else translated
