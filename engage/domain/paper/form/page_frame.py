"""The frame of a page: header, footer, and the corner markers and code from which a scanner determines page, serial,
and boxes.

Lengths are in mm. The sizes were the most reliable in tests: ArUco markers of 8 mm, a QR code of 18 mm at level Q.
"""

from collections.abc import Iterable

from engage.domain.paper.form.elements import PAPERS, POINT, Block, Code, Column, Item, Mark, Page, Place, side_by_side
from engage.domain.paper.form.typesetter import Say, Setting, SheetLanguage, Style

EDGE = 9.0  # from the edge of the paper, where printers do not print, to the markers
MARK = 8.0
ALONE = 2.0  # white space around a marker
CODE = 18.0
MODULES = 25  # per side, in a QR code of version 2
QUIET = 4 * CODE / MODULES  # white around the code: 4 modules
PHONE = 22.0  # the QR code for a phone's camera, which has a longer text
PHONE_QUIET = 4 * PHONE / 21  # the smallest QR code has 21 modules
ROUND = 12  # pages until marker numbers repeat: DICT_4X4_50 is enough for 12 pages of 4

SIDE = 18.0  # mm from the edge to the questions
INSIDE = EDGE + MARK + 4.0  # mm from the edge to header and footer, which are between the markers
CLEAR = 3.0  # mm between header or footer and the questions
SERIAL = 30.0  # mm: space for the serial beside the code
SERIAL_SIZE, LARGE_SERIAL_SIZE = 10.0, 13.0  # points: read by the people who key the form


class Frame:
    """The frame of a form's pages.

    Only a `numbered` one has space for a serial. `strip` is the height (mm) of the tear-off strip at the bottom of the
    first page.
    """

    def __init__(self, setting: Setting, district: str, paper: str, edition: str, numbered: bool, strip: float) -> None:
        self.setting, self.district, self.edition = setting, district, edition
        self.numbered, self.strip = numbered, strip
        self.width, self.height = PAPERS[paper]
        self.inner = self.width - 2 * SIDE
        self.head, foot = self._header(), self._footer(99, 99)
        self.top = max(EDGE + CODE + QUIET, EDGE + self.head.height) + CLEAR
        self.foot = EDGE + max(MARK + ALONE, foot.height) + CLEAR

    def end(self, number: int) -> float:
        """Return the end of page `number`: the paper's edge, or the tear-off line (mm from the top)."""
        return self.height - (self.strip if number <= 2 else 0.0)

    def bottom(self, number: int) -> float:
        """Return the end of the questions on page `number` (mm from the top)."""
        return self.end(number) - self.foot

    def page(self, number: int, count: int, body: Iterable[Item]) -> Page:
        """Return the page with `body` in it, mirrored for a right-to-left language."""
        foot = self._footer(number, count)
        items = [
            *self.head.moved(INSIDE, EDGE),
            page_code(self.width),
            *body,
            *foot.moved(INSIDE, self.end(number) - EDGE - foot.height),
        ]
        rtl = self.setting.language.rtl
        lying = [item.mirrored(self.width) if rtl else item for item in items]
        return Page(number, (*page_marks(self.width, self.end(number), number), *lying))

    def _header(self) -> Block:
        """Return the header: district and survey at the start, the serial before the code."""
        small = self.setting.sizes.small
        width = page_code(self.width).x - QUIET - 1 - INSIDE
        half = width - SERIAL - 4
        column = Column()
        column.add(self.setting.text(self.district, half, small))
        column.put(self._stack_languages(lambda tongue: tongue.survey.title, half, small), gap=0.6)
        block = column.block()
        return side_by_side([(0.0, block), (width - SERIAL, self._serial())]) if self.numbered else block

    def _serial(self) -> Block:
        setting = self.setting
        size = LARGE_SERIAL_SIZE if setting.sizes.large else SERIAL_SIZE
        column = Column()
        column.put(self._stack_languages(_sheet_label, SERIAL, setting.sizes.small, "end"))
        column.add(Place(0, 0, SERIAL, size * 1.5 * POINT, "serial", size, bold=True, align="right"), gap=0.4)
        return column.block()

    def _footer(self, number: int, count: int) -> Block:
        """Return the footer: the page at the start, languages and edition at the end."""
        setting, half = self.setting, (self.width - 2 * INSIDE) / 2 - 2
        page = self._stack_languages(lambda tongue: _page_label(tongue, number, count), half, setting.sizes.small)
        end = setting.text(self._edition(), half, setting.sizes.small, "end")
        return side_by_side([(0.0, page), (half + 4, Block(end.height, (end,)))])

    def _stack_languages(self, say: Say, width: float, style: Style, align: str = "start") -> Block:
        """Return a short text in every language, always below each other."""
        return self.setting.stack(list(self.setting.translations(say)), width, style, align)

    def _edition(self) -> str:
        parts = [f"\u2068{tongue.language.name}\u2069" for tongue in self.setting.tongues]
        return " · ".join([*parts, f"\u2066{self.edition[:8]}\u2069"] if self.edition else parts)


def _sheet_label(tongue: SheetLanguage) -> str:
    # translators: a label on every page of a paper form; below it stands the form's number, like K7W-2MX
    return tongue.words.gettext("Form")


def _page_label(tongue: SheetLanguage, number: int, count: int) -> str:
    # translators: at the foot of every page of a paper form
    return tongue.words.gettext("Page %(page)s of %(pages)s") % {"page": number, "pages": count}


def mark_id(page: int, corner: int) -> int:
    """Return the number of a marker. `page` is from 1; `corner` is 0 to 3 clockwise from the top left of the physical
    paper."""
    return 4 * ((page - 1) % ROUND) + corner


def page_marks(width: float, height: float, page: int) -> list[Mark]:
    """Return the four markers of a page. `height` ends at a tear-off line."""
    left, right, top, bottom = EDGE, width - EDGE - MARK, EDGE, height - EDGE - MARK
    places = ((left, top), (right, top), (right, bottom), (left, bottom))
    return [Mark(x, y, MARK, MARK, mark_id(page, corner)) for corner, (x, y) in enumerate(places)]


def page_code(width: float) -> Code:
    """Return the code of a left-to-right page, beside the marker at the top right."""
    return Code(width - EDGE - MARK - QUIET - CODE, EDGE, CODE, CODE, "sheet")
