"""The parts that differ between copies, as drawing operators: codes, and texts in the template's own fonts.

Texts of plain letters (all URLs, codes, and serials; names in Latin, Cyrillic, Han) are looked up letter by letter. All
others are shaped once, before fonts are subset, and stored as operators.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import icu
from reportlab.pdfgen.canvas import Canvas

from engage.base.languages import Language
from engage.domain.paper.form.barcodes import Modules
from engage.domain.paper.form.elements import POINT, Item, Place
from engage.domain.paper.typesetting import canvas_text
from engage.domain.paper.typesetting.font_embedding import embed_face
from engage.domain.paper.typesetting.fonts import Face, Faces
from engage.domain.paper.typesetting.paragraph import LaidParagraph, ParagraphStyle, lay_out_paragraph
from engage.domain.paper.typesetting.shaping import normalize_text

ASCII = "".join(map(chr, range(0x20, 0x7F)))
PLAIN = {"Latn", "Cyrl", "Grek", "Hani", "Hang", "Hira", "Kana", "Ethi", "Zyyy"}  # one glyph per letter, left to right
ENDLESS = 1e9  # points: no limit
UNIT = 1000.0  # points: size at which shaped texts are laid out, before scaling to their place


class UnpreparedText(Exception):
    """A text that was not in `texts`, so that the fonts may lack its glyphs."""


@dataclass(frozen=True, slots=True)
class OverlayLine:
    """One line. Lengths are relative to the type size. It is drawn by `operators` at UNIT points, or by the glyphs in
    `code`."""

    width: float
    leading: float
    baseline: float
    font: str = ""
    code: str = ""
    operators: str = ""


class Letters:
    """The letters of one weight in one template's document."""

    def __init__(self, canvas: Canvas, faces: Faces, language: Language, bold: bool) -> None:
        self.canvas, self.faces, self.language, self.bold = canvas, faces, language, bold
        self.face = next(face for face in faces.chain(bold) if face.covers(ASCII))
        paragraph = self._laid("A")
        self.leading, self.baseline = paragraph.leading / UNIT, paragraph.baseline / UNIT
        self.font, _ = embed_face(canvas, self.face).code(*_nominal_glyph(self.face, "A"))
        self.codes: dict[int, str] = {}
        self.widths: dict[str, float] = {}
        self.shaped: dict[str, OverlayLine] = {}
        for letter in ASCII:
            self._learn(letter)

    def prepare(self, text: str) -> None:
        """Make the glyphs of a line available. Raises MissingGlyph."""
        if self._plain(text):
            return
        text = _clean_line(text)
        for letter in text:  # in text order, so that equal packets have equal fonts
            self._learn(letter)
        if text not in self.shaped and not self._plain(text):
            paragraph = self._laid(text)
            operators = canvas_text.paragraph_operators(self.canvas, paragraph, 0, paragraph.baseline)
            self.shaped[text] = OverlayLine(
                paragraph.widest / UNIT, paragraph.leading / UNIT, paragraph.baseline / UNIT, "", "", operators
            )

    def words(self, text: str) -> OverlayLine:
        """Return a line that was prepared, or is ASCII. Raises UnpreparedText."""
        if code := self._plain(text):
            width = sum(map(self.widths.__getitem__, text))
            return OverlayLine(width, self.leading, self.baseline, self.font, code)
        clean = _clean_line(text)
        if clean in self.shaped:
            return self.shaped[clean]
        if clean and clean == text:
            raise UnpreparedText(text)
        return self.words(clean) if clean else OverlayLine(0.0, self.leading, self.baseline)

    def _plain(self, text: str) -> str:
        """Return the glyphs of a line that has only plain letters, "" for any other."""
        code = text.translate(self.codes)
        return code if len(code) == 4 * len(text) else ""

    def _learn(self, letter: str) -> None:
        if letter in self.widths or not _is_plain(letter) or not self.face.covers(letter):
            return
        glyph, _ = _nominal_glyph(self.face, letter)
        font, code = embed_face(self.canvas, self.face).code(glyph, letter)
        if font == self.font:
            self.codes[ord(letter)] = f"{code:04X}"
            self.widths[letter] = self.face.advance(glyph)

    def _laid(self, text: str) -> LaidParagraph:
        strong = (unicodedata.bidirectional(letter) for letter in text)
        first = next((kind for kind in strong if kind in ("L", "R", "AL")), "")
        direction = {"": self.language.direction, "L": "ltr"}.get(first, "rtl")
        style = ParagraphStyle(UNIT, self.faces, direction, self.language.tag, bold=self.bold, align="left")
        return lay_out_paragraph(text, ENDLESS, style)


def _clean_line(text: str) -> str:
    return normalize_text(text).replace("\n", " ")


def _nominal_glyph(face: Face, letter: str) -> tuple[int, str]:
    return int(face.font.get_nominal_glyph(ord(letter))), letter


@cache
def _is_plain(letter: str) -> bool:
    """Whether a letter has the same glyph in every context. Marks do not, nor do joining and right-to-left letters."""
    if letter == " ":
        return True
    leftwards = unicodedata.bidirectional(letter) in ("R", "AL", "AN")
    script = str(icu.Script.getScript(letter).getShortName())
    return script in PLAIN and unicodedata.category(letter)[0] in "LNPS" and not leftwards


@dataclass(frozen=True, slots=True)
class OverlayPlace:
    """A place on the paper, in points with y upward. `share` is the fraction (0 to 1) of free space that is left of the
    text."""

    place: Place
    x: float
    top: float
    width: float
    share: float

    @classmethod
    def of(cls, place: Place, height: float) -> "OverlayPlace":
        """Convert a place. `height` is the page's, in mm."""
        share = {"left": 0.0, "center": 0.5, "right": 1.0}[place.align]
        return cls(place, place.x / POINT, (height - place.y) / POINT, place.width / POINT, share)

    def draw(self, lines: Sequence[OverlayLine]) -> Iterable[str]:
        """Yield operators for lines from the top down. A line wider than the place is set smaller, never cut."""
        y = self.top
        for line in lines:
            size = min(self.place.size, self.width / line.width) if line.width else self.place.size
            x = self.x + (self.width - line.width * size) * self.share
            base = y - line.baseline * size
            y -= line.leading * size
            if line.code:
                yield f"BT/{line.font} {size:.4g} Tf 1 0 0 1 {x:.2f} {base:.2f} Tm<{line.code}>Tj ET"
            elif line.operators:
                yield f"q {size / UNIT:.5f} 0 0 {size / UNIT:.5f} {x:.2f} {base:.2f} cm {line.operators} Q"


def code_matrix(item: Item, height: float) -> str:
    """Return the matrix of a code's image on a page `height` mm high."""
    side, x, bottom = item.width / POINT, item.x / POINT, (height - item.y - item.height) / POINT
    return f"q {side:.2f} 0 0 {side:.2f} {x:.2f} {bottom:.2f} cm"


def modules_to_pdf(modules: Modules) -> str:
    """Return black modules on the unit square as an inline image. Hexadecimal: raw bytes could contain "EI", which ends
    an image."""
    size = modules.size
    return f"BI/W {size}/H {size}/IM true/BPC 1/D[1 0]/F/AHx ID {modules.rows.hex()}>\nEI"
