"""Compound glyphs: letters and marks combined into one TrueType glyph, so that PDF readers find them in one place.

PDF readers sort text by position. A mark drawn above its letter, or a rising Nastaliq word, would be split into
separate lines; as one glyph on the baseline it keeps its place in the word. Fonts make é in the same way.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import uharfbuzz as hb

WORDS, XY, MORE, UNSCALED = 0x0001, 0x0002, 0x0020, 0x1000  # flags of a component: OpenType, table glyf
MAGIC = 0xB1B0AFBA  # OpenType, table head: constant from which the checksum of the file is subtracted


@dataclass(frozen=True, slots=True)
class CompoundGlyph:
    """Parts (glyph, right, up) and the advance of the whole, in font units. Without parts it is blank, like a space."""

    parts: tuple[tuple[int, int, int], ...]
    advance: int


def append_compounds(font: bytes, compounds: Sequence[CompoundGlyph], places: Mapping[int, int]) -> bytes:
    """Return a TrueType file with the compounds as its last glyphs. `places` maps the parts to its glyphs."""
    face = hb.Face(hb.Blob(font))
    outlines, tables = hb.Font(face), {tag.strip(): bytes(face.reference_table(tag).data) for tag in face.table_tags}
    count = struct.unpack_from(">H", tables["maxp"], 4)[0]
    placed_parts = [[(places[glyph], right, up) for glyph, right, up in each.parts] for each in compounds]
    boxes = [_bounding_box(outlines, parts) for parts in placed_parts]
    glyphs = [_compound_outline(parts, box) for parts, box in zip(placed_parts, boxes, strict=True)]
    ends = list(_glyph_offsets(tables, count))
    tables["glyf"] = tables["glyf"][: ends[-1]] + b"".join(glyphs)
    ends += [ends[-1] + end for end in accumulate(map(len, glyphs))]
    tables["loca"] = struct.pack(f">{len(ends)}I", *ends)
    metrics = [
        *_glyph_metrics(tables, count),
        *((each.advance, box[0]) for each, box in zip(compounds, boxes, strict=True)),
    ]
    tables["hmtx"] = b"".join(struct.pack(">Hh", *each) for each in metrics)
    tables["hhea"] = tables["hhea"][:34] + struct.pack(">H", len(metrics))
    tables["maxp"] = _update_maxp(tables["maxp"], len(metrics), max(map(len, placed_parts)))
    tables["head"] = tables["head"][:50] + struct.pack(">hh", 1, 0)  # loca uses the long format
    return _build_sfnt(tables)


def _bounding_box(font: hb.Font, parts: Sequence[tuple[int, int, int]]) -> tuple[int, int, int, int]:
    """Return minimum x and y, maximum x and y."""
    sides = []
    for glyph, right, up in parts:
        if each := font.get_glyph_extents(glyph):
            left, top = each.x_bearing + right, each.y_bearing + up
            sides.append((left, top + each.height, left + each.width, top))
    columns = list(zip(*sides, strict=True)) or [(0,)] * 4
    return min(columns[0]), min(columns[1]), max(columns[2]), max(columns[3])


def _compound_outline(parts: Sequence[tuple[int, int, int]], box: tuple[int, int, int, int]) -> bytes:
    if not parts:
        return b""
    components = [
        struct.pack(">HHhh", WORDS | XY | UNSCALED | (MORE if number < len(parts) else 0), glyph, right, up)
        for number, (glyph, right, up) in enumerate(parts, 1)
    ]
    return struct.pack(">hhhhh", -1, *box) + b"".join(components)


def _glyph_offsets(tables: Mapping[str, bytes], count: int) -> Iterator[int]:
    """Yield the offsets of glyphs in `glyf`, and last the end."""
    long = struct.unpack_from(">h", tables["head"], 50)[0]
    size, code = (4, "I") if long else (2, "H")
    for each in struct.unpack(f">{count + 1}{code}", tables["loca"][: size * (count + 1)]):
        yield each if long else each * 2


def _glyph_metrics(tables: Mapping[str, bytes], count: int) -> Iterator[tuple[int, int]]:
    """Yield advance and left side bearing of every glyph; the last ones share an advance."""
    long, advance = struct.unpack_from(">H", tables["hhea"], 34)[0], 0
    for glyph in range(count):
        if glyph < long:
            advance, left = struct.unpack_from(">Hh", tables["hmtx"], 4 * glyph)
        else:
            left = struct.unpack_from(">h", tables["hmtx"], 4 * long + 2 * (glyph - long))[0]
        yield advance, left


def _update_maxp(maxp: bytes, count: int, parts: int) -> bytes:
    """Return the table maxp, with the memory requirements for rasterizers."""
    values = list(struct.unpack(">IH13H", maxp[:32]))
    values[1] = count
    for simple, compound in ((2, 4), (3, 5)):  # points, contours
        values[compound] = min(0xFFFF, parts * max(values[simple], values[compound]))
    values[13], values[14] = max(values[13], parts), values[14] + 1  # component elements; component depth
    return struct.pack(">IH13H", *values)


def _build_sfnt(tables: Mapping[str, bytes]) -> bytes:
    """Return an sfnt file with these tables and their checksums."""
    tables = {**tables, "head": tables["head"][:8] + bytes(4) + tables["head"][12:]}
    power = len(tables).bit_length() - 1
    spread = 16 * 2**power
    head = struct.pack(">IHHHH", 0x00010000, len(tables), spread, power, 16 * len(tables) - spread)
    at, rows, bodies = 12 + 16 * len(tables), [], []
    for tag, body in sorted(tables.items()):
        padded = body + bytes(-len(body) % 4)
        rows.append(struct.pack(">4sIII", tag.encode().ljust(4), _checksum(padded), at, len(body)))
        bodies.append(padded)
        at += len(padded)
    whole = head + b"".join(rows) + b"".join(bodies)
    place = whole.index(bodies[sorted(tables).index("head")]) + 8
    return whole[:place] + struct.pack(">I", (MAGIC - _checksum(whole)) % 2**32) + whole[place + 4 :]


def _checksum(padded: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(padded) // 4}I", padded))
    return total % 2**32
