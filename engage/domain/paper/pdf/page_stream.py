"""Fast packets of forms: pages are drawn once and copied, each with its own codes and texts.

    writer = PacketWriter(out, "Home access", "Riverbend", "en", "letter")
    sheet = writer.template(layout, faces, texts=names)
    writer.bookmark("Room 12", 0)
    writer.add(sheet, FilledCopy("K7W-2MX", digest, {"serial": "K7W-2MX", "to": ["Family Haddad", "Room 12"]}))
    writer.close()

The part of a page that all copies share is a Form XObject. Shared content streams (`/Contents [shared own]`) give files
of the same size at the same speed, and poppler and pdfium draw them equally; but Ghostscript takes 30 to 50% longer
(600 dpi), and qpdf checks 15,000 pages in 14 s instead of 0.8 s, since the contents are parsed again for every page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO

import pikepdf

from engage.base.languages import LANGUAGES
from engage.domain.paper.form.barcodes import qr
from engage.domain.paper.form.elements import PAPERS, POINT, Code, Layout, Page, Place
from engage.domain.paper.pdf.canvas import draw_items, open_canvas, save_canvas
from engage.domain.paper.pdf.overlay import Letters, OverlayPlace, code_matrix, modules_to_pdf
from engage.domain.paper.pdf.page_tree import Outline, PageLabels, PageTree
from engage.domain.paper.pdf.writer import PdfFile, PdfObjectCopier, pdf_text
from engage.domain.paper.typesetting.fonts import Faces
from engage.questionnaire.numbering import encode_payload

CODES = {"serial", "reply", "code", "link"}  # places for plain ASCII; all others have texts in any script
VIEW = b"/ViewerPreferences<</DisplayDocTitle true/PrintScaling/None%b>>"  # scaled forms are harder to read
ONE_SIDED = b"/Duplex/Simplex"  # what a viewer's print dialog begins with


@dataclass(frozen=True, slots=True)
class FilledCopy:
    """The data of one copy: a serial like "K7W-2MX", its layout's digest, and texts (one or several lines) by the name
    of the place. `phone` is the URL in the cover's QR code, "" for none; `codes` has the texts of further QR codes by
    `Code.what`."""

    serial: str
    digest: str
    places: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    phone: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)

    def code_text(self, what: str, page: int) -> str:
        """Return the text of a QR code on a page, "" for none. Raises ValueError for a serial or digest that does not
        fit."""
        if what == "sheet":
            return encode_payload(self.serial, page, self.digest)
        return self.phone if what == "phone" else self.codes.get(what, "")


@dataclass(frozen=True, slots=True)
class TemplatePage:
    """One page of a template. `entries` are added to the page object of every copy."""

    number: int
    entries: bytes
    codes: tuple[tuple[str, str], ...]  # content, position
    spots: tuple[OverlayPlace, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A layout's pages as written to the file, and the letters for the texts of copies."""

    leaves: tuple[TemplatePage, ...]
    letters: Mapping[bool, Letters]

    def page_contents(self, leaf: TemplatePage, filled: FilledCopy) -> bytes:
        """Return the contents of one page of one copy. Raises UnpreparedText."""
        parts = ["/P Do"]
        for what, where in leaf.codes:
            if text := filled.code_text(what, leaf.number):
                parts += (where, modules_to_pdf(qr(text)), "Q")
        for spot in leaf.spots:
            texts = filled.places.get(spot.place.name, ())
            letters = self.letters[spot.place.bold]
            parts += spot.draw([letters.words(line) for line in ((texts,) if isinstance(texts, str) else texts)])
        return "\n".join(parts).encode("ascii")


