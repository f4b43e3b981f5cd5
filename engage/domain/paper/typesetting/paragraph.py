"""Paragraphs: lines of shaped text, measured before drawing. Pure functions; lengths are in points.

All languages use the same steps: bidi, fallback faces and shaping (`shaping.py`), line breaks by ICU, and visual order
per line. A word wider than the line is cut between graphemes and never overflows.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

from engage.domain.paper.typesetting.fonts import Face, Faces
from engage.domain.paper.typesetting.shaping import Cluster, Glyph, Run, boundaries, normalize_text, shape_text

LEAST_LEADING = 1.36  # line height of Noto Sans, relative to the type size
MOST_LEADING = 1.65  # Noto Sans Arabic specifies 2.1, to leave room for rare marks
CACHED = 2048  # paragraphs: each is requested about ten times while a page is laid out
TRAILING = " \u200b\u3000"  # omitted at the end of a line


@dataclass(frozen=True, slots=True)
class Strip:
    """Clusters of one face, left to right, from `x` (points from the line's left end)."""

    face: Face
    x: float
    clusters: tuple[Cluster, ...]
    rtl: bool = False

    @property
    def glyphs(self) -> list[Glyph]:
        return [glyph for cluster in self.clusters for glyph in cluster.glyphs]


@dataclass(frozen=True, slots=True)
class Line:
    """One line in visual order."""

    text: str
    width: float
    strips: tuple[Strip, ...]


@dataclass(frozen=True, slots=True)
class LaidParagraph:
    """A paragraph set to a width. `baseline` is from the top of a line; `cut` says whether a word was cut."""

    lines: tuple[Line, ...]
    width: float
    size: float
    leading: float
    baseline: float
    align: str
    cut: bool
    text: str = ""
    language: str = ""

    @property
    def height(self) -> float:
        return self.leading * len(self.lines)

    @property
    def widest(self) -> float:
        """The width of the widest line."""
        return max((line.width for line in self.lines), default=0.0)

    def left(self, line: Line) -> float:
        """Return the start of a line, from the paragraph's left edge."""
        share = {"left": 0.0, "center": 0.5, "right": 1.0}[self.align]
        return (self.width - line.width) * share


@lru_cache(CACHED)
@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """How a paragraph is set. `size` is in points; `direction` ("ltr", "rtl") is that of the text's `language`, never
    guessed; `align` is "left", "center", or "right", by default the side where the direction starts."""

    size: float
    faces: Faces
    direction: str
    language: str
    bold: bool = False
    align: str | None = None


def lay_out_paragraph(text: str, width: float, style: ParagraphStyle) -> LaidParagraph:
    """Lay out a text in a width in points. Raises MissingGlyph."""
    size, faces, bold, direction, language = style.size, style.faces, style.bold, style.direction, style.language
    lines: list[Line] = []
    shaped: list[Run] = []
    cut = False
    for paragraph in normalize_text(text).split("\n"):
        runs = shape_text(paragraph, faces, bold, direction, language)
        shaped += runs
        setter = _ParagraphSetter(paragraph, runs, size, language)
        lines += [setter.line(start, end) for start, end in setter.breaks(width)]
        cut = cut or setter.cut
    leading, baseline = (share * size for share in _line_metrics(next(faces.chain(bold)), shaped))
    side = style.align or ("right" if direction == "rtl" else "left")
    return LaidParagraph(tuple(lines), width, size, leading, baseline, side, cut, normalize_text(text), language)


def _line_metrics(face: Face, runs: Sequence[Run]) -> tuple[float, float]:
    """Return line height and baseline (from the line's top), relative to the type size.

    They are the face's own, within limits, and more if the ink requires it (Nastaliq).
    """
    ink = [
        (glyph.y + top, bottom - glyph.y)
        for run in runs
        for cluster in run.clusters
        for glyph in cluster.glyphs
        for top, bottom in [run.face.ink(glyph.id)]
    ]
    above, below = (max((each[side] for each in ink), default=0.0) for side in (0, 1))
    leading = max(LEAST_LEADING, min(MOST_LEADING, face.ascent + face.descent), above + below)
    middle = leading / 2 + (face.ascent - face.descent) / 2
    return leading, max(above, min(middle, leading - below))


class _ParagraphSetter:
    """Breaks one paragraph without "\\n" into lines."""

    def __init__(self, text: str, runs: Sequence[Run], size: float, language: str) -> None:
        self.text, self.runs, self.size, self.language = text, runs, size, language
        self.cut = False
        advances = [0.0] * len(text)
        self.starts = {cluster.start for run in runs for cluster in run.clusters} | {len(text)}
        for cluster in (cluster for run in runs for cluster in run.clusters):
            advances[cluster.start] = cluster.advance * size
        self.reach = list(accumulate(advances, initial=0.0))

    def breaks(self, width: float) -> Iterator[tuple[int, int]]:
        """Yield start and end of each line. An empty paragraph has one empty line."""
        points = [point for point in boundaries(self.text, self.language) if point in self.starts]
        start = 0
        while start < len(self.text):
            end = self._fitting(points, start, width)
            if end is None:
                self.cut = True
                graphemes = boundaries(self.text, self.language, graphemes=True)
                inside = [point for point in graphemes if point > start and point in self.starts]
                end = self._fitting(inside, start, width) or inside[0]
            yield start, end
            start = end
        if not self.text:
            yield 0, 0

    def _fitting(self, points: Sequence[int], start: int, width: float) -> int | None:
        later = points[bisect_right(points, start) :]
        best = None
        for point in later:
            if self.reach[self._trimmed(start, point)] - self.reach[start] > width + 1e-6:
                break
            best = point
        return best

    def _trimmed(self, start: int, end: int) -> int:
        while end > start and self.text[end - 1] in TRAILING:
            end -= 1
        return end

    def line(self, start: int, end: int) -> Line:
        """Return the line with these characters, its parts in visual order."""
        end = self._trimmed(start, end)
        parts = [(run, [c for c in run.clusters if start <= c.start < end]) for run in self.runs]
        strips, x = [], 0.0
        for run, clusters in _visual_order([(run, clusters) for run, clusters in parts if clusters]):
            visual = clusters[::-1] if run.level % 2 else clusters
            strips.append(Strip(run.face, x, tuple(visual), bool(run.level % 2)))
            x += sum(cluster.advance for cluster in clusters) * self.size
        return Line(self.text[start:end], x, tuple(strips))


def _visual_order(parts: list[tuple[Run, list[Cluster]]]) -> list[tuple[Run, list[Cluster]]]:
    """Apply rule L2 of the Unicode bidi algorithm: reverse every sequence at a level or higher, highest level first."""
    levels = [run.level for run, _ in parts]
    for level in range(max(levels, default=0), 0, -1):
        edges = [0, *(i for i, (a, b) in enumerate(pairwise(levels), 1) if (a >= level) != (b >= level)), len(levels)]
        for start, end in pairwise(edges):
            if start < end and levels[start] >= level:
                parts[start:end] = parts[start:end][::-1]
                levels[start:end] = levels[start:end][::-1]
    return parts
