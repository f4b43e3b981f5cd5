"""Blank sheets: one layout drawn once, every copy with its own serial on every page."""

from collections.abc import Sequence
from gettext import NullTranslations
from pathlib import Path
from typing import BinaryIO

from reportlab.pdfgen.canvas import Canvas

from engage.languages import LANGUAGES
from engage.paper.cover import Cover
from engage.paper.directions import ISOLATE, POP
from engage.paper.draw import draw_items, open_canvas, save
from engage.paper.fonts import Faces, faces
from engage.paper.layout import BLOCKS, layout
from engage.paper.setting import Second
from engage.paper.sheet import POINT, Layout, Place, Text
from engage.paper.text import lay
from engage.questionnaire.wording import Edition

SERIAL_SIZE, LARGE_SERIAL_SIZE = 9.0, 12.0  # points: read by the people who key the sheet


def blank(
    out: BinaryIO,
    edition: Edition,
    language: str,
    words: NullTranslations,
    cover: Cover,
    *,
    serials: Sequence[str] = ("",),
    paper: str = "letter",
    style: str = "standard",
    second: Second | None = None,
    arrangement: str = "under",
    blocks: int = BLOCKS,
    fonts: Path | None = None,
) -> Layout:
    """Write a PDF with one copy per serial ("K7W-2MX"; "" prints none) and return its layout.

    `words` are the interface's sentences in `language`; see `layout` for the rest. The same arguments make the same
    bytes. Raises MissingFont, MissingGlyph, TooTall.
    """
    survey = edition.survey(language)
    sheet = layout(
        survey,
        language,
        words,
        cover,
        paper=paper,
        style=style,
        second=second,
        arrangement=arrangement,
        blocks=blocks,
        edition=edition.digest,
        fonts=fonts,
    )
    canvas = open_canvas(out, (sheet.width, sheet.height), language, survey.title, cover.district)
    _draw_once(canvas, sheet)
    own, size = (
        faces(language, LANGUAGES[language].fonts, fonts),
        LARGE_SERIAL_SIZE if style == "large" else SERIAL_SIZE,
    )
    for copy, serial in enumerate(serials):
        _copy(canvas, sheet, [_serial(sheet, serial, words, own, size)] if serial else [], copy, serial)
    save(canvas)
    return sheet


def _draw_once(canvas: Canvas, sheet: Layout) -> None:
    for page in sheet.pages:
        canvas.beginForm(f"page{page.number}")
        draw_items(canvas, page.items, sheet.height)
        canvas.endForm()


def _copy(canvas: Canvas, sheet: Layout, labels: Sequence[Text], copy: int, serial: str) -> None:
    canvas.addPageLabel(copy * len(sheet.pages), style="ARABIC", start=1, prefix=f"{serial} / " if serial else None)
    for page in sheet.pages:
        canvas.doForm(f"page{page.number}")
        draw_items(canvas, labels, sheet.height)
        canvas.showPage()


def _serial(sheet: Layout, serial: str, words: NullTranslations, own: Faces, size: float) -> Text:
    language = LANGUAGES[sheet.language]
    place = next(item for item in sheet.pages[0].items if isinstance(item, Place))
    # translators: at the foot of every page of a paper form; serial is like K7W-2MX
    said = words.gettext("Sheet %(serial)s") % {"serial": f"{ISOLATE}{serial}{POP}"}
    laid = lay(said, place.width / POINT, size, own, language.direction, language.tag, bold=True)
    return Text(place.x, place.y, place.width, place.height, laid)
