"""What lies between the sets of a packet, for those who hand them out: a sheet to count by, and a page before each
group."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from io import BytesIO

from babel.dates import format_date

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

SIDE, TOP = 20.0, 50.0  # mm: beside and above the words of a separator
HUGE, BIG, PLAIN = 54.0, 32.0, 18.0  # points
LEAST = 12.0  # points: a long name is set smaller, down to this
ROOM = 46.0  # mm one text of a separator may be high
GAP = 8.0  # mm between two texts
ABREAST = 5  # languages beside each other in one table


@dataclass(frozen=True, slots=True)
class GroupHeading:
    """The separator page before a group: class, language, and how many sets follow."""

    group: str
    language: str
    sets: int


def draw_separators(pile: PacketContent, heads: Iterable[GroupHeading]) -> bytes:
    """A page for each: class and language in words that are read from afar, and how many sets follow. Raises
    MissingFont."""
    properties, size = LANGUAGES[pile.language], PAPERS[pile.paper]
    setter = Typesetter(properties, load_faces(pile.language, properties.fonts, pile.fonts))
    fitting = cache(partial(_fit_text, setter, size[0] - 2 * SIDE))  # most stands on many of them
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
    """Texts from the top, how large in points, in which language."""
    language, words = pile.language, pile.words
    yield pile.school, PLAIN, language
    if head.group:
        # translators: on a page between printed surveys: the name of a school class, like 3B
        yield words.gettext("Class %(name)s") % {"name": head.group}, HUGE, language
    yield LANGUAGES[head.language].name, HUGE, head.language
    # translators: on a page between printed surveys; %(num)s is how many surveys follow
    yield words.ngettext("%(num)s form", "%(num)s forms", head.sets) % {"num": head.sets}, BIG, language
    yield pile.wave, PLAIN, language


def draw_count_sheet(pile: PacketContent) -> tuple[bytes, int]:
    """The first pages of a packet, and how many they are."""
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
    """A text, set smaller until it fits; what no font can show is spelled out."""
    spelled = Words(spell_out_missing(text, setter.faces, bold=True), language)
    while (block := setter.text(spelled, width, Style(size, bold=True), "center")).height > ROOM and size > LEAST:
        size = max(LEAST, size * 0.8)
    return block


def _wave_blocks(pile: PacketContent) -> Iterator[Block]:
    days = {"opens": _format_day(pile, pile.opens), "closes": _format_day(pile, pile.closes)}
    yield Paragraph(pile.wave, bold=True)
    # translators: on a page for school staff; opens and closes are days
    yield Paragraph(pile.words.gettext("Families can answer from %(opens)s to %(closes)s.") % days)


def _count_tables(pile: PacketContent) -> Iterator[Block]:
    """Sets by language, then by class; the last two columns are ticked off by hand."""
    words, counts = pile.words, pile.counted()
    # translators: heading of a column in a table: a language
    heads = [words.gettext("Language"), *_hand_filled_heads(pile)]
    rows = [[LANGUAGES[tag].name, str(number), "", ""] for tag, number in counts.items()]
    # translators: in a table of numbers: the sum of all rows
    total = [words.gettext("Total"), str(sum(counts.values())), "", ""]
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
