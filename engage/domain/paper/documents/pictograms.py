"""Pictograms that a person can point at: faces, glasses, steps, yes, and no. Drawn from circles, arcs, and lines,
without fonts.

Black on white with one gray, so that they are readable after copying. `level` is from 0 (least, worst) to 1 (most,
best).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from reportlab.pdfgen.canvas import Canvas

from engage.domain.paper.form.elements import POINT, Item

LINE = 0.045  # thickness of a line, relative to the side of the pictogram
GRAY = 0.55  # fill of a glass or a step


@dataclass(frozen=True, slots=True)
class Pictogram(Item):
    """A square pictogram: "face", "glass", "steps", "yes", "no", "partly", "unknown", or "silent"."""

    shape: str
    level: float = 0.0
    steps: int = 5  # number of steps
    flipped: bool = False  # on a right-to-left page, steps rise to the left

    def mirrored(self, width: float) -> Self:
        return replace(self, x=width - self.x - self.width, flipped=not self.flipped)


def draw_pictogram(canvas: Canvas, item: Pictogram, x: float, y: float) -> None:
    """Draw a pictogram whose top left corner is at (x, y), in points."""
    side = item.width / POINT
    canvas.saveState()
    canvas.translate(x + (side if item.flipped and item.shape == "steps" else 0), y - side)
    canvas.scale(-side if item.flipped and item.shape == "steps" else side, side)  # from here on, the side has length 1
    canvas.setLineWidth(LINE)
    canvas.setLineCap(1)
    canvas.setLineJoin(1)
    canvas.setStrokeGray(0)
    canvas.setFillGray(0)
    _SHAPES[item.shape](canvas, item)
    canvas.restoreState()


def _draw_ring(canvas: Canvas) -> None:
    canvas.circle(0.5, 0.5, 0.5 - LINE, stroke=1, fill=0)


def _draw_eyes(canvas: Canvas) -> None:
    for x in (0.34, 0.66):
        canvas.circle(x, 0.62, 0.055, stroke=0, fill=1)


def _draw_face(canvas: Canvas, item: Pictogram) -> None:
    """Draw a face. The mouth's corners are down for 0 and up for 1."""
    _draw_ring(canvas)
    _draw_eyes(canvas)
    bend = (item.level - 0.5) * 0.4
    canvas.bezier(0.28, 0.33 + bend / 2, 0.4, 0.33 - bend, 0.6, 0.33 - bend, 0.72, 0.33 + bend / 2)


def _draw_glass(canvas: Canvas, item: Pictogram) -> None:
    """Draw a glass filled to the level."""
    bottom, top = 0.08, 0.94
    surface = bottom + item.level * 0.8 * (top - bottom)
    if item.level > 0:
        _draw_trapezoid(canvas, bottom, surface, fill=True)
    _draw_trapezoid(canvas, bottom, top, fill=False)


def _draw_trapezoid(canvas: Canvas, bottom: float, top: float, fill: bool) -> None:
    """Draw the part of the glass between two heights; its wall slopes outward."""
    low, high = (0.3 - 0.14 * (height - 0.08) / 0.86 for height in (bottom, top))
    path = canvas.beginPath()
    path.moveTo(high, top)
    path.lineTo(low, bottom)
    path.lineTo(1 - low, bottom)
    path.lineTo(1 - high, top)
    canvas.setFillGray(GRAY)
    canvas.drawPath(path, stroke=0 if fill else 1, fill=1 if fill else 0)


def _draw_steps(canvas: Canvas, item: Pictogram) -> None:
    """Draw rising bars, filled up to the level, but at least one, so that there is something to point at."""
    filled, each = round(item.level * (item.steps - 1)) + 1, 0.94 / item.steps
    for number in range(item.steps):
        height = 0.14 + 0.78 * number / max(1, item.steps - 1)
        canvas.setFillGray(GRAY if number < filled else 1)
        canvas.rect(0.03 + each * (number + 0.1), 0.04, each * 0.8, height, stroke=1, fill=1)


def _draw_yes(canvas: Canvas, item: Pictogram) -> None:
    _draw_ring(canvas)
    canvas.setLineWidth(0.1)
    canvas.lines([(0.28, 0.5, 0.44, 0.32), (0.44, 0.32, 0.74, 0.68)])


def _draw_no(canvas: Canvas, item: Pictogram) -> None:
    _draw_ring(canvas)
    canvas.setLineWidth(0.1)
    canvas.lines([(0.32, 0.32, 0.68, 0.68), (0.32, 0.68, 0.68, 0.32)])


def _draw_partly(canvas: Canvas, item: Pictogram) -> None:
    """Draw a wavy line: neither yes nor no."""
    _draw_ring(canvas)
    canvas.setLineWidth(0.1)
    canvas.bezier(0.25, 0.46, 0.4, 0.76, 0.6, 0.24, 0.75, 0.54)


def _draw_unknown(canvas: Canvas, item: Pictogram) -> None:
    """Draw a question mark."""
    _draw_ring(canvas)
    canvas.setLineWidth(0.09)
    canvas.arc(0.34, 0.46, 0.66, 0.8, startAng=180, extent=-235)
    canvas.bezier(0.585, 0.48, 0.52, 0.44, 0.5, 0.42, 0.5, 0.36)
    canvas.circle(0.5, 0.22, 0.055, stroke=0, fill=1)


def _draw_silent(canvas: Canvas, item: Pictogram) -> None:
    """Draw a face with a closed mouth."""
    _draw_ring(canvas)
    _draw_eyes(canvas)
    canvas.line(0.3, 0.33, 0.7, 0.33)
    canvas.lines([(x, 0.27, x, 0.39) for x in (0.38, 0.5, 0.62)])


_SHAPES: dict[str, Callable[[Canvas, Pictogram], None]] = {
    "face": _draw_face,
    "glass": _draw_glass,
    "steps": _draw_steps,
    "yes": _draw_yes,
    "no": _draw_no,
    "partly": _draw_partly,
    "unknown": _draw_unknown,
    "silent": _draw_silent,
}
