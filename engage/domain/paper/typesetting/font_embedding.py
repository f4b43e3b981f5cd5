"""Embedding of fonts in a ReportLab document: Type0 fonts, subset by HarfBuzz to the glyphs used, with an exact
ToUnicode.

One glyph may represent several texts (a dotless base is part of ب, ت, and ن). In TrueType, each (glyph, text) has its
own CID, and clusters of several glyphs become compound glyphs (`compound_glyphs.py`). In CFF, a CID *is* the glyph's
number, so a second text needs another font that differs in ToUnicode only.
"""

import hashlib
from typing import Any

import uharfbuzz as hb
from reportlab.pdfbase import pdfdoc
from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFStream, PDFZCompress
from reportlab.pdfgen.canvas import Canvas

from engage.domain.paper.typesetting.compound_glyphs import CompoundGlyph, append_compounds
from engage.domain.paper.typesetting.fonts import Face

KEPT = {"glyf", "loca", "head", "hhea", "hmtx", "maxp", "CFF"}  # tables that PDF readers need; hinting is dropped
FLAGS = hb.SubsetFlags.NO_LAYOUT_CLOSURE | hb.SubsetFlags.NOTDEF_OUTLINE | hb.SubsetFlags.NO_HINTING
WHOLE_EM = 1000  # PDF expresses glyph widths in thousandths of the type size
CMAP = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def
/CMapName /Adobe-Identity-UCS def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
{rows}
endcmap CMapName currentdict /CMap defineresource pop end end"""


class TrueType:
    """One face with outlines in `glyf`, in one document."""

    kind = "CIDFontType2"

    def __init__(self, face: Face, name: str) -> None:
        self.face, self.name = face, name
        self.cids: dict[tuple[int | CompoundGlyph, str], int] = {(0, ""): 0}

    def code(self, glyph: int | CompoundGlyph, text: str) -> tuple[str, int]:
        """Return the name of the PDF font and the CID for this glyph and this text."""
        return self.name, self.cids.setdefault((glyph, text), len(self.cids))

    def glyphs(self) -> dict[int, int | CompoundGlyph]:
        """Return the glyphs by CID."""
        return {cid: glyph for (glyph, _), cid in self.cids.items()}

    def texts(self) -> dict[str, dict[int, str]]:
        """Return, for every PDF font, the texts by CID."""
        return {self.name: {cid: text for (_, text), cid in self.cids.items()}}

    def program(self) -> tuple[str, PDFStream, dict[str, PDFStream]]:
        """Return the key of the font file in the descriptor, the file, and additional entries of the CIDFont."""
        drawn = [glyph for _, glyph in sorted(self.glyphs().items())]
        compounds = list(dict.fromkeys(glyph for glyph in drawn if isinstance(glyph, CompoundGlyph)))
        parts = {glyph for each in compounds for glyph, _, _ in each.parts}
        plan, data = subset_face(self.face, parts | {glyph for glyph in drawn if isinstance(glyph, int)})
        places: dict[int | CompoundGlyph, int] = dict(plan.old_to_new_glyph_mapping)
        if compounds:
            first = max(places.values()) + 1
            data = append_compounds(data, compounds, dict(plan.old_to_new_glyph_mapping))
            places |= {each: number for number, each in enumerate(compounds, first)}
        table = b"".join(places[glyph].to_bytes(2, "big") for glyph in drawn)
        return "FontFile2", pdf_stream(data, Length1=len(data)), {"CIDToGIDMap": pdf_stream(table)}

    def advances(self) -> dict[int, float]:
        """Return the widths by CID."""
        return {cid: self.advance(glyph) for cid, glyph in self.glyphs().items()}

    def advance(self, glyph: int | CompoundGlyph) -> float:
        """Return a glyph's width, relative to the type size."""
        return glyph.advance / self.face.upem if isinstance(glyph, CompoundGlyph) else self.face.advance(glyph)


class CompactFont:
    """One face with outlines in `CFF `, in one document."""

    kind = "CIDFontType0"

    def __init__(self, face: Face, name: str) -> None:
        self.face, self.name = face, name
        self.twins: list[dict[int, str]] = [{}]

    def code(self, glyph: int, text: str) -> tuple[str, int]:
        for number, twin in enumerate(self.twins):
            if twin.setdefault(glyph, text) == text:
                return f"{self.name}.{number}", glyph
        self.twins.append({glyph: text})
        return f"{self.name}.{len(self.twins) - 1}", glyph

    def advances(self) -> dict[int, float]:
        return {glyph: self.face.advance(glyph) for glyph in self.glyphs()}

    def glyphs(self) -> dict[int, int]:
        return {glyph: glyph for twin in self.twins for glyph in twin}

    def texts(self) -> dict[str, dict[int, str]]:
        return {f"{self.name}.{number}": twin for number, twin in enumerate(self.twins)}

    def program(self) -> tuple[str, PDFStream, dict[str, PDFStream]]:
        # In Noto CJK a CID is the glyph's number, and HarfBuzz preserves it. Any other CFF font preserves its numbers
        # only if gaps stay, which costs about 100 kB.
        same = self.face.postscript.startswith(("NotoSansCJK", "NotoSerifCJK"))
        extra = 0 if same else hb.SubsetFlags.RETAIN_GIDS | hb.SubsetFlags.CFF_IDENTITY_CHARSET
        _, data = subset_face(self.face, set(self.glyphs()), extra)
        cff = bytes(hb.Face(hb.Blob(data)).reference_table("CFF ").data)
        return "FontFile3", pdf_stream(cff, Subtype=PDFName("CIDFontType0C")), {}


