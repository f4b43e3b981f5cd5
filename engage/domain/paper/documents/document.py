"""Flowing documents in any language: packets, letters, reports.

    format = DocumentFormat("ar", catalogue("ar"))
    write_document(out, title, [Heading(1, title), Paragraph(text), DocumentTable(header, rows)], format)

Texts may be Words: a text in another language than the page's has its own direction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from gettext import NullTranslations
from pathlib import Path
from typing import BinaryIO

from reportlab.pdfgen.canvas import Canvas

from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.flowables import HEADING_ROLES, Flow
from engage.domain.paper.form.elements import PAPERS, POINT, Column, Item, Panel, Text, side_by_side
from engage.domain.paper.form.elements import Block as Placed
from engage.domain.paper.form.pagination import paginate
from engage.domain.paper.form.typesetter import Style, Typesetter
from engage.domain.paper.pdf.canvas import draw_items, open_canvas, save_canvas
from engage.domain.paper.pdf.tagging import FURNITURE, begin_tagging
from engage.domain.paper.typesetting.fonts import load_faces

SIDE = 20.0  # mm from the left and right edges of the page
TOP, BOTTOM = 11.0, 10.0  # mm from the top and bottom edges to header and footer
CLEAR = 7.0  # mm between header or footer and the text
SMALL = Style(7.5, ink=0.35, role=FURNITURE)


@dataclass(frozen=True, slots=True)
class Heading:
    """Level 1 (the document's title) to 3."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `soft` is a note in small gray type. One that `leads` stays with what follows, like a heading."""

    text: str
    bold: bool = False
    soft: bool = False
    leads: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A bulleted list."""

    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class DocumentTable:
    """A table. `align` is "start", "center", or "end" per column (default "start"). The header is repeated on every
    page."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """Rows of (label, share from 0 to 1 or None for no bar, text). Bars start at the side where reading starts."""

    rows: Sequence[tuple[str, float | None, str]]


@dataclass(frozen=True, slots=True)
class Lines:
    """Blank lines for handwriting."""

    count: int


@dataclass(frozen=True, slots=True)
class TearOff:
    """A part to tear off and fill in, all on one page: a heading, sentences, and labels of lines for handwriting. The
    second text of a pair is the same in another language, in small gray type below the first; it may be empty."""

    heading: str
    statements: Sequence[tuple[str, str]]
    fields: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Spacer:
    """Vertical space in mm."""

    height: float


@dataclass(frozen=True, slots=True)
class PageBreak:
    pass


Block = Heading | Paragraph | Listing | DocumentTable | Bars | Lines | TearOff | Spacer | PageBreak


@dataclass(frozen=True, slots=True)
class DocumentFormat:
    """Format of a document: its `language` (a tag), the catalog for it (`words`), the text beside the title in the
    header and beside "Page 1 of 3" in the footer, the paper size, and ENGAGE_FONT_DIR."""

    language: str
    words: NullTranslations
    header: str = ""
    footer: str = ""
    paper: str = "letter"
    fonts: Path | None = None


def write_document(out: BinaryIO, title: str, blocks: Sequence[Block], format: DocumentFormat) -> int:
    """Write the blocks as a PDF and return the number of pages.

    Equal arguments give equal bytes. A character without a glyph is replaced by its name. Raises MissingFont.
    """
    language, paper, header = format.language, format.paper, format.header
    properties = LANGUAGES[language]
    setter = Typesetter(properties, load_faces(language, properties.fonts, format.fonts))
    frame = _Frame(setter, format.words, PAPERS[paper], title, header, format.footer)
    flow = Flow(setter, frame.inner)
    bodies = [page for part in _split_pages(blocks) for page in paginate(_place_blocks(flow, part), frame.room)] or [[]]
    canvas = open_canvas(out, PAPERS[paper], language, title, header)
    begin_tagging(canvas, language)
    canvas.addPageLabel(0, style="ARABIC", start=1)
    marks = _Bookmarks(canvas, frame)
    for number, body in enumerate(bodies, 1):
        marks.add(body)
        draw_items(canvas, frame.page(number, len(bodies), body), PAPERS[paper][1])
        canvas.showPage()
    save_canvas(canvas)
    return len(bodies)


class _Bookmarks:
    """Bookmarks for headings, each below the last one of a higher level."""

    def __init__(self, canvas: Canvas, frame: "_Frame") -> None:
        self.canvas, self.frame = canvas, frame
        self.levels: list[int] = []
        self.count = 0

    def add(self, body: Iterable[Item]) -> None:
        """Add the headings of the page that is being drawn."""
        for item in body:
            if isinstance(item, Text) and item.role in HEADING_ROLES:
                self._entry(item, HEADING_ROLES.index(item.role))

    def _entry(self, item: Text, level: int) -> None:
        self.levels = [*(each for each in self.levels if each < level), level]
        self.count += 1
        down = TOP + self.frame.head.height + CLEAR + item.y
        self.canvas.bookmarkHorizontalAbsolute(str(self.count), (self.frame.height - down) / POINT)
        self.canvas.addOutlineEntry(" ".join(item.laid.text.split()), str(self.count), len(self.levels) - 1)


def _split_pages(blocks: Iterable[Block]) -> list[list[Block]]:
    """Return the blocks of each part between page breaks."""
    parts: list[list[Block]] = [[]]
    for block in blocks:
        if isinstance(block, PageBreak):
            parts.append([])
        else:
            parts[-1].append(block)
    return [part for part in parts if part]


def _place_blocks(flow: Flow, blocks: Iterable[Block]) -> Iterable[Placed]:
    for block in blocks:
        match block:
            case Heading(level, text):
                yield flow.heading(level, text)
            case Paragraph(text, bold, soft, leads):
                yield from flow.paragraph(text, bold, soft, leads)
            case Listing(texts):
                yield from flow.listing(texts)
            case DocumentTable(header, rows, align):
                yield from flow.table(header, rows, align)
            case Bars(rows):
                yield from flow.bars(rows)
            case Lines(count):
                yield from flow.lines(count)
            case TearOff(heading, statements, fields):
                yield flow.tear_off(heading, statements, fields)
            case Spacer(height):
                yield Placed(height, ())


class _Frame:
    """Header and footer of every page."""

    def __init__(
        self,
        setter: Typesetter,
        words: NullTranslations,
        size: tuple[float, float],
        title: str,
        header: str,
        footer: str,
    ) -> None:
        self.setter, self.words, self.footer = setter, words, footer
        self.width, self.height = size
        self.inner = self.width - 2 * SIDE
        self.head = self._line(header, title, below=True)
        self.room = self.height - TOP - self.head.height - BOTTOM - self._foot(99, 99).height - 2 * CLEAR

    def page(self, number: int, count: int, body: Iterable[Item]) -> list[Item]:
        """Return all items of a page, mirrored for a right-to-left language."""
        foot = self._foot(number, count)
        items = [
            *self.head.moved(SIDE, TOP),
            *(item.moved(SIDE, TOP + self.head.height + CLEAR) for item in body),
            *foot.moved(SIDE, self.height - BOTTOM - foot.height),
        ]
        return [item.mirrored(self.width) if self.setter.language.rtl else item for item in items]

    def _foot(self, number: int, count: int) -> Placed:
        # translators: at the foot of every page of a printed document
        page = self.words.gettext("Page %(page)s of %(pages)s") % {"page": number, "pages": count}
        return self._line(self.footer, page, below=False)

    def _line(self, start: str, end: str, below: bool) -> Placed:
        """Return two texts at the ends of a line, with a thin rule below or above them."""
        flow = Flow(self.setter, self.inner)
        left = flow.text(start, self.inner * 0.6, SMALL)
        right = flow.text(end, self.inner * 0.36, SMALL, "end").moved(self.inner * 0.64, 0)
        texts = side_by_side([(0.0, Placed(left.height, (left,))), (0.0, Placed(right.height, (right,)))])
        rule = Placed(0.2, (Panel(0, 0, self.inner, 0.2, ink=0.6),))
        column = Column()
        for part in (texts, rule) if below else (rule, texts):
            column.put(part, gap=1.2)
        return column.block()
