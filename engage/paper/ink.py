"""Laid text onto a ReportLab canvas. Lengths in points, y upwards, as ReportLab counts."""

from reportlab.pdfgen.canvas import Canvas

from engage.paper.embed import WHOLE_EM, embedded
from engage.paper.shaping import Cluster, Glyph
from engage.paper.text import Laid, Strip

NEAR = 0.01  # points: below this a glyph is where the pen already is


def draw(canvas: Canvas, laid: Laid, x: float, y: float) -> None:
    """Draw a paragraph whose top left corner is at (x, y), in the canvas's fill colour."""
    if drawn := operators(canvas, laid, x, y):
        canvas._code.append(drawn)


def operators(canvas: Canvas, laid: Laid, x: float, y: float) -> str:
    """What draws it, in the fonts of the canvas's document."""
    pen = _Pen(canvas, laid.size)
    baseline = y - laid.baseline
    for line in laid.lines:
        for strip in line.strips:
            pen.strip(strip, x + laid.left(line) + strip.x, baseline)
        baseline -= laid.leading
    return " ".join(["BT", *pen.operators, "ET"]) if pen.operators else ""


class _Pen:
    """Writes text operators; a new font or place only where the last glyph did not leave the right one."""

    def __init__(self, canvas: Canvas, size: float) -> None:
        self.canvas, self.size = canvas, size
        self.operators: list[str] = []
        self.held = ""  # glyphs not written yet
        self.font = ""
        self.x = self.y = float("nan")

    def strip(self, strip: Strip, x: float, y: float) -> None:
        font = embedded(self.canvas, strip.face)
        for cluster in strip.clusters:
            several = len(cluster.glyphs) > 1  # Khmer, Hindi: the order of glyphs is not that of the text
            if several:
                self._open(cluster)
            for glyph in cluster.glyphs:
                self._glyph(glyph, *font.code(glyph.id, glyph.text), x, y)
                x += glyph.advance * self.size
            if several:
                self._write("EMC")
        self._write()

    def _glyph(self, glyph: Glyph, font: str, cid: int, x: float, y: float) -> None:
        x, y = x + glyph.x * self.size, y + glyph.y * self.size
        if font != self.font:
            self._write(f"/{font} {_number(self.size)} Tf")
        if font != self.font or not abs(y - self.y) <= NEAR:
            self._write(f"1 0 0 1 {_number(x)} {_number(y)} Tm")
        elif abs(x - self.x) > NEAR:
            self.held += _number((self.x - x) * WHOLE_EM / self.size)
        self.held += f"<{cid:04X}>"
        self.font, self.x, self.y = font, x + glyph.natural * self.size, y

    def _open(self, cluster: Cluster) -> None:
        said = "".join(glyph.text for glyph in cluster.glyphs)
        self._write(f"/Span <</ActualText <FEFF{said.encode('utf-16-be').hex().upper()}>>> BDC")

    def _write(self, *operators: str) -> None:
        """Write what is held, then these operators."""
        if self.held:
            self.operators.append(f"[{self.held}] TJ".replace("><", ""))
            self.held = ""
        self.operators += operators


def _number(value: float) -> str:
    """A number as PDF likes it: no exponent, no more digits than a printer can show."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text
