"""Drawing of a layout as PDF. The only place that converts mm from the top to points from the bottom."""

from collections.abc import Callable, Iterable
from functools import partial
from math import ceil
from typing import Any, BinaryIO

from reportlab.pdfgen.canvas import Canvas

from engage.domain.paper.documents.pictograms import Pictogram, draw_pictogram
from engage.domain.paper.form.barcodes import Modules, aruco
from engage.domain.paper.form.elements import (
    POINT,
    Anchor,
    Box,
    Code,
    Comb,
    Example,
    Item,
    Mark,
    Panel,
    Place,
    Text,
    WritingLine,
)
from engage.domain.paper.pdf import tagging
from engage.domain.paper.typesetting import canvas_text
from engage.domain.paper.typesetting.font_embedding import finish_fonts, internals

FRAME = 0.9  # points: line width of boxes, by which a reader finds them
DASH = 4.0  # points: length of a dash in a tear-off line, and of the gap after it
HAIR = 0.4  # points: width of writing lines and of lines between cells


VERSION = (1, 7)  # PDF version; /Lang requires 1.4


def open_canvas(out: BinaryIO, size: tuple[float, float], language: str, title: str, author: str) -> Canvas:
    """Return a canvas with pages of this width and height (mm). Equal drawings give equal bytes."""
    points = (size[0] / POINT, size[1] / POINT)
    canvas = Canvas(out, pagesize=points, invariant=1, pageCompression=1, pdfVersion=VERSION, lang=language)
    canvas.setTitle(title)
    canvas.setAuthor(author)
    canvas.setSubject("")
    canvas.setCreator("Engage")
    canvas.setViewerPreference("DisplayDocTitle", "true")
    # ReportLab begins every page with Helvetica, which would be in the file without being embedded.
    internals(canvas)._preamble = "1 0 0 1 0 0 cm"
    internals(canvas)._doc.idToObject["BasicFonts"].dict.clear()
    return canvas


def save_canvas(canvas: Canvas) -> None:
    """Add fonts and tags, and write the file."""
    finish_fonts(canvas)
    tagging.finish_tagging(canvas)
    canvas.save()


def draw_items(canvas: Canvas, items: Iterable[Item], height: float) -> None:
    """Draw items on a page `height` mm high."""
    for item in items:
        draw = partial(_DRAWERS[type(item)], canvas, item, item.x / POINT, (height - item.y) / POINT)
        tagging.draw_tagged(canvas, item, draw)


def _draw_text(canvas: Canvas, item: Text, x: float, y: float) -> None:
    canvas.setFillGray(item.ink)
    canvas_text.draw_paragraph(canvas, item.laid, x, y)


def _draw_panel(canvas: Canvas, item: Panel, x: float, y: float) -> None:
    canvas.setFillGray(item.ink)
    width, height = item.width / POINT, item.height / POINT
    if not item.dashed:
        canvas.rect(x, y - height, width, height, stroke=0, fill=1)
        return
    for step in range(ceil(max(width, height) / (2 * DASH))):
        start = 2 * DASH * step
        if width > height:
            canvas.rect(x + start, y - height, min(DASH, width - start), height, stroke=0, fill=1)
        else:
            dash = min(DASH, height - start)
            canvas.rect(x, y - start - dash, width, dash, stroke=0, fill=1)


def draw_modules(canvas: Canvas, modules: Modules, place: Item, height: float) -> None:
    """Draw a square code in its place on a page `height` mm high. Adjacent modules touch, so that no hairline is
    visible."""
    module = place.width / POINT / modules.size
    x, y = place.x / POINT, (height - place.y) / POINT
    canvas.setFillGray(0)
    path = canvas.beginPath()
    for column, row, length in modules.runs():
        path.rect(x + column * module, y - (row + 1) * module, length * module, module)
    canvas.drawPath(path, stroke=0, fill=1)


def _draw_mark(canvas: Canvas, item: Mark, x: float, y: float) -> None:
    draw_modules(canvas, aruco(item.id), item, y * POINT + item.y)


def _draw_nothing(canvas: Canvas, item: Item, x: float, y: float) -> None:
    """Draw nothing: the content differs between copies and is drawn elsewhere."""


def _draw_frame(canvas: Canvas, item: Item, x: float, y: float) -> None:
    canvas.setLineWidth(FRAME)
    canvas.setStrokeGray(0)
    height = item.height / POINT
    canvas.rect(x, y - height, item.width / POINT, height, stroke=1, fill=0)


def _draw_example(canvas: Canvas, item: Example, x: float, y: float) -> None:
    """Draw a box on white, as it looks when crossed or filled in by hand."""
    size = item.width / POINT
    canvas.setFillGray(0 if item.how == "filled" else 1)
    canvas.rect(x, y - size, size, size, stroke=0, fill=1)
    _draw_frame(canvas, item, x, y)
    if item.how == "crossed":
        canvas.setLineWidth(1.6)
        near, far = size * 0.14, size * 0.86
        canvas.lines([(x + near, y - near, x + far, y - far), (x + near, y - far, x + far, y - near)])


def _draw_comb(canvas: Canvas, item: Comb, x: float, y: float) -> None:
    _draw_frame(canvas, item, x, y)
    canvas.setLineWidth(HAIR)
    cell, height = item.width / POINT / item.cells, item.height / POINT
    for number in range(1, item.cells):
        canvas.line(x + number * cell, y, x + number * cell, y - height)


def _draw_writing_line(canvas: Canvas, item: WritingLine, x: float, y: float) -> None:
    canvas.setLineWidth(HAIR)
    canvas.setStrokeGray(0.35)
    bottom = y - item.height / POINT
    canvas.line(x, bottom, x + item.width / POINT, bottom)


_DRAWERS: dict[type[Item], Callable[[Canvas, Any, float, float], None]] = {
    Text: _draw_text,
    Panel: _draw_panel,
    Box: _draw_frame,
    Example: _draw_example,
    Comb: _draw_comb,
    WritingLine: _draw_writing_line,
    Mark: _draw_mark,
    Code: _draw_nothing,
    Place: _draw_nothing,
    Anchor: _draw_nothing,
    Pictogram: draw_pictogram,
}
