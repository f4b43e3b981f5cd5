"""Pages between the forms of a packet, for the people who hand them out: a count sheet, and a separator before each
group."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from io import BytesIO

from babel.dates import format_date
from babel.numbers import format_decimal

from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.document import (
    Block,
    DocumentFormat,
    DocumentTable,
    Heading,
    Listing,
    Paragraph,
    write_document,
)
from engage.domain.paper.documents.packet_model import PacketContent
from engage.domain.paper.form.elements import PAPERS, Column, Text
from engage.domain.paper.form.typesetter import Style, Typesetter
from engage.domain.paper.pdf.canvas import draw_items, open_canvas, save_canvas
from engage.domain.paper.typesetting.fonts import load_faces
from engage.domain.paper.typesetting.shaping import spell_out_missing
from engage.questionnaire.model import Words

TEXT_DOMAIN = "staff"

SIDE, TOP = 20.0, 50.0  # mm: margins beside and above the texts of a separator
HUGE, BIG, PLAIN = 54.0, 32.0, 18.0  # points: no limit
LEAST = 12.0  # points: smallest size for a long name
ROOM = 46.0  # mm: maximum height of one text of a separator
GAP = 8.0  # mm between two texts
ABREAST = 5  # languages per table, side by side


@dataclass(frozen=True, slots=True)
class GroupHeading:
    """The separator before a group: class, language, and number of forms that follow."""

    group: str
    language: str
    sets: int


def draw_separators(pile: PacketContent, heads: Iterable[GroupHeading]) -> bytes:
    """Draw a page for each group with class and language, readable from a distance, and the number of forms. Raises
    MissingFont."""
    properties, size = LANGUAGES[pile.language], PAPERS[pile.paper]
    setter = Typesetter(properties, load_faces(pile.language, properties.fonts, pile.fonts))
    fitting = cache(partial(_fit_text, setter, size[0] - 2 * SIDE))  # most texts occur on many pages
    out = BytesIO()
    canvas = open_canvas(out, size, pile.language, pile.school, pile.district)
    for head in heads:
        column = Column()
        for text, points, language in _separator_texts(pile, head):
            column.add(fitting(text, points, language), gap=GAP)
        draw_items(canvas, column.block().moved(SIDE, TOP), size[1])
        canvas.showPage()
    save_canvas(canvas)
    return out.getvalue()


def _separator_texts(pile: PacketContent, head: GroupHeading) -> Iterator[tuple[str, float, str]]:
    """Yield texts from the top, with their size in points and their language."""
    language, words = pile.language, pile.words
    yield pile.school, PLAIN, language
    if head.group:
        # translators: on a page between printed surveys: the name of a school class, like 3B
        yield words.gettext("Class %(name)s") % {"name": head.group}, HUGE, language
    yield LANGUAGES[head.language].name, HUGE, head.language
    # translators: on a page between printed surveys; %(num)s is how many surveys follow
    sentence = words.ngettext("%(num)s form", "%(num)s forms", head.sets)
    yield sentence % {"num": _format_number(pile, head.sets)}, BIG, language
    yield pile.wave, PLAIN, language


def draw_count_sheet(pile: PacketContent) -> tuple[bytes, int]:
    """Draw the count sheet; return it and its number of pages."""
    out = BytesIO()
    # translators: title of the first page of a packet of printed surveys: a table to count them by
    title = pile.words.gettext("Count sheet")
    pages = write_document(
        out,
        title,
        [Heading(1, pile.school), *_wave_blocks(pile), *_count_tables(pile), *_instruction_blocks(pile)],
        DocumentFormat(pile.language, pile.words, pile.district, pile.wave, pile.paper, pile.fonts),
    )
    return out.getvalue(), pages


def _fit_text(setter: Typesetter, width: float, text: str, size: float, language: str) -> Text:
    """Return a text at the largest size that fits. Characters without a glyph are replaced by their names."""
    spelled = Words(spell_out_missing(text, setter.faces, bold=True), language)
    while (block := setter.text(spelled, width, Style(size, bold=True), "center")).height > ROOM and size > LEAST:
        size = max(LEAST, size * 0.8)
    return block


def _format_number(pile: PacketContent, number: int) -> str:
    return str(format_decimal(number, locale=LANGUAGES[pile.language].locale))


def _wave_blocks(pile: PacketContent) -> Iterator[Block]:
    days = {"opens": _format_day(pile, pile.opens), "closes": _format_day(pile, pile.closes)}
    yield Paragraph(pile.wave, bold=True)
    # translators: on a page for school staff; opens and closes are days
    yield Paragraph(pile.words.gettext("Families can answer from %(opens)s to %(closes)s.") % days)


def _count_tables(pile: PacketContent) -> Iterator[Block]:
    """Yield tables with the number of forms by language, then by class. The last two columns are for check marks."""
    words, counts = pile.words, pile.counted()
    # translators: heading of a column in a table: a language
    heads = [words.gettext("Language"), *_hand_filled_heads(pile)]
    rows = [[LANGUAGES[tag].name, _format_number(pile, number), "", ""] for tag, number in counts.items()]
    # translators: in a table of numbers: the sum of all rows
    total = [words.gettext("Total"), _format_number(pile, sum(counts.values())), "", ""]
    yield DocumentTable(heads, [*rows, total], ("start", "end"))
    if not pile.classes:
        return
    # translators: heading on a page for school staff: how many printed surveys go to each class
    yield Heading(2, words.gettext("By class"))
    tags = list(counts)
    for at in range(0, len(tags), ABREAST):
        yield _class_table(pile, tags[at : at + ABREAST])


def _class_table(pile: PacketContent, tags: Sequence[str]) -> DocumentTable:
    words = pile.words
    # translators: heading of a column in a table: the name of a school class, like 3B
    heads = [words.gettext("Class"), *(LANGUAGES[tag].name for tag in tags), *_hand_filled_heads(pile)]
    rows = [
        # translators: in a table, in place of a class's name: children whose class is not known
        [name or words.gettext("Class not known"), *_count_cells(numbers, tags), "", ""]
        for name, numbers in pile.classes.items()
        if any(numbers.get(tag) for tag in tags)
    ]
    return DocumentTable(heads, rows, ("start", *["end"] * (len(tags) + 1)))


def _hand_filled_heads(pile: PacketContent) -> list[str]:
    return [
        # translators: heading of a column in a table: how many printed surveys there are
        pile.words.gettext("Forms"),
        # translators: heading of an empty column on a printed page: how many surveys were given to families
        pile.words.gettext("Handed out"),
        # translators: heading of an empty column on a printed page: how many surveys came back
        pile.words.gettext("Returned"),
    ]


def _count_cells(numbers: Mapping[str, int], tags: Sequence[str]) -> list[str]:
    counts = [numbers.get(tag, 0) for tag in tags]
    return [*(str(number) if number else "–" for number in counts), str(sum(counts))]


def _instruction_blocks(pile: PacketContent) -> Iterator[Block]:
    words = pile.words
    # translators: heading on a page for school staff
    yield Heading(2, words.gettext("What to do with this packet"))
    if pile.linked:
        # translators: on a page for school staff who hand out printed surveys
        each = words.gettext("Each form is meant for one family. Do not give it to anyone else, and do not copy it.")
    else:
        # translators: on a page for school staff who hand out printed surveys; answers are anonymous
        each = words.gettext(
            "Any form can go to any family that reads its language. Do not write down who gets which form, and "
            "do not copy forms: each form has its own number."
        )
    yield Listing(
        [
            each,
            *_mixing_instructions(pile),
            # translators: on a page for school staff who hand out printed surveys
            words.gettext("Fold each form so that only the outside can be read."),
            # translators: on a page for school staff; the strip is the bottom of the first page, with a secret code
            words.gettext("Let families tear off the strip at the bottom of the first page. It is theirs to keep."),
            # translators: on a page for school staff; "this page" is the count sheet
            words.gettext(
                "On this page, write how many forms you handed out and how many were returned. Keep this page."
            ),
            # translators: on a page for school staff
            words.gettext("Do not read what families wrote. Take the folded forms to the person who enters them."),
        ]
    )


def _mixing_instructions(pile: PacketContent) -> Iterator[str]:
    if not pile.linked:
        # translators: on a page for school staff who hand out printed surveys; answers are anonymous
        yield pile.words.gettext(
            "Mix the forms in each language before you hand them out, so that no one can tell which class a form "
            "went to."
        )


def _format_day(pile: PacketContent, day: date) -> str:
    return str(format_date(day, "long", locale=LANGUAGES[pile.language].locale))
