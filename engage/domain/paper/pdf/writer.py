"""Sequential writer of a PDF file, object by object. Only offsets are kept in memory.

The cross-reference is a classic table (20 bytes per object), which every printer's software can read.
"""

import hashlib
import zlib
from array import array
from typing import Any, BinaryIO

import pikepdf

HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
HELD = 1 << 18  # bytes buffered before writing
ROWS = 4096  # rows of the cross-reference written at once


class PdfFile:
    """Writes numbered objects to `out`, which need not be seekable. Its errors (such as a full disk) are not caught."""

    def __init__(self, out: BinaryIO) -> None:
        self.out, self.held, self.position = out, bytearray(), 0
        self.places = array("Q", [0])  # by object number; 0: reserved, not written
        self.whole = hashlib.blake2b(digest_size=16)
        self.write(HEAD)

    def number(self) -> int:
        """Reserve a number for an object to be written later."""
        self.places.append(0)
        return len(self.places) - 1

    def put(self, number: int, body: bytes) -> int:
        self.places[number] = self.position
        self.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        return number

    def stream(self, number: int, content: bytes, entries: bytes = b"") -> int:
        """Write a stream. `entries` are added to its dictionary beside the length."""
        return self.put(number, b"<<%b/Length %d>>stream\n%b\nendstream" % (entries, len(content), content))

    def write(self, content: bytes) -> None:
        self.held += content
        self.position += len(content)
        if len(self.held) >= HELD:
            self.flush()

    def flush(self) -> None:
        self.whole.update(self.held)
        left = memoryview(bytes(self.held))
        self.held.clear()
        while left:  # an unbuffered file may write only a part
            left = left[self.out.write(left) or 0 :]

    def finish(self, catalogue: int, about: int) -> None:
        """Write the cross-reference and the trailer. The file's ID is a digest of the preceding content."""
        self.flush()
        same, start, count = self.whole.hexdigest().encode(), self.position, len(self.places)
        self.write(b"xref\n0 %d\n0000000000 65535 f \n" % count)
        for first in range(1, count, ROWS):
            self.write(b"".join(b"%010d 00000 n \n" % place for place in self.places[first : first + ROWS]))
        entries = b"/Size %d/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]" % (count, catalogue, about, same, same)
        self.write(b"trailer\n<<%b>>\nstartxref\n%d\n%%%%EOF\n" % (entries, start))
        self.flush()


class PdfObjectCopier:
    """Copies objects of other PDFs into a file. Equal objects (such as a font of several separators) are written
    once."""

    def __init__(self, file: PdfFile) -> None:
        self.file = file
        self.known: dict[bytes, int] = {}

    def value(self, value: Any, done: dict[tuple[int, int], int]) -> bytes:
        """Return a value as written, after copying the objects it refers to. `done` has the numbers of one source so
        far.

        Only for objects without cycles: fonts, images, contents; never a page.
        """
        if isinstance(value, pikepdf.Object) and value.is_indirect:
            if value.objgen not in done:
                done[value.objgen] = self.object_number(self._body(value, done))
            return b"%d 0 R" % done[value.objgen]
        return self._body(value, done)

    def _body(self, value: Any, done: dict[tuple[int, int], int]) -> bytes:
        if isinstance(value, pikepdf.Stream):
            content = value.read_raw_bytes()
            entries = self._entries(value.stream_dict, done, without="/Length")
            return b"<<%b/Length %d>>stream\n%b\nendstream" % (entries, len(content), content)
        if isinstance(value, pikepdf.Dictionary):
            return b"<<%b>>" % self._entries(value, done)
        if isinstance(value, pikepdf.Array):
            return b"[%b]" % b" ".join(self.value(each, done) for each in value)
        if isinstance(value, pikepdf.Object):
            return value.unparse()
        return b"null" if value is None else str(value).lower().encode("ascii")  # bool, int, or Decimal

    def _entries(self, entries: Any, done: dict[tuple[int, int], int], without: str = "") -> bytes:
        return b"".join(
            b"%b %b" % (pikepdf.Name(key).unparse(), self.value(value, done))
            for key, value in entries.items()
            if key != without
        )

    def form(self, page: pikepdf.Page, language: str, entries: bytes) -> int:
        """Write a page's contents as a Form XObject, marked with `language`, and return its number."""
        drawn = page.Contents.read_bytes()
        content = zlib.compress(b"/Span <</Lang%b>> BDC\n%b\nEMC" % (pdf_text(language), drawn), 9)
        entries = b"/Type/XObject/Subtype/Form/Filter/FlateDecode%b/Length %d" % (entries, len(content))
        return self.object_number(b"<<%b>>stream\n%b\nendstream" % (entries, content))

    def object_number(self, body: bytes) -> int:
        """Return the number of an object with this body, which is written once."""
        digest = hashlib.blake2b(body, digest_size=16).digest()
        if digest not in self.known:
            self.known[digest] = self.file.put(self.file.number(), body)
        return self.known[digest]


def pdf_text(text: str) -> bytes:
    """Return a text in PDF's encoding for titles and bookmarks."""
    if text.isascii() and text.isprintable():
        return b"(%b)" % text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("ascii")
    return b"<FEFF%b>" % text.encode("utf-16-be").hex().upper().encode("ascii")
