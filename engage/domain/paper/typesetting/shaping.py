"""Shaping of text: bidi levels and scripts by ICU, a face for every grapheme, glyphs by HarfBuzz. Pure functions.

All offsets are in code points; ICU's UTF-16 offsets are converted where ICU is called.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, pairwise

import icu
import uharfbuzz as hb

from engage.domain.paper.typesetting.fonts import Face, Faces

_OPENING, _CLOSING, _DOTS, _BETWEEN = "「『（［｛〈《【〔〖〘〚", "」』）］｝〉》】〕〗〙〛", "、。，．", "・　"
_JOINERS = "\u200c\u200d"
_NEUTRAL = {"Zyyy", "Zinh"}  # ISO 15924: common (digits, punctuation) and inherited (combining marks)


class MissingGlyph(Exception):
    """A character that no installed face has. The message names the character and the text."""

    def __init__(self, character: str, text: str, faces: Faces) -> None:
        name = unicodedata.name(character, "without a name")
        excerpt = text if len(text) <= 80 else f"{text[:80]}…"
        super().__init__(
            f'{faces.language}: no installed font has U+{ord(character):04X} {name}, in "{excerpt}"; '
            "install the Noto font of its script, or leave the character out"
        )
        self.character = character


@dataclass(frozen=True, slots=True)
class Glyph:
    """One glyph; lengths are relative to the type size. `text` is the text it represents, once per cluster."""

    id: int
    text: str
    advance: float
    natural: float  # the font's own advance of this glyph
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """The smallest unit that can be moved: characters [start, end) and their glyphs, left to right."""

    start: int
    end: int
    advance: float
    glyphs: tuple[Glyph, ...]
    text: str = ""  # text when copied from a page


@dataclass(frozen=True, slots=True)
class Run:
    """Adjacent characters of one level and one face; clusters are in reading order."""

    face: Face
    level: int
    clusters: tuple[Cluster, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part that HarfBuzz shapes in one call."""

    start: int
    end: int
    level: int
    script: str
    face: Face


