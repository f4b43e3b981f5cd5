"""The poster of a survey: one page with the survey's title, who asks, a large QR code, and the address to type.

All texts are centered. The texts are as large as fits; the QR code has one size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.flowables import Flow
from engage.domain.paper.form.barcodes import qr
from engage.domain.paper.form.elements import PAPERS, Block, Code, Column, Item, Panel, Text
from engage.domain.paper.form.typesetter import Style, Typesetter, has_cut_word
from engage.domain.paper.pdf.canvas import draw_items, draw_modules, open_canvas, save_canvas
from engage.domain.paper.pdf.tagging import begin_tagging, draw_furniture
from engage.domain.paper.typesetting.fonts import load_faces
from engage.domain.paper.typesetting.shaping import normalize_text
from engage.questionnaire.skip_instructions import POP

SIDE, EDGE = 18.0, 18.0  # mm from the sides, and from the top and bottom of the page
CODE = 70.0  # mm: side of the QR code, which is read from across a hallway
QUIET = 4  # modules of white around it
TITLE, LEAD, ADDRESS, STEP, NOTE = 46.0, 21.0, 28.0, 18.0, 15.0  # points, where everything is short
LEAST = 11.0  # points
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.24)  # of these sizes; the largest that fits is used
GAP, NEAR = 5.0, 2.5  # mm between two parts, and between two texts of a part
RULE = 0.4  # mm: thickness of the line above the notes
LTR = "\u2066"


@dataclass(frozen=True, slots=True)
class PosterNote:
    """A text at the foot of a poster; the heading may be empty."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Poster:
    """The texts of a poster in `language` (a tag).

    `leads` stand below the title, `scan` above the QR code of `link` (a full URL), and `address` (the same to type) and
    `steps` below it. `paper` is "letter" or "a4"; `fonts` is ENGAGE_FONT_DIR.
    """

    language: str
    district: str
    title: str
    leads: Sequence[str]
    scan: str
    link: str
    address: str
    steps: Sequence[str]
    notes: Sequence[PosterNote]
    paper: str = "letter"
    fonts: Path | None = None


def write_poster(out: BinaryIO, poster: Poster) -> None:
    """Write a poster as a PDF of one page. Equal arguments give equal bytes.

    A character without a glyph is replaced by its name. Raises MissingFont, and ValueError for texts that fill more
    than a page.
    """
    language, size = LANGUAGES[poster.language], PAPERS[poster.paper]
    setter = Typesetter(language, load_faces(language.tag, language.fonts, poster.fonts))
    items = _place_items(_fit_parts(Flow(setter, size[0] - 2 * SIDE), poster, size[1] - 2 * EDGE), size[1])
    title, author = (normalize_text(text) for text in (poster.title, poster.district))
    canvas = open_canvas(out, size, language.tag, title, author)
    begin_tagging(canvas, language.tag)
    draw_items(canvas, items, size[1])
    for item in items:
        if isinstance(item, Code):
            draw_furniture(canvas, partial(draw_modules, canvas, qr(poster.link), item, size[1]))
    canvas.showPage()
    save_canvas(canvas)


def _place_items(parts: Sequence[Block], height: float) -> list[Item]:
    """Return the items of a page this high: the first part at its top, the last at its foot, equal space between."""
    space = (height - 2 * EDGE - sum(part.height for part in parts)) / (len(parts) - 1)
    items: list[Item] = []
    down = EDGE
    for part in parts:
        items += part.moved(SIDE, down)
        down += part.height + space
    return items


def _fit_parts(flow: Flow, poster: Poster, room: float) -> list[Block]:
    """Return head, code, and notes at the largest size at which they fit, with words uncut if possible. Raises
    ValueError if they do not fit."""
    fitting = None
    for share in SHARES:
        parts = [_head_block(flow, poster, share), _code_block(flow, poster, share), _notes_block(flow, poster, share)]
        if sum(part.height for part in parts) + GAP * (len(parts) - 1) <= room:
            if not any(has_cut_word(part.items) for part in parts):
                return parts
            fitting = fitting or parts
    if fitting is None:
        raise ValueError("the texts are too long for a poster")
    return fitting


def _style(size: float, share: float, bold: bool = False, role: str = "P") -> Style:
    return Style(max(LEAST, size * share), bold=bold, role=role)


def _head_block(flow: Flow, poster: Poster, share: float) -> Block:
    column = Column()
    column.add(flow.text(poster.title, flow.width, _style(TITLE, share, bold=True, role="H1"), "center"))
    for number, text in enumerate(poster.leads):
        column.add(flow.text(text, flow.width, _style(LEAD, share), "center"), gap=NEAR if number else GAP)
    return column.block()


def _code_block(flow: Flow, poster: Poster, share: float) -> Block:
    """Return the QR code with its white margin, between what to do with it and the address."""
    quiet = QUIET * CODE / qr(poster.link).size
    column = Column()
    column.add(flow.text(poster.scan, flow.width, _style(STEP, share), "center"))
    column.add(Code((flow.width - CODE) / 2, 0, CODE, CODE, "phone"), gap=quiet)
    column.add(_address_text(flow, poster.address, share), gap=quiet)
    for text in poster.steps:
        column.add(flow.text(text, flow.width, _style(STEP, share, bold=True), "center"), gap=NEAR)
    return column.block()


def _address_text(flow: Flow, address: str, share: float) -> Text:
    """Return the address on one line, in smaller type if necessary; else on several."""
    styles = [_style(ADDRESS, part, bold=True) for part in SHARES if part <= share]
    texts = [flow.text(f"{LTR}{address}{POP}", flow.width, style, "center") for style in styles]
    return next((text for text in texts if len(text.laid.lines) == 1), texts[0])


def _notes_block(flow: Flow, poster: Poster, share: float) -> Block:
    column = Column()
    column.add(Panel(0, 0, flow.width, RULE))
    for text, style in _note_texts(poster, share):
        column.add(flow.text(text, flow.width, style, "center"), gap=NEAR)
    return column.block()


def _note_texts(poster: Poster, share: float) -> Iterator[tuple[str, Style]]:
    for note in poster.notes:
        if note.heading:
            yield note.heading, _style(NOTE, share, bold=True, role="H2")
        yield note.text, _style(NOTE, share)