Embedded = TrueType | CompactFont


def internals(canvas: Canvas) -> Any:
    """Return a canvas typed as Any, for access to ReportLab's private members `_doc`, `_code`, `_preamble`."""
    return canvas


def embed_face(canvas: Canvas, face: Face) -> Embedded:
    """Return the embedded font of a face in this canvas's document."""
    embedded: dict[Face, Embedded] = internals(canvas)._doc.__dict__.setdefault("engage_faces", {})
    if face not in embedded:
        embedded[face] = (CompactFont if "CFF" in face.tables else TrueType)(face, f"N{len(embedded)}")
    return embedded[face]


def finish_fonts(canvas: Canvas) -> None:
    """Add the fonts to the document. Call once, after the last text and before `canvas.save()`."""
    embedded: dict[Face, Embedded] = internals(canvas)._doc.__dict__.get("engage_faces", {})
    for each in embedded.values():
        _write_font(internals(canvas)._doc, each)


def subset_face(face: Face, glyphs: set[int], extra: int = 0) -> tuple[hb.SubsetPlan, bytes]:
    """Return HarfBuzz's plan and the subset font, which has only outlines and widths."""
    subset_input = hb.SubsetInput()
    subset_input.glyph_set.update(glyphs | {0})
    subset_input.flags = FLAGS | extra
    dropped = (tag for tag in face.tables if tag not in KEPT)
    subset_input.drop_table_tag_set.update(int.from_bytes(tag.encode().ljust(4), "big") for tag in dropped)
    plan = hb.SubsetPlan(face.face, subset_input)
    return plan, bytes(plan.execute().blob.data)


def pdf_stream(content: bytes, **entries: Any) -> PDFStream:
    return PDFStream(PDFDictionary(entries), content, filters=[PDFZCompress])


def _write_font(document: Any, font: Embedded) -> None:
    key, program, entries = font.program()
    name = _subset_name(font)
    descriptor = _descriptor(font.face, name) | {key: document.Reference(program, f"{font.name}:file")}
    parts = {entry: document.Reference(value, f"{font.name}:{entry}") for entry, value in entries.items()}
    system = {"Registry": pdfdoc.PDFString("Adobe"), "Ordering": pdfdoc.PDFString("Identity"), "Supplement": 0}
    cidfont = {
        "Type": PDFName("Font"),
        "Subtype": PDFName(font.kind),
        "BaseFont": PDFName(name),
        "CIDSystemInfo": PDFDictionary(system),
        "FontDescriptor": document.Reference(PDFDictionary(descriptor), f"{font.name}:descriptor"),
        "DW": 0,
        "W": _widths(font),
        **parts,
    }
    shared = document.Reference(PDFDictionary(cidfont), f"{font.name}:cidfont")
    for twin, texts in font.texts().items():
        font_dictionary = {
            "Type": PDFName("Font"),
            "Subtype": PDFName("Type0"),
            "BaseFont": PDFName(name),
            "Encoding": PDFName("Identity-H"),
            "DescendantFonts": PDFArray([shared]),
            "ToUnicode": document.Reference(pdf_stream(_to_unicode(texts)), f"{twin}:unicode"),
        }
        reference = document.Reference(PDFDictionary(font_dictionary), f"{twin}:font")
        document.idToObject["BasicFonts"].dict[twin] = reference


def _descriptor(face: Face, name: str) -> dict[str, object]:
    top, bottom = round(face.ascent * WHOLE_EM), round(-face.descent * WHOLE_EM)
    return {
        "Type": PDFName("FontDescriptor"),
        "FontName": PDFName(name),
        "Flags": 4,  # symbolic: not only Latin 1 characters
        "FontBBox": PDFArray([-WHOLE_EM, bottom, 3 * WHOLE_EM, top]),
        "ItalicAngle": 0,
        "Ascent": top,
        "Descent": bottom,
        "CapHeight": 714,  # that of Noto Sans; readers use it only to choose a substitute
        "StemV": 80,
    }


def _subset_name(font: Embedded) -> str:
    """Return ABCDEF+Name, as required for a subset font. The letters depend on the glyphs only, so that equal documents
    are equal."""
    glyphs = sorted(map(_glyph_key, font.glyphs().values()))
    whole = hashlib.sha256(repr((font.face.postscript, glyphs)).encode()).digest()
    return "".join(chr(65 + byte % 26) for byte in whole[:6]) + "+" + font.face.postscript


def _glyph_key(glyph: int | CompoundGlyph) -> str:
    """Return the key from which a font's name is derived, independent of the name of the class."""
    if isinstance(glyph, int):
        return repr(glyph)
    return f"Compound(parts={glyph.parts!r}, advance={glyph.advance!r})"


def _widths(font: Embedded) -> PDFArray:
    rows: list[Any] = []
    for cid, advance in sorted(font.advances().items()):
        rows += [cid, PDFArray([round(advance * WHOLE_EM, 2)])]
    return PDFArray(rows)


def _to_unicode(texts: dict[int, str]) -> bytes:
    entries = [f"<{cid:04X}> <{text.encode('utf-16-be').hex().upper()}>" for cid, text in sorted(texts.items()) if text]
    blocks = [entries[at : at + 100] for at in range(0, len(entries), 100)]  # the standard allows at most 100 rows
    rows = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return CMAP.format(rows=rows).encode("ascii")
