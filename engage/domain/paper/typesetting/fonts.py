"""The system's Noto fonts, located once. A language without a font raises an error that names it; no fonts are
bundled."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import uharfbuzz as hb

FALLBACK = "Noto Sans"  # Latin, Greek, Cyrillic, digits, and the punctuation that many script fonts lack
REGULAR, BOLD = "Regular", "Bold"
SUFFIXES = (".ttf", ".otf", ".ttc")
ROOTS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path.home() / ".fonts",
    Path("/Library/Fonts"),
    Path.home() / "Library/Fonts",
)


class MissingFont(Exception):
    """A language whose font is not installed. The message names the language, the font, and what to install."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a font file; instantiated once, so that identity is equality."""

    family: str
    weight: str
    path: Path
    index: int = 0  # index in a .ttc collection

    @cached_property
    def face(self) -> hb.Face:
        return hb.Face(hb.Blob.from_file_path(str(self.path)), self.index)

    @cached_property
    def font(self) -> hb.Font:
        return hb.Font(self.face)

    @cached_property
    def upem(self) -> int:
        return int(self.face.upem)

    @cached_property
    def postscript(self) -> str:
        """The face's name inside a PDF."""
        name = self.face.get_name(hb.OTNameIdPredefined.POSTSCRIPT_NAME) or self.path.stem
        return "".join(c for c in name if c.isalnum() or c == "-")

    def advance(self, glyph: int) -> float:
        """Return a glyph's own width, relative to the type size."""
        return float(self.font.get_glyph_h_advance(glyph)) / self.upem

    @cached_property
    def ascent(self) -> float:
        """Height above the baseline, relative to the type size."""
        return float(self.font.get_font_extents("ltr").ascender) / self.upem

    @cached_property
    def descent(self) -> float:
        """Depth below the baseline, positive and relative to the type size."""
        return -float(self.font.get_font_extents("ltr").descender) / self.upem

    @cached_property
    def _ink(self) -> dict[int, tuple[float, float]]:
        return {}

    def ink(self, glyph: int) -> tuple[float, float]:
        """Return how far a glyph's outline extends above and below the baseline, relative to the type size."""
        if glyph not in self._ink:
            box = self.font.get_glyph_extents(glyph)
            top, bottom = (box.y_bearing, -(box.y_bearing + box.height)) if box else (0, 0)
            self._ink[glyph] = (top / self.upem, bottom / self.upem)
        return self._ink[glyph]

    @cached_property
    def unicodes(self) -> hb.Set:
        return self.face.unicodes

    @cached_property
    def tables(self) -> frozenset[str]:
        return frozenset(str(tag).strip() for tag in self.face.table_tags)

    def covers(self, text: str) -> bool:
        """Whether every character of the text has a glyph."""
        return all(ord(character) in self.unicodes for character in text)


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces for one language: its own first, then Noto Sans, then any other installed Noto face."""

    language: str
    regular: tuple[Face, ...]
    bold: tuple[Face, ...]
    folder: Path | None = None

    def chain(self, bold: bool = False) -> Iterator[Face]:
        """Yield faces in order of preference. Later ones are opened only when reached."""
        weight, faces = (BOLD, self.bold) if bold else (REGULAR, self.regular)
        yield from faces
        used = {face.path for face in faces}
        yield from (face for face in _fallback_faces(weight, self.folder) if face.path not in used)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the language's own font files."""
        whole = hashlib.sha256()
        for face in (*self.regular, *self.bold):
            whole.update(f"{face.index}:{_file_digest(face.path)}\n".encode())
        return whole.hexdigest()


def load_faces(language: str, families: Sequence[str], folder: Path | None = None) -> Faces:
    """Return the faces for a language with these font families ("Noto Sans Arabic"). Raises MissingFont.

    `folder` replaces the system's font folders (the setting ENGAGE_FONT_DIR).
    """
    return _load_faces(language, tuple(families), folder)


@cache
def _load_faces(language: str, families: tuple[str, ...], folder: Path | None) -> Faces:
    regular, bold = (_language_faces(language, families, weight, folder) for weight in (REGULAR, BOLD))
    return Faces(language, regular, bold, folder)


def _language_faces(language: str, families: tuple[str, ...], weight: str, folder: Path | None) -> tuple[Face, ...]:
    """Return the installed faces of a language's families, at least one, and the fallback."""
    faces = [face for face in (_find_face(family, weight, folder) for family in families) if face]
    if families and not faces:
        raise _missing_font(language, families[0], weight, folder)
    fallback = _find_face(FALLBACK, weight, folder)
    if fallback is None:
        raise _missing_font(language, FALLBACK, weight, folder)
    return (*faces, fallback) if fallback not in faces else tuple(faces)


def _missing_font(language: str, family: str, weight: str, folder: Path | None) -> MissingFont:
    package = "fonts-noto-cjk" if " CJK " in family else "fonts-noto-core"
    where = str(folder) if folder else "the system's font folders"
    return MissingFont(
        f"{language}: the font {family} {weight} is not in {where}; install Debian's {package} "
        f"(apt-get install {package}), or set ENGAGE_FONT_DIR to a folder that has it"
    )


@cache
def _find_face(family: str, weight: str, folder: Path | None) -> Face | None:
    files = _font_files(folder)
    path = files.get(f"{family.replace(' ', '')}-{weight}")
    if path is not None:
        return Face(family, weight, path)
    collection = files.get(f"{family.rpartition(' ')[0].replace(' ', '')}-{weight}")
    if collection is None or collection.suffix != ".ttc":
        return None
    return _find_in_collection(collection, family, weight)


def _find_in_collection(collection: Path, family: str, weight: str) -> Face | None:
    blob = hb.Blob.from_file_path(str(collection))
    for index in range(hb.Face(blob).count):
        if hb.Face(blob, index).get_name(hb.OTNameIdPredefined.FONT_FAMILY) == family:
            return Face(family, weight, collection, index)
    return None


@cache
def _font_files(folder: Path | None) -> dict[str, Path]:
    """Return the Noto font files by name without suffix, in a fixed order on every file system."""
    files: dict[str, Path] = {}
    for root in (folder,) if folder else ROOTS:
        # os.path.isdir: Path.is_dir raises PermissionError in a folder that this account cannot enter
        for path in sorted(root.rglob("Noto*")) if os.path.isdir(root) else ():
            if path.suffix.lower() in SUFFIXES:
                files.setdefault(path.stem, path)
    return files


@cache
def _fallback_faces(weight: str, folder: Path | None) -> tuple[Face, ...]:
    """Return every other installed Noto face (regular if a family has no bold), for words in other scripts.

    Noto Sans families come first. Some scripts (Tibetan) have only a Noto Serif, and monochrome emoji are in Noto
    Emoji.
    """
    files = _font_files(folder)
    stems = [stem.removesuffix(f"-{REGULAR}") for stem in files if stem.endswith(f"-{REGULAR}")]
    plain = [_open_face(files, stem, weight) for stem in sorted(stems, key=lambda stem: (not _is_sans(stem), stem))]
    return tuple(face for face in plain if face is not None)


def _is_sans(stem: str) -> bool:
    return stem.startswith("NotoSans")


def _open_face(files: dict[str, Path], stem: str, weight: str) -> Face | None:
    path = files.get(f"{stem}-{weight}") or files[f"{stem}-{REGULAR}"]
    if path.suffix.lower() == ".ttc":  # the collection's faces share their glyphs, so one is enough
        return _find_in_collection(path, "Noto Sans CJK SC", weight)
    return Face(stem, weight, path)


@cache
def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