class PacketWriter:
    """Writes a PDF sequentially; `out` need not be seekable. Keeps only offsets, bookmarks, and data of templates in
    memory.

    Equal calls give equal bytes. Errors of `out` are not caught.
    """

    def __init__(
        self, out: BinaryIO, title: str, author: str, language: str, paper: str, one_sided: bool = False
    ) -> None:
        """`paper` is "letter" or "a4"; `language` is the document's; pages of a template have their own; `one_sided`
        proposes to print on one side of the paper."""
        self.file = PdfFile(out)
        self.size = _media_box(*PAPERS[paper])
        self.tree = PageTree(self.file, self.size)
        self.labels, self.outline = PageLabels(self.file), Outline(self.file)
        self.borrower = PdfObjectCopier(self.file)
        self.title, self.author, self.language, self.one_sided = title, author, language, one_sided
        self.waiting: list[tuple[str, int]] = []  # bookmarks for the next page
        self.prefix: str | None = None

    def template(self, layout: Layout, faces: Faces, texts: Iterable[str] = ()) -> Template:
        """Draw a layout's pages once. `texts` has every line that will be filled in, except plain ASCII.

        Raises MissingGlyph.
        """
        out, language = BytesIO(), LANGUAGES[layout.language]
        canvas = open_canvas(out, (layout.width, layout.height), layout.language, "", "")
        places = [item for page in layout.pages for item in page.items if isinstance(item, Place)]
        letters = {bold: Letters(canvas, faces, language, bold) for bold in sorted({item.bold for item in places})}
        for page in layout.pages:
            draw_items(canvas, [item for item in page.items if not isinstance(item, Code | Place)], layout.height)
            canvas.showPage()
        names = sorted({item.bold for item in places if item.name not in CODES})
        for text in texts:
            for bold in names:
                letters[bold].prepare(text)
        save_canvas(canvas)
        with pikepdf.open(out) as drawn:
            done: dict[tuple[int, int], int] = {}
            pages = zip(layout.pages, drawn.pages, strict=True)
            return Template(tuple(self._leaf(layout, page, each, done) for page, each in pages), letters)

    def _leaf(self, layout: Layout, page: Page, drawn: pikepdf.Page, done: dict[tuple[int, int], int]) -> TemplatePage:
        size = _media_box(layout.width, layout.height)
        fonts = self.borrower.value(drawn.Resources.Font, done)
        shared = self.borrower.form(drawn, layout.language, b"/BBox%b/Resources<</Font %b>>" % (size[9:], fonts))
        resources = self.borrower.object_number(b"<</Font %b/XObject<</P %d 0 R>>>>" % (fonts, shared))
        codes = tuple((item.what, code_matrix(item, layout.height)) for item in page.items if isinstance(item, Code))
        spots = tuple(OverlayPlace.of(item, layout.height) for item in page.items if isinstance(item, Place))
        entries = b"/Resources %d 0 R" % resources + (b"" if size == self.size else size)
        return TemplatePage(page.number, entries, codes, spots)

    def add(self, template: Template, filled: FilledCopy, even: bool = False) -> int:
        """Add one copy and return its number of pages. With `even`, the next one begins on a new sheet of paper.

        Raises UnpreparedText, and ValueError for a serial or digest that does not fit in a code.
        """
        self._begin(f"{filled.serial} / " if filled.serial else "")
        for leaf in template.leaves:
            contents = self.file.stream(self.file.number(), template.page_contents(leaf, filled))
            self._page(b"%b/Contents %d 0 R" % (leaf.entries, contents))
        return len(template.leaves) + self._padded(even)

    def pages(self, pdf: bytes, even: bool = False) -> int:
        """Copy the pages of a small PDF, without links, and return their number."""
        return self.put(self.borrowed(pdf), even)

    def borrowed(self, pdf: bytes) -> list[bytes]:
        """Copy the pages of a small PDF for later use one by one, with shared fonts."""
        keys = ("/MediaBox", "/Rotate", "/Resources", "/Contents")
        with pikepdf.open(BytesIO(pdf)) as source:
            done: dict[tuple[int, int], int] = {}
            parts = [
                [(key.encode(), self.borrower.value(page.obj[key], done)) for key in keys if key in page.obj]
                for page in source.pages
            ]
        return [b"".join(b"%b %b" % part for part in page) for page in parts]

    def put(self, borrowed: Sequence[bytes], even: bool = False) -> int:
        """Add pages that were copied and return their number. With `even`, the next one begins on a new sheet of
        paper."""
        self._begin("")
        for page in borrowed:
            self._page(page)
        return len(borrowed) + self._padded(even)

    def bookmark(self, title: str, level: int) -> None:
        """Add a bookmark to the next page, below the last bookmark with a lower level."""
        self.waiting.append((title, level))

    def label(self, prefix: str) -> None:
        """Set the prefix of the page numbers of the next copy, in place of "K7W-2MX / "."""
        self.prefix = prefix

    def close(self) -> None:
        """Write the rest. `out` stays open."""
        labels, pages, marks = self.labels.finish(self.tree.count), self.tree.finish(), self.outline.finish()
        named = b"/Lang%b/PageLabels %d 0 R/Outlines %d 0 R" % (pdf_text(self.language), labels, marks)
        view = VIEW % (ONE_SIDED if self.one_sided else b"")
        body = b"<</Type/Catalog/Pages %d 0 R%b%b>>" % (pages, named, view)
        catalogue = self.file.put(self.file.number(), body)
        about = (pdf_text(self.title), pdf_text(self.author))
        body = b"<</Title%b/Author%b/Creator(Engage)/Producer(Engage)>>" % about
        self.file.finish(catalogue, self.file.put(self.file.number(), body))

    def _begin(self, prefix: str) -> None:
        """Begin a range of page labels. Pages without a serial are numbered by their position in the file."""
        prefix = prefix if self.prefix is None else self.prefix
        page = self.tree.count
        self.labels.begin(page, prefix, 1 if prefix else page + 1)
        self.prefix = None

    def _page(self, entries: bytes) -> None:
        number = self.file.number()
        for title, level in self.waiting:
            self.outline.add(title, level, number)
        self.waiting.clear()
        self.tree.add(number, entries)

    def _padded(self, even: bool) -> int:
        if not even or self.tree.count % 2 == 0:
            return 0
        self._page(b"/Resources<<>>")
        return 1


def _media_box(width: float, height: float) -> bytes:
    """Return the media box of a page with this size in mm."""
    return b"/MediaBox[0 0 %.2f %.2f]" % (width / POINT, height / POINT)
