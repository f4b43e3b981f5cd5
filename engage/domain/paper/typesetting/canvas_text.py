"""Drawing of laid-out text on a ReportLab canvas. Lengths are in points, with y upward, as in ReportLab."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, islice
from unicodedata import bidirectional

from reportlab.pdfgen.canvas import Canvas

from engage.domain.paper.typesetting.compound_glyphs import CompoundGlyph
from engage.domain.paper.typesetting.font_embedding import WHOLE_EM, CompactFont, TrueType, embed_face, internals
from engage.domain.paper.typesetting.paragraph import LaidParagraph, Strip
from engage.domain.paper.typesetting.shaping import Cluster, Glyph

RIGHT_TO_LEFT_MARK = "\u200f"
NEUTRAL = {"ON", "CS", "ES", "ET"}  # Unicode bidi classes of punctuation
NEAR = 0.01  # points: a glyph closer than this to the pen position needs no move


def draw_paragraph(canvas: Canvas, paragraph: LaidParagraph, x: float, y: float) -> None:
    """Draw a paragraph whose top left corner is at (x, y), in the canvas's fill color."""
    if drawn := paragraph_operators(canvas, paragraph, x, y):
        internals(canvas)._code.append(drawn)


def paragraph_operators(canvas: Canvas, paragraph: LaidParagraph, x: float, y: float) -> str:
    """Return the operators for a paragraph, in the fonts of the canvas's document."""
    pen = _TextWriter(canvas, paragraph.size)
    baseline = y - paragraph.baseline
    for line in paragraph.lines:
        for strip in mark_directions(line.strips):
            pen.strip(strip, x + paragraph.left(line) + strip.x, baseline)
        baseline -= paragraph.leading
    return " ".join(["BT", *pen.operators, "ET"]) if pen.operators else ""


class _TextWriter:
    """Writes text operators. Sets font and position only if they differ from the state after the last glyph."""

    def __init__(self, canvas: Canvas, size: float) -> None:
        self.canvas, self.size = canvas, size
        self.operators: list[str] = []
        self.held = ""  # glyphs not written yet
        self.font = ""
        self.x = self.y = float("nan")

    def strip(self, strip: Strip, x: float, y: float) -> None:
        font = embed_face(self.canvas, strip.face)
        for cluster in strip.clusters:
            if isinstance(font, CompactFont):
                self._parted(font, cluster, x, y)
            else:
                self._joined(font, cluster, strip.rtl, x, y)
            x += cluster.advance * self.size
        self._write()

    def _joined(self, font: TrueType, cluster: Cluster, rtl: bool, x: float, y: float) -> None:
        """Draw a cluster as one glyph on the baseline; in right-to-left text, one glyph per character."""
        for glyph, text in cluster_pieces(cluster, font.face.upem, rtl):
            self._glyph(*font.code(glyph, text), font.advance(glyph), x, y)
            x += font.advance(glyph) * self.size

    def _parted(self, font: CompactFont, cluster: Cluster, x: float, y: float) -> None:
        """Draw a cluster glyph by glyph. If there are several, their text is added as ActualText."""
        several = len(cluster.glyphs) > 1
        if several:
            self._open(cluster)
        for glyph in cluster.glyphs:
            code, place = font.code(glyph.id, glyph.text), (x + glyph.x * self.size, y + glyph.y * self.size)
            self._glyph(*code, glyph.natural, *place)
            x += glyph.advance * self.size
        if several:
            self._write("EMC")

    def _glyph(self, font: str, cid: int, advance: float, x: float, y: float) -> None:
        if font != self.font:
            self._write(f"/{font} {_format_number(self.size)} Tf")
        if font != self.font or not abs(y - self.y) <= NEAR:
            self._write(f"1 0 0 1 {_format_number(x)} {_format_number(y)} Tm")
        elif abs(x - self.x) > NEAR:
            self.held += _format_number((self.x - x) * WHOLE_EM / self.size)
        self.held += f"<{cid:04X}>"
        self.font, self.x, self.y = font, x + advance * self.size, y

    def _open(self, cluster: Cluster) -> None:
        self._write(f"/Span <</ActualText <FEFF{cluster.text.encode('utf-16-be').hex().upper()}>>> BDC")

    def _write(self, *operators: str) -> None:
        """Write pending glyphs, then these operators."""
        if self.held:
            self.operators.append(f"[{self.held}] TJ".replace("><", ""))
            self.held = ""
        self.operators += operators


def mark_directions(strips: Sequence[Strip]) -> list[Strip]:
    """Return strips whose text marks where a left-to-right word begins and ends within right-to-left text.

    Otherwise PDF readers attach a comma before it, or a full stop or bracket after it, to the word. The invisible
    zero-width mark is put where an isolate begins or ends.
    """
    if not any(strip.rtl for strip in strips):
        return list(strips)
    directed = [(strip.rtl, each) for strip in strips for each in strip.clusters]
    words = [number for number, (_, each) in enumerate(directed) if each.text.strip()]
    for left, here, right in zip([None, *words[:-1]], words, [*words[1:], None], strict=True):
        rtl, each = directed[here]
        if rtl and bidirectional(each.text[0]) in NEUTRAL:
            before = RIGHT_TO_LEFT_MARK if right is not None and not directed[right][0] else ""
            after = RIGHT_TO_LEFT_MARK if left is not None and not directed[left][0] else ""
            directed[here] = rtl, replace(each, text=before + each.text + after)
    clusters = iter([each for _, each in directed])
    return [replace(strip, clusters=tuple(islice(clusters, len(strip.clusters)))) for strip in strips]


def cluster_pieces(cluster: Cluster, upem: int, rtl: bool) -> list[tuple[int | CompoundGlyph, str]]:
    """Return the glyphs that draw a cluster, left to right, and the text of each.

    PDF readers reverse right-to-left text character by character, so a glyph for several characters would be copied in
    the wrong order. There, the first glyph has all the ink, and every character has its share of the width.
    """
    if len(cluster.glyphs) == 1 and (len(cluster.text) < 2 or not rtl):
        (glyph,) = cluster.glyphs
        if abs(glyph.x) + abs(glyph.y) == 0:
            return [(glyph.id, cluster.text)]
    if not cluster.glyphs:
        return []
    texts = list(reversed(cluster.text)) if rtl else [cluster.text]
    each, rest = divmod(max(0, round(cluster.advance * upem)), len(texts))
    first = CompoundGlyph(_glyph_parts(cluster.glyphs, upem), each + rest)
    return [(first, texts[0]), *((CompoundGlyph((), each), text) for text in texts[1:])]


def _glyph_parts(glyphs: Sequence[Glyph], upem: int) -> tuple[tuple[int, int, int], ...]:
    """Return glyphs and their positions, in font units."""
    starts = accumulate((glyph.advance for glyph in glyphs), initial=0.0)
    return tuple(
        (glyph.id, round((start + glyph.x) * upem), round(glyph.y * upem))
        for glyph, start in zip(glyphs, starts, strict=False)
    )


def _format_number(value: float) -> str:
    """Return a number in PDF syntax: no exponent, and no more digits than a printer can show."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text
