"""Access codes on slips of paper to cut apart, for anonymous surveys: each person takes one slip from a pile.

No slip says whose it is, and nothing on it says which pile it came from. Pages with the same number of slips are drawn
once as a template, and codes are filled in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO

from babel.numbers import format_decimal

from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.flowables import Flow
from engage.domain.paper.documents.slip_layout import SlipLayout, SlipSheet, code_name, lay_out_slips
from engage.domain.paper.form.elements import PAPERS, Block, Column
from engage.domain.paper.form.typesetter import Style, Typesetter, has_cut_word
from engage.domain.paper.pdf.canvas import draw_items, open_canvas, save_canvas
from engage.domain.paper.pdf.page_stream import FilledCopy, PacketWriter, Template, TemplatePage
from engage.domain.paper.typesetting.fonts import load_faces
from engage.domain.paper.typesetting.shaping import normalize_text

__all__ = ["CodeSlip", "SlipPile", "SlipSheet", "write_slips"]

TEXT_DOMAIN = "staff"

SIDE, TOP = 20.0, 30.0  # mm from the edges of a separator
HUGE, BIG, PLAIN, SMALL = 48.0, 32.0, 18.0, 14.0  # points, on a separator whose texts are short
LEAST = 10.0  # points
SHARES = (1.0, 0.8, 0.64, 0.5, 0.4, 0.3, 0.2)  # of these sizes; the largest that fits is used
GAP = 8.0  # mm between two texts of a separator
AT_ONCE = 100  # separators drawn into one document, which share fonts


@dataclass(frozen=True, slots=True)
class CodeSlip:
    """One slip: the code as people type it, such as "K7W2M-XRD4N", and the full URL with the code, for the QR code.

    Both are plain ASCII.
    """

    code: str = field(repr=False)
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SlipPile:
    """The slips for one school or one class. `title` names it on the separator before them, as in "Grade 5 · Room 12";
    "" for no separator."""

    title: str
    slips: Sequence[CodeSlip]


def write_slips(out: BinaryIO, sheet: SlipSheet, piles: Sequence[SlipPile]) -> int:
    """Write the piles as a PDF and return the number of pages. Each pile begins on a new page; its slips keep their
    order. Equal arguments give equal bytes.

    Raises MissingFont, UnpreparedText for a code that is not plain ASCII, and ValueError without slips, for a pile
    without slips, for a code in two slips, and for texts that are too long.
    """
    _require_distinct_codes(piles)
    layout = lay_out_slips(sheet)
    title, author = (normalize_text(text) for text in (sheet.survey_title, sheet.district))
    writer = PacketWriter(out, title, author, sheet.staff_language, sheet.paper, one_sided=True)
    drawer = _PileDrawer(writer, layout, piles)
    separators = _borrow_separators(writer, sheet, [pile for pile in piles if pile.title])
    pages = 0
    for pile in piles:
        if pile.title:
            writer.bookmark(normalize_text(pile.title), 0)
            pages += writer.put([next(separators)])
        pages += drawer.draw(pile)
    writer.close()
    return pages


def _require_distinct_codes(piles: Sequence[SlipPile]) -> None:
    """Raises ValueError without slips, for a pile without slips, and for a code in two slips."""
    if not piles or not all(pile.slips for pile in piles):
        raise ValueError("a pile has no slips")
    codes = [slip.code for pile in piles for slip in pile.slips]
    if len(set(codes)) < len(codes):
        raise ValueError("two slips have the same code")


class _PileDrawer:
    """Draws slips into templates."""

    def __init__(self, writer: PacketWriter, layout: SlipLayout, piles: Sequence[SlipPile]) -> None:
        self.writer, self.most = writer, layout.most
        counts = sorted({len(page) for pile in piles for page in self._split(pile)})
        template = writer.template(layout.pages(counts), layout.setter.faces)
        self.letters = template.letters
        self.leaves: dict[int, TemplatePage] = {leaf.number: leaf for leaf in template.leaves}

    def draw(self, pile: SlipPile) -> int:
        """Add the pages of a pile and return their number."""
        return sum(self._page(slips) for slips in self._split(pile))

    def _page(self, slips: Sequence[CodeSlip]) -> int:
        places = {code_name(number): slip.code for number, slip in enumerate(slips)}
        links = {code_name(number): slip.link for number, slip in enumerate(slips)}
        template = Template((self.leaves[len(slips)],), self.letters)
        return self.writer.add(template, FilledCopy("", "", places, codes=links))

    def _split(self, pile: SlipPile) -> Iterator[Sequence[CodeSlip]]:
        for at in range(0, len(pile.slips), self.most):
            yield pile.slips[at : at + self.most]


def _borrow_separators(writer: PacketWriter, sheet: SlipSheet, piles: Sequence[SlipPile]) -> Iterator[bytes]:
    """Yield the separator of each pile."""
    for at in range(0, len(piles), AT_ONCE):
        yield from writer.borrowed(_draw_separators(sheet, piles[at : at + AT_ONCE]))


def _draw_separators(sheet: SlipSheet, piles: Sequence[SlipPile]) -> bytes:
    language, size, out = LANGUAGES[sheet.staff_language], PAPERS[sheet.paper], BytesIO()
    flow = Flow(
        Typesetter(language, load_faces(language.tag, language.fonts, sheet.fonts)),
        size[0] - 2 * SIDE,
    )
    canvas = open_canvas(out, size, language.tag, "", "")
    for pile in piles:
        block = _fit_separator(flow, sheet, pile, size[1] - 2 * TOP)
        draw_items(canvas, block.moved(SIDE, TOP), size[1])
        canvas.showPage()
    save_canvas(canvas)
    return out.getvalue()


def _fit_separator(flow: Flow, sheet: SlipSheet, pile: SlipPile, room: float) -> Block:
    """Return the texts at the largest size at which they fit, with words uncut if possible. Raises ValueError for a
    title that fills a page."""
    fitting = None
    for share in SHARES:
        block = _separator_block(flow, sheet, pile, share)
        if block.height <= room:
            if not has_cut_word(block.items):
                return block
            fitting = fitting or block
    if fitting is None:
        raise ValueError("the title of a pile is too long")
    return fitting


def _separator_block(flow: Flow, sheet: SlipSheet, pile: SlipPile, share: float) -> Block:
    column = Column()
    for text, size in _separator_heads(sheet, pile):
        style = Style(max(LEAST, size * share), bold=True)
        column.add(flow.text(text, flow.width, style, "center"), gap=GAP)
    for number, text in enumerate(_hand_out_instructions(sheet)):
        column.add(flow.text(text, flow.width, Style(SMALL)), gap=GAP / 2 if number else 2 * GAP)
    return column.block()


def _separator_heads(sheet: SlipSheet, pile: SlipPile) -> Iterator[tuple[str, float]]:
    """Yield the texts at the top, with their size in points."""
    yield sheet.district, PLAIN
    yield sheet.survey_title, PLAIN
    yield pile.title, HUGE
    number = len(pile.slips)
    # translators: on a page before small slips of paper with access codes; %(num)s is how many slips follow
    sentence = sheet.words.ngettext("%(num)s slip", "%(num)s slips", number)
    yield sentence % {"num": format_decimal(number, locale=LANGUAGES[sheet.staff_language].locale)}, BIG


def _hand_out_instructions(sheet: SlipSheet) -> list[str]:
    words = sheet.words
    return [
        # translators: on a page before slips of paper with access codes, for the person who prints them
        words.gettext("Print on one side of the paper only. Cut along the dashed lines."),
        # translators: on a page before slips of paper with access codes, for the person who hands them out
        words.gettext(
            "Give one slip to each person. It does not matter who gets which slip: let each person take one from the "
            "pile."
        ),
        # translators: on a page before slips of paper with access codes, for the person who hands them out
        words.gettext("Do not write names on slips, and do not note who took which slip."),
        # translators: on a page before slips of paper with access codes, for the person who hands them out
        words.gettext("Each code works once. Shred the slips that are left when the survey ends."),
    ]
