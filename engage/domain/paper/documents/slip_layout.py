"""The layout of pages of code slips: equal slots to cut apart, two abreast, with the same texts in each.

Slips look alike wherever they were on the page. Items are placed left to right; for a right-to-left language every page
is mirrored at the end, so that slips follow one another in reading direction.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from gettext import NullTranslations
from math import ceil
from pathlib import Path

from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.flowables import Flow
from engage.domain.paper.form.elements import (
    PAPERS,
    POINT,
    Block,
    Code,
    Column,
    Item,
    Layout,
    Page,
    Panel,
    Place,
    Text,
    side_by_side,
)
from engage.domain.paper.form.page_frame import PHONE, PHONE_QUIET
from engage.domain.paper.form.tear_off import ENDS, LTR
from engage.domain.paper.form.typesetter import Style, Typesetter, has_cut_word
from engage.domain.paper.typesetting.fonts import load_faces
from engage.questionnaire.skip_instructions import POP

ABREAST = 2  # slips side by side
INSET = 8.0  # mm from a cut line, or from the edge of the paper, where printers do not print, to the content
# rows on a page, points of the text: as many rows as possible, and then the largest type
FITS = ((5, 11.0), (5, 10.0), (4, 11.0), (4, 10.0), (3, 10.0), (3, 9.0), (2, 9.0), (1, 9.0))
LEAST, CODE_SIZE = 9.0, 17.0  # points: an address that is long for its line, and the code
TITLE_MORE = 1.0  # points by which the title is larger than the text
LINE = 0.2  # mm: thickness of a cut line
GAP, NEAR = 1.6, 0.8  # mm between two parts, and between address and code


@dataclass(frozen=True, slots=True)
class SlipSheet:
    """What is the same on all slips, and how they are printed.

    `survey_title`, `instructions`, and `address` (a short web address to type) are printed on every slip, in `language`
    (a tag). `words` is the catalog for the separators, in `staff_language`. `paper` is "letter" or "a4"; `fonts` is
    ENGAGE_FONT_DIR.
    """

    survey_title: str
    instructions: str
    address: str
    language: str
    words: NullTranslations = field(repr=False)
    district: str
    staff_language: str = "en"
    paper: str = "letter"
    fonts: Path | None = None


@dataclass(frozen=True, slots=True)
class SlipLayout:
    """Pages of slips: `rows` rows of two slots, each with the items of `slip`, placed from its top left corner."""

    setter: Typesetter
    paper: str
    rows: int
    slip: tuple[Item, ...] = field(repr=False)

    @property
    def most(self) -> int:
        """Slips on a full page."""
        return ABREAST * self.rows

    @property
    def slot(self) -> tuple[float, float]:
        """Width and height of a slot in mm."""
        return _slot_size(self.paper, self.rows)

    def pages(self, counts: Iterable[int]) -> Layout:
        """Return the templates: for each count, a page with this number of slips. `Page.number` is the count."""
        tag, (width, height) = self.setter.language.tag, PAPERS[self.paper]
        pages = tuple(Page(count, self._page(count)) for count in counts)
        return Layout(tag, None, self.paper, "standard", width, height, pages, {})

    def _page(self, count: int) -> tuple[Item, ...]:
        width, _ = PAPERS[self.paper]
        items = [*self._cut_lines(count), *(item for number in range(count) for item in self._slot_items(number))]
        return tuple(item.mirrored(width) if self.setter.language.rtl else item for item in items)

    def _slot_items(self, number: int) -> Iterator[Item]:
        """Yield the items of a slip in its slot. Slots are numbered from 0 in reading direction."""
        (row, column), (width, height) = divmod(number, ABREAST), self.slot
        for item in self.slip:
            named = item
            if isinstance(item, Code):
                named = replace(item, what=code_name(number))
            elif isinstance(item, Place):
                named = replace(item, name=code_name(number))
            yield named.moved(column * width, row * height)

    def _cut_lines(self, count: int) -> Iterator[Panel]:
        """Yield dashed lines between the slots that are used, and below the last one."""
        rows, (width, height) = ceil(count / ABREAST), self.slot
        for row in range(1, min(rows, self.rows - 1) + 1):
            yield Panel(ENDS, row * height, ABREAST * width - 2 * ENDS, LINE, ink=0.3, dashed=True)
        end = rows * height - (ENDS if rows == self.rows else 0.0)
        for column in range(1, ABREAST):
            yield Panel(column * width - LINE / 2, ENDS, LINE, end - ENDS, ink=0.3, dashed=True)


def code_name(number: int) -> str:
    """Return the name of a slot's place for the code, and of its QR code."""
    return f"code {number}"


def lay_out_slips(sheet: SlipSheet) -> SlipLayout:
    """Return the layout with the most slips on a page for which all texts fit, words uncut if possible.

    A character without a glyph is replaced by its name. Raises MissingFont, and ValueError if the texts are too long
    for two slips on a page.
    """
    language = LANGUAGES[sheet.language]
    setter = Typesetter(language, load_faces(language.tag, language.fonts, sheet.fonts))
    fitting = None
    for rows, size in FITS:
        width, height = _slot_size(sheet.paper, rows)
        block = _slip_block(sheet, setter, width - 2 * INSET, size)
        if block.height <= height - 2 * INSET:
            slip = block.moved(INSET, (height - block.height) / 2)
            layout = SlipLayout(setter, sheet.paper, rows, slip)
            if not has_cut_word(slip):
                return layout
            fitting = fitting or layout
    if fitting is None:
        raise ValueError("the texts are too long for a slip")
    return fitting


def _slot_size(paper: str, rows: int) -> tuple[float, float]:
    width, height = PAPERS[paper]
    return width / ABREAST, height / rows


def _slip_block(sheet: SlipSheet, setter: Typesetter, width: float, size: float) -> Block:
    """Return a slip: the title above the QR code with its white margin, and beside it what to do, what to type, and
    the code."""
    flow, start = Flow(setter, width), PHONE + PHONE_QUIET
    inner, plain = width - start, Style(size)
    column = Column()
    column.add(flow.text(sheet.instructions, inner, plain))
    column.add(_address_text(flow, sheet.address, inner, size), gap=GAP)
    column.add(Place(0, 0, inner, CODE_SIZE * 1.4 * POINT, "", CODE_SIZE, bold=True), gap=NEAR)
    down = PHONE_QUIET - GAP  # its white margin extends to the title
    code = Block(down + PHONE, (Code(0, down, PHONE, PHONE, ""),))
    whole = Column()
    whole.add(flow.text(sheet.survey_title, width, Style(size + TITLE_MORE, bold=True)))
    whole.put(side_by_side([(0.0, code), (start, column.block())]), gap=GAP)
    return whole.block()


def _address_text(flow: Flow, address: str, width: float, size: float) -> Text:
    """Return the address on one line if it fits, in smaller type if necessary; else on several."""
    texts = [flow.text(f"{LTR}{address}{POP}", width, Style(points)) for points in (size, LEAST)]
    return next((text for text in texts if len(text.laid.lines) == 1), texts[0])
