"""Blank forms: one layout drawn once; each copy has its own serial and code on every page."""

from collections.abc import Sequence
from functools import partial
from typing import BinaryIO

from reportlab.pdfgen.canvas import Canvas

from engage.base.languages import LANGUAGES
from engage.domain.paper.form.barcodes import qr
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.elements import POINT, Code, Layout, Page, Place, Text
from engage.domain.paper.form.geometry import digest, geometry_json
from engage.domain.paper.form.layout import lay_out_sheet
from engage.domain.paper.form.typesetter import STANDARD, SheetFormat, SurveyInLanguage
from engage.domain.paper.pdf import tagging
from engage.domain.paper.pdf.canvas import draw_items, draw_modules, open_canvas, save_canvas
from engage.domain.paper.typesetting.fonts import Faces, load_faces
from engage.domain.paper.typesetting.paragraph import ParagraphStyle, lay_out_paragraph
from engage.questionnaire.editions import Edition
from engage.questionnaire.numbering import encode_payload


def write_sheets(
    out: BinaryIO,
    edition: Edition,
    first: SurveyInLanguage,
    cover: Cover,
    format: SheetFormat = STANDARD,
    *,
    serials: Sequence[str] = ("",),
) -> Layout:
    """Write a PDF with one copy per serial ("K7W-2MX"; "" for a form printed at home) and return the layout.

    `first` is the edition's survey. Equal arguments give equal bytes. Raises MissingFont, MissingGlyph, TooTall.
    """
    language = first.language
    sheet = lay_out_sheet(first, cover, format, edition=edition.digest, numbered=any(serials))
    canvas = open_canvas(out, (sheet.width, sheet.height), language, first.survey.title, cover.district)
    if len(serials) == 1:
        tagging.begin_tagging(canvas, language)
    else:
        _draw_forms(canvas, sheet)
    faces = load_faces(language, LANGUAGES[language].fonts, format.fonts)
    short = digest(geometry_json(sheet, edition.digest))
    for copy, serial in enumerate(serials):
        canvas.addPageLabel(copy * len(sheet.pages), style="ARABIC", start=1, prefix=f"{serial} / " if serial else None)
        for page in sheet.pages:
            _add_bookmarks(canvas, sheet, serial if len(serials) > 1 else "", page.number)
            if len(serials) == 1:
                draw_items(canvas, page.items, sheet.height)
            else:
                canvas.doForm(f"page{page.number}")
            _draw_copy_details(canvas, sheet, page, serial, short, faces)
            canvas.showPage()
    save_canvas(canvas)
    return sheet


def _draw_forms(canvas: Canvas, sheet: Layout) -> None:
    for page in sheet.pages:
        canvas.beginForm(f"page{page.number}")
        draw_items(canvas, page.items, sheet.height)
        canvas.endForm()


def _add_bookmarks(canvas: Canvas, sheet: Layout, serial: str, page: int) -> None:
    """Add bookmarks for the sections on this page of a copy; with several copies, below the copy's serial."""
    if serial and page == 1:
        _add_outline_entry(canvas, serial, f"{serial}.0", 0, sheet.height)
    for index, (number, anchor) in enumerate(sheet.outline(), 1):
        if number == page:
            _add_outline_entry(canvas, anchor.title, f"{serial}.{index}", 1 if serial else 0, sheet.height - anchor.y)


def _add_outline_entry(canvas: Canvas, title: str, key: str, level: int, top: float) -> None:
    canvas.bookmarkHorizontalAbsolute(key, top / POINT)
    canvas.addOutlineEntry(title, key, level)


def _draw_copy_details(canvas: Canvas, sheet: Layout, page: Page, serial: str, short: str, faces: Faces) -> None:
    """Draw what differs between copies: the serial as text and in the code."""
    for item in page.items:
        if isinstance(item, Code) and item.what == "sheet":
            modules = qr(encode_payload(serial, page.number, short))
            tagging.draw_furniture(canvas, partial(draw_modules, canvas, modules, item, sheet.height))
        elif isinstance(item, Place) and item.name == "serial" and serial:
            draw_items(canvas, [text_in_place(item, serial, faces)], sheet.height)


def text_in_place(place: Place, text: str, faces: Faces) -> Text:
    """Return a code as text in its place: left to right on every page."""
    style = ParagraphStyle(place.size, faces, "ltr", "en", bold=place.bold, align=place.align)
    paragraph = lay_out_paragraph(text, place.width / POINT, style)
    return Text(place.x, place.y, place.width, place.height, paragraph)
