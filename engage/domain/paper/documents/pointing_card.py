"""The pointing card: pictograms for the choices of a survey's scales, for families who answer by pointing.

It has one page if the texts fit. Items are placed left to right; for a right-to-left language every page is mirrored at
the end, so that scales run in reading direction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from engage.domain.paper.documents.pictogram_choice import choose_pictograms
from engage.domain.paper.documents.pictograms import Pictogram
from engage.domain.paper.form.elements import PAPERS, Block, Column, Item, Panel, side_by_side
from engage.domain.paper.form.pagination import paginate
from engage.domain.paper.form.typesetter import (
    STANDARD,
    Say,
    Setting,
    SheetFormat,
    SheetLanguage,
    Style,
    SurveyInLanguage,
    build_setting,
    has_cut_word,
)
from engage.domain.paper.pdf.canvas import draw_items, open_canvas, save_canvas
from engage.questionnaire.answer_text import missing_text
from engage.questionnaire.editions import Edition
from engage.questionnaire.model import CHOICE_KINDS, Question
from engage.questionnaire.question_types import AnswerBox, answer_boxes

SIDE = 14.0  # mm from the edge of the paper
FOOT = 8.0  # mm reserved for the footer
SIZES = ((27.0, 16.0), (24.0, 15.0), (21.0, 14.0), (18.0, 13.0), (16.0, 12.0))  # mm of a pictogram, points of its text
GUTTER = 23.0  # mm before the pictograms, for the question's number
NEXT = 3.0  # mm between a pictogram and its key
ROW = 4.0  # mm between two rows


@dataclass(frozen=True, slots=True)
class CardEntry:
    """One item to point at: a pictogram, the key of its box ("" if it differs between questions), and a text."""

    picture: Pictogram
    key: str
    say: Say


@dataclass(frozen=True, slots=True)
class CardRow:
    """Items to point at for these questions, which are given by number."""

    numbers: tuple[int, ...]
    points: tuple[CardEntry, ...]


def write_card(
    out: BinaryIO,
    edition: Edition,
    first: SurveyInLanguage,
    format: SheetFormat = STANDARD,
) -> int:
    """Write the card of a survey, in large type, as a PDF, and return the number of pages.

    `first` is the edition's survey. Equal arguments give equal bytes. Raises MissingFont, MissingGlyph.
    """
    setting = build_setting(first, replace(format, style="large"))
    pages = card_pages(setting, format.paper, edition.digest)
    width, height = PAPERS[format.paper]
    canvas = open_canvas(out, (width, height), first.language, setting.survey.title, "")
    for items in pages:
        draw_items(canvas, items, height)
        canvas.showPage()
    save_canvas(canvas)
    return len(pages)


def card_pages(setting: Setting, paper: str, digest: str = "") -> list[list[Item]]:
    """Return the items of every page in their final positions. `digest` is the edition's."""
    width, height = PAPERS[paper]
    line = _foot_block(setting, width - 2 * SIDE, digest)
    foot = line.moved(SIDE, height - SIDE - line.height)
    pages = [
        [*(item.moved(SIDE, SIDE) for item in body), *foot]
        for body in _fit_pages(setting, width - 2 * SIDE, height - 2 * SIDE - FOOT)
    ]
    return [[item.mirrored(width) if setting.language.rtl else item for item in page] for page in pages]


def card_rows(setting: Setting) -> list[CardRow]:
    """Return every scale once, with its questions, and last the missing answers."""
    numbers_by_keys: dict[tuple[object, ...], tuple[list[int], Question]] = {}
    for _, question in setting.survey.questions():
        if choose_pictograms(question):
            entries = tuple(
                (choice.code, str(choice.text))
                for tongue in setting.tongues
                for choice in tongue.survey.question(question.id).choices
            )
            numbers_by_keys.setdefault((question.kind, entries), ([], question))[0].append(setting.numbers[question.id])
    scales = [
        CardRow(tuple(numbers), tuple(_choice_entries(question))) for numbers, question in numbers_by_keys.values()
    ]
    yes_no = any(point.picture.shape == "yes" for row in scales for point in row.points)
    return [*scales, *([] if yes_no else [CardRow((), _YES_NO)]), CardRow((), tuple(_marker_entries(setting)))]


def _choice_entries(question: Question) -> Iterator[CardEntry]:
    looks = choose_pictograms(question)
    for box, (shape, level) in zip(answer_boxes(question), looks, strict=False):
        yield CardEntry(Pictogram(0, 0, 1, 1, shape, level, len(looks)), box.key, _choice_text(question, box))


def _choice_text(question: Question, box: AnswerBox) -> Say:
    def say(tongue: SheetLanguage) -> str:
        choice = tongue.survey.question(question.id).choice(box.value)
        return choice.text if choice else ""

    return say


def _yes_text(tongue: SheetLanguage) -> str:
    # translators: beside a picture to point at, in answer to any question
    return tongue.words.gettext("Yes")


