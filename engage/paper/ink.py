"""Laid text onto a ReportLab canvas. Lengths in points, y upwards, as ReportLab counts."""

from collections.abc import Iterator

from reportlab.pdfgen.canvas import Canvas

from engage.paper.embed import WHOLE_EM, embedded
from engage.paper.text import Laid, Strip

NEAR = 0.01  # points: below this a glyph is where the pen already is


def draw(canvas: Canvas, laid: Laid, x: float, y: float) -> None:
    """Draw a paragraph whose top left corner is at (x, y), in the canvas's fill colour."""
    operators: list[str] = []
    baseline = y - laid.baseline
    for line in laid.lines:
        for strip in line.strips:
            operators += _strip(canvas, strip, x + laid.left(line) + strip.x, baseline, laid.size)
        baseline -= laid.leading
    if operators:
        canvas._code.append(" ".join(["BT", *filter(None, operators), "ET"]))


def _strip(canvas: Canvas, strip: Strip, x: float, y: float, size: float) -> Iterator[str]:
    """Operators for glyphs of one face: a new position only where the pen is not already right."""
    font = embedded(canvas, strip.face)
    name, shown, pen = "", "", (0.0, 0.0)
    for glyph in strip.glyphs:
        at = (x + glyph.x * size, y + glyph.y * size)
        twin, cid = font.code(glyph.id, glyph.text)
        if twin != name or abs(at[1] - pen[1]) > NEAR:
            yield _show(shown)
            yield f"/{twin} {_number(size)} Tf" if twin != name else ""
            yield f"1 0 0 1 {_number(at[0])} {_number(at[1])} Tm"
            name, shown = twin, ""
        elif abs(at[0] - pen[0]) > NEAR:
            shown += _number((pen[0] - at[0]) * WHOLE_EM / size)
        shown += f"<{cid:04X}>"
        pen = (at[0] + glyph.natural * size, at[1])
        x += glyph.advance * size
    yield _show(shown)


def _show(shown: str) -> str:
    return f"[{shown}] TJ".replace("><", "") if shown else ""


def _number(value: float) -> str:
    """A number as PDF likes it: no exponent, no more digits than a printer can show."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text
