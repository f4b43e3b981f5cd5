"""The hand-out list, kept in the office: which form is for which family, if the outside of the forms does not say so.

It is drawn like forms: pages with one row, two rows, and so on are drawn once as templates, and texts are filled in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from gettext import NullTranslations
from itertools import groupby
from math import floor

from engage.base.languages import LANGUAGES, Language
from engage.domain.paper.documents.packet_model import PacketContent, PacketSet
from engage.domain.paper.form.elements import PAPERS, Block, Box, Column, Item, Layout, Page, Panel, Place
from engage.domain.paper.form.typesetter import Style, Typesetter
from engage.domain.paper.pdf.page_stream import FilledCopy, PacketWriter, Template
from engage.domain.paper.typesetting.fonts import load_faces
from engage.domain.paper.typesetting.shaping import spell_out_missing
from engage.questionnaire.skip_instructions import ISOLATE, POP

TEXT_DOMAIN = "staff"

SIDE, EDGE = 20.0, 16.0  # mm from the sides, and from the top and bottom of the page
ROW, TICK = 8.0, 4.5  # mm: height of a row, side of a checkbox
COLUMNS = (0.0, 26.0, 110.0, 150.0)  # mm from the side: serial, family, language, checkbox
GAP = 3.0  # mm between two columns
TITLE, NOTE, HEADS = Style(22, bold=True), Style(10.5), Style(9, bold=True)
CLASS, CELL = 14.0, 10.0  # points: no limit
LINE = 7.0  # mm: space for the name of a class


@dataclass(frozen=True, slots=True)
class HandOutPage:
    """One page of the list: forms of one class."""

    group: str
    sets: Sequence[PacketSet]
    first: bool  # first page of its class


class HandOutList:
    """The list of a packet's forms by class."""

    def __init__(self, pile: PacketContent) -> None:
        """Raises MissingFont."""
        properties = LANGUAGES[pile.language]
        self.pile, self.words = pile, pile.words
        self.setter = Typesetter(properties, load_faces(pile.language, properties.fonts, pile.fonts))
        self.layout = _layout(pile, self.setter)
        self.sheets = list(_split_pages(pile.sets, len(self.layout.pages)))
        self.classes = any(sheet.group for sheet in self.sheets)
        written = {symbol for each in pile.sets for text in (*each.who, each.number, each.group) for symbol in text}
        self.odd = {symbol for symbol in written if spell_out_missing(symbol, self.setter.faces) != symbol}

    @property
    def pages(self) -> int:
        """Number of pages: even, so that the next form begins on a new sheet of paper."""
        return len(self.sheets) + len(self.sheets) % 2

    def write(self, writer: PacketWriter) -> int:
        """Write the list to the packet and return the number of pages."""
        lines = (line for sheet in self.sheets for line in self._places(sheet).values())
        template = writer.template(self.layout, self.setter.faces, lines)
        writer.bookmark(_title(self.words), 0)
        return sum(self._sheet(writer, template, sheet) for sheet in self.sheets)

    def _sheet(self, writer: PacketWriter, template: Template, sheet: HandOutPage) -> int:
        if sheet.first and self.classes:
            writer.bookmark(self._class(sheet), 1)
        page = replace(template, leaves=(template.leaves[len(sheet.sets) - 1],))
        return writer.add(page, FilledCopy("", "", self._places(sheet)), even=sheet is self.sheets[-1])

    def _places(self, sheet: HandOutPage) -> dict[str, str]:
        """Return the text for each place of a page."""
        places = {"class": self._class(sheet) if self.classes else ""}
        for row, each in enumerate(sheet.sets):
            cells = (each.serial, self._whose(each), LANGUAGES[each.language].name)
            places |= {_place_name(row, column): cell for column, cell in enumerate(cells)}
        return {name: self._printable(text) for name, text in places.items()}

    def _printable(self, text: str) -> str:
        return text if self.odd.isdisjoint(text) else spell_out_missing(text, self.setter.faces)

    def _class(self, sheet: HandOutPage) -> str:
        if not sheet.group:
            # translators: in a table, in place of a class's name: children whose class is not known
            return self.words.gettext("Class not known")
        # translators: on a page between printed surveys: the name of a school class, like 3B
        return self.words.gettext("Class %(name)s") % {"name": sheet.group}

    def _whose(self, each: PacketSet) -> str:
        if each.who or not each.number:
            return " · ".join(each.who)
        return student_label(each.number, self.words, self.setter.language)


