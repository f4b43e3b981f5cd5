"""PDF tags, which mark headings, paragraphs, and cells for screen readers.

    begin_tagging(canvas, "ar"); draw_items(canvas, items, height); save_canvas(canvas)

ReportLab has no interface for tags, so they are limited to a structure tree with languages, cells, and boxes as form
fields for pen; everything without text is an artifact. Not checked with a PDF/UA checker. Packets are untagged:
thousands of copies share their pages, and content can be in only one place of the tree. The same text is available as
an HTML page.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFObjectReference, PDFString
from reportlab.pdfgen.canvas import Canvas

from engage.domain.paper.form.elements import Box, Comb, Item, Text, WritingLine
from engage.domain.paper.typesetting.font_embedding import internals

FURNITURE = "Artifact"
FIELDS: dict[type[Item], str] = {Box: "cb", Comb: "tv", WritingLine: "tv"}  # ISO 32000-1, 14.8.5.6: check box, text
ATTRIBUTES = {
    "TH": {"O": "Table", "Scope": "Column"},
    "cb": {"O": "PrintField", "Role": "cb", "checked": "off"},
    "tv": {"O": "PrintField", "Role": "tv"},
}
_KEY = "engage_tags"


@dataclass(eq=False)
class Element:
    """A node of the tree. Its kids are elements, or (page from 0, number on the page) of drawn content."""

    kind: str
    name: str  # of its object in the file
    parent: str
    language: str = ""
    attributes: str = ""  # a key of ATTRIBUTES
    words: list[str] = field(default_factory=list)  # in reading order
    turned: bool = False  # whether they are drawn in another order
    kids: "list[Element | tuple[int, int]]" = field(default_factory=list)
    known: "dict[str, Element]" = field(default_factory=dict)


class Tags:
    """The structure tree of one document."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.elements: list[Element] = []
        self.pages: dict[int, list[Element]] = {}
        self.root = self._new_element("Document", "structure")

    def placed(self, role: str, language: str = "") -> Element:
        """Return the element of a role like "P", or "Table 1/TR 2/TD 1": a named part is always the same element.

        In another language it is a separate element.
        """
        *outer, last = role.split("/")
        element = self.root
        for part in outer:
            element = self._part(element, part, "")
        leaf = self._part(element, last, language)
        if language and language != self.language:
            leaf.language = language
        return leaf

    def _part(self, element: Element, part: str, language: str) -> Element:
        kind, _, name = part.partition(" ")
        part_element = element.known.get(part + language) if name else None
        if part_element is None:
            part_element = element.known[part + language] = self._new_element(kind, element.name)
            element.kids.append(part_element)
        return part_element

    def drawn(self, element: Element, page: int) -> int:
        """Return a number, unique on its page, for the next content drawn for an element."""
        content = self.pages.setdefault(page, [])
        content.append(element)
        element.kids.append((page, len(content) - 1))
        return len(content) - 1

    def _new_element(self, kind: str, parent: str) -> Element:
        element = Element(kind, f"element{len(self.elements)}", parent)
        if kind == "TH":
            element.attributes = kind
        self.elements.append(element)
        return element


def begin_tagging(canvas: Canvas, language: str) -> None:
    """Tag everything that `draw_items` draws on this canvas. Pages must be drawn directly, not as forms."""
    internals(canvas)._doc.__dict__[_KEY] = Tags(language)


def draw_tagged(canvas: Canvas, item: Item, draw: Callable[[], None]) -> None:
    """Draw an item, with marked content if the canvas is tagged."""
    tags: Tags | None = internals(canvas)._doc.__dict__.get(_KEY)
    start = len(internals(canvas)._code)
    draw()
    if tags is not None and len(internals(canvas)._code) > start:
        code = internals(canvas)._code
        code.insert(start, _begin_marker(tags, item, canvas.getPageNumber() - 1))
        code.append("EMC")


def draw_furniture(canvas: Canvas, draw: Callable[[], None]) -> None:
    """Draw an artifact, which is not part of the text: codes and markers."""
    draw_tagged(canvas, Item(0, 0, 0, 0), draw)


def _begin_marker(tags: Tags, item: Item, page: int) -> str:
    if isinstance(item, Text) and item.role != FURNITURE and item.laid.text:
        element = tags.placed(item.role, item.laid.language)
        if element.words[-1:] != [item.laid.text]:  # a paragraph may be drawn line by line
            element.words.append(item.laid.text)
        element.turned |= any(strip.rtl for line in item.laid.lines for strip in line.strips)
    elif type(item) in FIELDS:
        element = tags.placed("Form")
        element.attributes = FIELDS[type(item)]
    else:
        return f"/{FURNITURE} BMC"
    return f"/{element.kind} <</MCID {tags.drawn(element, page)}>> BDC"


def finish_tagging(canvas: Canvas) -> None:
    """Add the tree to a tagged document. Call once, after the last page and before `canvas.save()`."""
    document = internals(canvas)._doc
    tags: Tags | None = document.__dict__.get(_KEY)
    if tags is None:
        return
    for name in sorted({element.attributes for element in tags.elements} - {""}):
        named = {key: PDFName(value) for key, value in ATTRIBUTES[name].items()}
        document.Reference(PDFDictionary(named), f"attributes{name}")
    for element in tags.elements:
        document.Reference(PDFDictionary(_element_entries(element)), element.name)
    rows: list[Any] = []
    for page, elements in sorted(tags.pages.items()):
        rows += [page, PDFArray([PDFObjectReference(element.name) for element in elements])]
        _number_page(document.Pages.pages[page], page)
    root = {
        "Type": PDFName("StructTreeRoot"),
        "K": PDFArray([PDFObjectReference(tags.root.name)]),
        "ParentTree": PDFDictionary({"Nums": PDFArray(rows)}),
        "ParentTreeNextKey": len(document.Pages.pages),
    }
    document.Catalog.StructTreeRoot = document.Reference(PDFDictionary(root), "structure")
    document.Catalog.MarkInfo = PDFDictionary({"Marked": "true"})


def _number_page(page: Any, number: int) -> None:
    """Set the number of a page's tags. ReportLab omits unknown entries of a page, so it must be registered."""
    page.__NoDefault__ = [*page.__NoDefault__, "StructParents", "Tabs"]
    page.StructParents, page.Tabs = number, PDFName("S")


def _element_entries(element: Element) -> dict[str, object]:
    first = next((kid[0] for kid in element.kids if isinstance(kid, tuple)), None)
    kids = [_kid_reference(kid, first) for kid in element.kids]
    entries = {
        "S": PDFName(element.kind),
        "P": PDFObjectReference(element.parent),
        "K": kids[0] if len(kids) == 1 else PDFArray(kids),
    }
    if first is not None:
        entries["Pg"] = _page_reference(first)
    if element.language:
        entries["Lang"] = PDFString(element.language)
    if element.turned:
        entries["ActualText"] = PDFString(" ".join(element.words))
    if element.attributes:
        entries["A"] = PDFObjectReference(f"attributes{element.attributes}")
    return entries


def _kid_reference(kid: "Element | tuple[int, int]", first: int | None) -> Any:
    """Return the reference to drawn content: its number alone if it is on the element's first page."""
    if isinstance(kid, Element):
        return PDFObjectReference(kid.name)
    page, number = kid
    if page == first:
        return number
    return PDFDictionary({"Type": PDFName("MCR"), "Pg": _page_reference(page), "MCID": number})


def _page_reference(number: int) -> PDFObjectReference:
    return PDFObjectReference(f"Page{number + 1}")
