"""Blank sheets: one layout drawn once, every copy with its own serial and code on every page."""

from collections.abc import Sequence
from functools import partial
from gettext import NullTranslations
from pathlib import Path
from typing import BinaryIO

from reportlab.pdfgen.canvas import Canvas

from engage.base.languages import LANGUAGES
from engage.domain.paper.form.barcodes import qr
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.elements import POINT, Code, Layout, Page, Place, Text
from engage.domain.paper.form.geometry import digest, geometry
from engage.domain.paper.form.layout import BLOCKS, layout
from engage.domain.paper.form.typesetter import Second
from engage.domain.paper.pdf import tagging
from engage.domain.paper.pdf.canvas import draw_items, draw_modules, open_canvas, save
from engage.domain.paper.typesetting.fonts import Faces, faces
from engage.domain.paper.typesetting.paragraph import lay
from engage.questionnaire.editions import Edition
from engage.questionnaire.numbering import payload


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
    """Write a PDF with one copy per serial ("K7W-2MX"; "" for a form printed at home) and return its layout.

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
        numbered=any(serials),
        fonts=fonts,
    )
    canvas = open_canvas(out, (sheet.width, sheet.height), language, survey.title, cover.district)
    if len(serials) == 1:
        tagging.begin(canvas, language)
    else:
        _draw_once(canvas, sheet)
    own, short = faces(language, LANGUAGES[language].fonts, fonts), digest(geometry(sheet, edition.digest))
    for copy, serial in enumerate(serials):
        canvas.addPageLabel(copy * len(sheet.pages), style="ARABIC", start=1, prefix=f"{serial} / " if serial else None)
        for page in sheet.pages:
            _bookmark(canvas, sheet, serial if len(serials) > 1 else "", page.number)
            if len(serials) == 1:
                draw_items(canvas, page.items, sheet.height)
            else:
                canvas.doForm(f"page{page.number}")
            _own(canvas, sheet, page, serial, short, own)
            canvas.showPage()
    save(canvas)
    return sheet


def _draw_once(canvas: Canvas, sheet: Layout) -> None:
    for page in sheet.pages:
        canvas.beginForm(f"page{page.number}")
        draw_items(canvas, page.items, sheet.height)
        canvas.endForm()


def _bookmark(canvas: Canvas, sheet: Layout, serial: str, page: int) -> None:
    """The sections that begin on this page of a copy; with several copies, below the copy's serial."""
    if serial and page == 1:
        _entry(canvas, serial, f"{serial}.0", 0, sheet.height)
    for index, (number, anchor) in enumerate(sheet.outline(), 1):
        if number == page:
            _entry(canvas, anchor.title, f"{serial}.{index}", 1 if serial else 0, sheet.height - anchor.y)


def _entry(canvas: Canvas, title: str, key: str, level: int, top: float) -> None:
    canvas.bookmarkHorizontalAbsolute(key, top / POINT)
    canvas.addOutlineEntry(title, key, level)


def _own(canvas: Canvas, sheet: Layout, page: Page, serial: str, short: str, own: Faces) -> None:
    """What differs from copy to copy: the serial in words and in the code."""
    for item in page.items:
        if isinstance(item, Code) and item.what == "sheet":
            modules = qr(payload(serial, page.number, short))
            tagging.furniture(canvas, partial(draw_modules, canvas, modules, item, sheet.height))
        elif isinstance(item, Place) and item.name == "serial" and serial:
            draw_items(canvas, [filled(item, serial, own)], sheet.height)


def filled(place: Place, text: str, own: Faces) -> Text:
    """Signs of a code in their place: left to right on every page."""
    laid = lay(text, place.width / POINT, place.size, own, "ltr", "en", bold=place.bold, align=place.align)
    return Text(place.x, place.y, place.width, place.height, laid)