def student_label(number: str, words: NullTranslations, language: Language) -> str:
    """Return the label of a child by its district number, if names are not stored. `words` is the catalog of the
    language."""
    isolated = f"{ISOLATE}{number}{POP}" if language.rtl else number
    # translators: whose a printed survey is, where no names are kept; number is the district's own for a student
    return words.gettext("Student %(number)s") % {"number": isolated}


def _title(words: NullTranslations) -> str:
    # translators: title of a page for school staff, and bookmark in a PDF: which printed survey goes to which family
    return words.gettext("Handout list")


def _split_pages(sets: Sequence[PacketSet], rows: int) -> Iterator[HandOutPage]:
    for group, members in groupby(sets, key=lambda each: each.group):
        sheets = list(members)
        for at in range(0, len(sheets), rows):
            yield HandOutPage(group, sheets[at : at + rows], at == 0)


def _layout(pile: PacketContent, setter: Typesetter) -> Layout:
    """Return the templates: page 1 has one row, page 2 two, and the last as many as fit."""
    width, height = PAPERS[pile.paper]
    head = _head_block(pile, setter, width - 2 * SIDE)
    most = floor((height - 2 * EDGE - head.height) / ROW)
    pages = []
    for rows in range(1, most + 1):
        items = [*head.moved(SIDE, EDGE)]
        for row in range(rows):
            items += [item.moved(SIDE, EDGE + head.height + row * ROW) for item in _row_items(row, width - 2 * SIDE)]
        pages.append(Page(rows, tuple(item.mirrored(width) if setter.language.rtl else item for item in items)))
    return Layout(pile.language, None, pile.paper, "standard", width, height, tuple(pages), {})


def _head_block(pile: PacketContent, setter: Typesetter, width: float) -> Block:
    """Return the head of a page, above the rows."""
    column, place = Column(), " · ".join((pile.school, pile.wave))
    column.add(setter.text(_title(pile.words), width, TITLE))
    column.add(setter.text(spell_out_missing(place, setter.faces, bold=True), width, replace(NOTE, bold=True)), gap=2)
    # translators: on a page for school staff, above a table of printed surveys and whom they are for
    title = pile.words.gettext(
        "This list shows which form goes to which family. Keep it in the office, and destroy it when all forms "
        "have been handed out."
    )
    column.add(setter.text(title, width, NOTE), gap=2)
    column.add(Place(0, 0, width, LINE, "class", CLASS), gap=4)
    column.put(_column_heads(pile.words, setter, width), gap=1)
    return column.block()


def _column_heads(words: NullTranslations, setter: Typesetter, width: float) -> Block:
    heads = [
        # translators: heading of a column in a table: the number printed on a survey, like K7W-2MX
        words.gettext("Form number"),
        # translators: heading of a column in a table: whom a printed survey is for
        words.gettext("Name or student number"),
        # translators: heading of a column in a table: a language
        words.gettext("Language"),
        # translators: heading of an empty column on a printed page: a box to tick
        words.gettext("Handed out"),
    ]
    texts = [
        setter.text(head, room - GAP, HEADS).moved(x, 0)
        for head, x, room in zip(heads, COLUMNS, _column_widths(width), strict=True)
    ]
    height = max(text.height for text in texts) + 1
    low = (text.moved(0, height - 1 - text.height) for text in texts)
    return Block(height, (*low, Panel(0, height - 0.4, width, 0.4)))


def _row_items(row: int, width: float) -> Iterator[Item]:
    """Yield three places and a checkbox, from left to right."""
    for column, (x, room) in enumerate(zip(COLUMNS[:-1], _column_widths(width), strict=False)):
        yield Place(x, 1.8, room - GAP, ROW - 1.8, _place_name(row, column), CELL)
    yield Box(COLUMNS[-1], (ROW - TICK) / 2, TICK, TICK, "", "", "")
    yield Panel(0, ROW - 0.15, width, 0.15, ink=0.7)


def _column_widths(width: float) -> list[float]:
    return [end - start for start, end in zip(COLUMNS, (*COLUMNS[1:], width), strict=True)]


def _place_name(row: int, column: int) -> str:
    return f"row {row} column {column}"