def _no_text(tongue: SheetLanguage) -> str:
    # translators: beside a picture to point at, in answer to any question
    return tongue.words.gettext("No")


_YES_NO = tuple(
    CardEntry(Pictogram(0, 0, 1, 1, shape), "", say) for shape, say in (("yes", _yes_text), ("no", _no_text))
)


def _marker_entries(setting: Setting) -> Iterator[CardEntry]:
    """Yield "I don't know" and "I don't want to answer", with their keys if all questions have the same."""
    keys: dict[str, set[str]] = {"~dont_know": set(), "~refused": set()}
    for _, question in setting.survey.questions():
        for box in answer_boxes(question):
            if box.value in keys and question.kind in CHOICE_KINDS:
                keys[box.value].add(box.key)
    for (value, numbers), shape in zip(keys.items(), ("unknown", "silent"), strict=True):
        yield CardEntry(Pictogram(0, 0, 1, 1, shape), numbers.pop() if len(numbers) == 1 else "", _marker_text(value))


def _marker_text(value: str) -> Say:
    return lambda tongue: missing_text(value.removeprefix("~"), tongue.words.gettext)


def _fit_pages(setting: Setting, width: float, room: float) -> list[list[Item]]:
    """Return the bodies of the pages: as few pages as possible, with the largest pictograms that fit, and words uncut
    if possible."""
    layouts = [list(paginate(_card_blocks(setting, width, *size), room)) for size in SIZES]
    whole = [pages for pages in layouts if not any(has_cut_word(page) for page in pages)] or layouts
    return min(whole, key=len)


def _card_blocks(setting: Setting, width: float, side: float, points: float) -> list[Block]:
    sized = replace(setting, sizes=replace(setting.sizes, hint=Style(max(11.0, 0.8 * points))))
    head = _head_block(setting, width)
    return [head, *(replace(_row_block(sized, row, width, side, points), again=(head,)) for row in card_rows(setting))]


def _head_block(setting: Setting, width: float) -> Block:
    # translators: heading of a card with pictures; the family points at the picture that is their answer
    point = setting.block(lambda tongue: tongue.words.gettext("Point to your answer."), width, Style(20, bold=True))
    title = setting.block(lambda tongue: tongue.survey.title, width, Style(11))
    column = Column()
    column.put(point)
    column.put(title, gap=1.0)
    return column.block()


def _row_block(setting: Setting, row: CardRow, width: float, side: float, points: float) -> Block:
    """Return the pictograms of a row, each with its key before it and its text below, after the numbers of their
    questions."""
    column = Column()
    column.add(Panel(0, 0, width, 0.3, ink=0.5))
    each = (width - GUTTER) / max(len(row.points), 3)
    entries = [
        (GUTTER + n * each, _entry_block(setting, point, each, side, points)) for n, point in enumerate(row.points)
    ]
    if row.numbers:
        labels = list(setting.translations(lambda tongue: _numbers_text(tongue, row.numbers)))
        entries.append((0.0, setting.stack(labels, GUTTER - 1, Style(11))))
    column.put(side_by_side(entries), gap=2.0)
    return column.block(gap=ROW)


def _numbers_text(tongue: SheetLanguage, numbers: Sequence[int]) -> str:
    # translators: stands between the items of a list: 2 (Tablet), 3 (Phone)
    listed = tongue.words.gettext(", ").join(str(number) for number in numbers)
    # translators: above pictures to point at; numbers is one number, or several like 5, 6, 11
    sentence = tongue.words.ngettext("Question %(numbers)s", "Questions %(numbers)s", len(numbers))
    return sentence % {"numbers": listed}


def _entry_block(setting: Setting, point: CardEntry, width: float, side: float, points: float) -> Block:
    side = min(side, width - 14)
    left = (width - side) / 2
    picture = replace(point.picture, x=left, y=0.0, width=side, height=side)
    block = setting.stack(list(setting.translations(point.say)), width - 3, Style(points), "center")
    items: list[Item] = [picture, *block.moved(1.5, side + 1.2)]
    if point.key:
        key = setting.text(point.key, left - NEXT, Style(14, bold=True), "end")
        items.append(key.moved(0, (side - key.height) / 2))
    return Block(side + 1.2 + block.height, tuple(items))


def _foot_block(setting: Setting, width: float, digest: str) -> Block:
    names = " · ".join(tongue.language.name for tongue in setting.tongues)
    end = f"{setting.survey.slug} · {digest[:8]}" if digest else setting.survey.slug
    small = Style(8)
    start = setting.text(names, width / 2, small)
    return side_by_side([(0.0, Block(start.height, (start,))), (width / 2, _end_block(setting, end, width / 2, small))])


def _end_block(setting: Setting, text: str, width: float, style: Style) -> Block:
    block = setting.text(f"\u2066{text}\u2069", width, style, "end")
    return Block(block.height, (block,))