def normalize_text(text: str) -> str:
    """Return text for typesetting: NFC, "\\n" line ends, without tabs, other control characters, lone surrogates, and
    soft hyphens."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\t", " ")
    text = "".join("\n" if c in "\r\u2028\u2029\x0b\x0c\x85" else c for c in text)
    return "".join(c for c in text if c == "\n" or (unicodedata.category(c) not in ("Cc", "Cs") and c != "\u00ad"))


def spell_out_missing(text: str, faces: Faces, bold: bool = False) -> str:
    """Replace characters that no face has by their names in brackets: "[party popper]".

    For what people wrote (emoji in a comment), never for our own texts.
    """
    pieces = []
    for character in normalize_text(text):
        notation = (
            character in "\n" or _is_invisible(character) or any(face.covers(character) for face in faces.chain(bold))
        )
        pieces.append(character if notation else f"[{unicodedata.name(character, f'U+{ord(character):04X}').lower()}]")
    return "".join(pieces)


@lru_cache(maxsize=1024)  # a choice is measured at several widths; thousands of names would take 30 MB
def shape_text(text: str, faces: Faces, bold: bool, direction: str, language: str) -> tuple[Run, ...]:
    """Return the runs of one paragraph (without "\\n"), in reading order. Raises MissingGlyph."""
    if not text:
        return ()  # ICU refuses an empty paragraph
    return tuple(
        Run(piece.face, piece.level, _shape_clusters(text, piece, language))
        for piece in _split_pieces(text, faces, bold, direction)
    )


def boundaries(text: str, language: str, graphemes: bool = False) -> list[int]:
    """Return where a line may end (with ICU's dictionaries), or where graphemes end, as offsets in code points."""
    make = icu.BreakIterator.createCharacterInstance if graphemes else icu.BreakIterator.createLineInstance
    iterator = make(icu.Locale.forLanguageTag(language))
    iterator.setText(icu.UnicodeString(text))
    points = _code_point_offsets(text)
    return [points[each] for each in iterator]


def _code_point_offsets(text: str) -> dict[int, int]:
    """Return code point offsets by UTF-16 offset."""
    units = accumulate((2 if ord(c) > 0xFFFF else 1 for c in text), initial=0)
    return {unit: point for point, unit in enumerate(units)}


def _bidi_levels(text: str, direction: str) -> list[int]:
    bidi = icu.Bidi()
    whole = icu.UnicodeString(text)  # Bidi keeps a pointer: the string must outlive it
    bidi.setPara(whole, 1 if direction == "rtl" else 0)
    levels = bidi.getLevels()
    return [levels[unit] for unit in list(_code_point_offsets(text))[:-1]]


@cache
def _script_name(character: str) -> str:
    return str(icu.Script.getScript(character).getShortName())


def _scripts(text: str) -> list[str]:
    """Return each character's script. Neutral ones take the script before them, or at the start the first that
    follows."""
    by_character = [_script_name(character) for character in text]
    current = next((script for script in by_character if script not in _NEUTRAL), "Latn")
    scripts = []
    for script in by_character:
        current = current if script in _NEUTRAL else script
        scripts.append(current)
    return scripts


@cache
def _is_invisible(character: str) -> bool:
    """Whether a character affects shaping but needs no glyph: joiners, direction marks, variation selectors."""
    return bool(icu.Char.hasBinaryProperty(character, icu.UProperty.DEFAULT_IGNORABLE_CODE_POINT))


def _assign_faces(text: str, faces: Faces, bold: bool, language: str) -> Iterator[tuple[int, int, Face]]:
    """Yield a face for every grapheme. Neutral characters take the face of the last letter before them, if it has
    them."""
    before: Face | None = None
    for start, end in pairwise([0, *boundaries(text, language, graphemes=True)]):
        grapheme = text[start:end]
        neutral = grapheme != " " and all(_script_name(c) in _NEUTRAL for c in grapheme)
        if before and neutral and before.covers(_visible_characters(grapheme)):
            yield start, end, before
        elif face := _find_covering_face(grapheme, faces, bold):
            yield start, end, face
            before = before if neutral else face  # a hyphen from another face must not affect the digits after it
        else:  # no face has both the letter and its mark
            for at in range(start, end):
                yield at, at + 1, _require_face(text, at, faces, bold)


def _visible_characters(text: str) -> str:
    return "".join(c for c in text if not _is_invisible(c))


def _find_covering_face(grapheme: str, faces: Faces, bold: bool) -> Face | None:
    visible = _visible_characters(grapheme)
    return next((face for face in faces.chain(bold) if face.covers(visible)), None)


def _require_face(text: str, at: int, faces: Faces, bold: bool) -> Face:
    face = _find_covering_face(text[at], faces, bold)
    if face is None:
        raise MissingGlyph(text[at], text, faces)
    return face


def _split_pieces(text: str, faces: Faces, bold: bool, direction: str) -> Iterator[Piece]:
    levels, scripts = _bidi_levels(text, direction), _scripts(text)
    piece: Piece | None = None
    for start, end, face in _assign_faces(text, faces, bold, faces.language):
        level, script = levels[start], scripts[start]
        if piece and (piece.level, piece.script, piece.face) == (level, script, face):
            piece = Piece(piece.start, end, level, script, face)
            continue
        if piece:
            yield piece
        piece = Piece(start, end, level, script, face)
    if piece:
        yield piece


def _shape_clusters(text: str, piece: Piece, language: str) -> tuple[Cluster, ...]:
    buffer = hb.Buffer()
    buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_GRAPHEMES
    buffer.add_str(text, piece.start, piece.end - piece.start)
    buffer.direction = "rtl" if piece.level % 2 else "ltr"
    buffer.script, buffer.language = piece.script, language
    squeezed = list(_find_squeezed(text, piece, language))
    hb.shape(piece.face.font, buffer, {"halt": squeezed} if squeezed else {})
    clusters: dict[int, list[tuple[int, hb.GlyphPosition]]] = {}
    for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        clusters.setdefault(info.cluster, []).append((info.codepoint, place))
    # A joiner that shapes a letter stays with it: it is copied with the letter and never begins a line.
    starts = [start for start in sorted(clusters) if start == piece.start or not _is_invisible(text[start])]
    ends = [*starts[1:], piece.end]
    return tuple(_build_cluster(text, piece.face, a, b, clusters[a]) for a, b in zip(starts, ends, strict=True))


def _find_squeezed(text: str, piece: Piece, language: str) -> Iterator[tuple[int, int, bool]]:
    """Yield wide punctuation that loses its empty half beside other wide punctuation (CSS Text 4,
    text-spacing-trim)."""
    central = language in ("zh-Hant", "zh-HK", "zh-TW")  # where dots are in the middle of their square
    ending = _CLOSING if central else _CLOSING + _DOTS
    for at in range(piece.start, piece.end):
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        opens = text[at] in _OPENING and before and before in _OPENING + _CLOSING + _DOTS + _BETWEEN
        closes = text[at] in ending and after and after in _CLOSING + _DOTS + _BETWEEN
        if opens or closes:
            yield at, at + 1, True


def _build_cluster(
    text: str, face: Face, start: int, end: int, cluster_glyphs: list[tuple[int, hb.GlyphPosition]]
) -> Cluster:
    text_part = "".join(c for c in text[start:end] if c in _JOINERS or not _is_invisible(c))
    if not text_part.strip(_JOINERS):
        return Cluster(start, end, 0.0, ())
    # The widest glyph carries the text: a mark has no width, and PDF readers sort text by position.
    widest = max(range(len(cluster_glyphs)), key=lambda index: cluster_glyphs[index][1].x_advance)
    scale = 1 / face.upem
    glyphs: list[Glyph] = []
    for index, (glyph, place) in enumerate(cluster_glyphs):
        advance, x, y = (length * scale for length in (place.x_advance, place.x_offset, place.y_offset))
        glyphs.append(Glyph(glyph, text_part if index == widest else "", advance, face.advance(glyph), x, y))
    return Cluster(start, end, sum(glyph.advance for glyph in glyphs), tuple(glyphs), text_part)
