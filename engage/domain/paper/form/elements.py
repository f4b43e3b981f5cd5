"""The elements of a page and their positions: plain data that drawing, keying and reading share.

Millimetres from the top left corner of the page. No ReportLab here, and no decisions.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from engage.domain.paper.typesetting.paragraph import LaidParagraph

POINT = 25.4 / 72  # mm in a point
PAPERS = {"letter": (215.9, 279.4), "a4": (210.0, 297.0)}  # width, height in mm


@dataclass(frozen=True, slots=True)
class Item:
    """Something with a place."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, right: float, down: float) -> Self:
        return replace(self, x=self.x + right, y=self.y + down)

    def mirrored(self, width: float) -> Self:
        """The same seen in a page of this width that is read from the right."""
        return replace(self, x=width - self.x - self.width)


@dataclass(frozen=True, slots=True)
class Text(Item):
    """A paragraph. `ink` is 0 for black to 1 for white; `role` is what it is to a screen reader (`tagging.py`)."""

    laid: LaidParagraph = field(repr=False)
    ink: float = 0.0
    role: str = "P"

    @property
    def first_middle(self) -> float:
        """Where the middle of the first line is, from the top of the item (mm)."""
        return self.laid.leading * POINT / 2


@dataclass(frozen=True, slots=True)
class Box(Item):
    """A box to cross. `slot` is "internet" or "child.1.device"; `key` is printed beside it; `value` is stored."""

    slot: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Example(Item):
    """A box that only shows how: "crossed" or "filled"."""

    how: str


@dataclass(frozen=True, slots=True)
class Comb(Item):
    """Cells for one digit each, always filled from the left. `part` is "number", "day", "month" or "year"."""

    slot: str
    part: str
    cells: int


@dataclass(frozen=True, slots=True)
class WritingLine(Item):
    """A line to write words on; the height is the room above it."""

    slot: str


@dataclass(frozen=True, slots=True)
class Panel(Item):
    """A filled rectangle: a tint behind text, or a rule if it is thin. `dashed` is for a line along which to tear."""

    ink: float = 0.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Anchor(Item):
    """Where a section begins, for the list of bookmarks. Nothing is drawn."""

    title: str


@dataclass(frozen=True, slots=True)
class Mark(Item):
    """An ArUco mark (DICT_4X4_50): tells page and corner. `corner` is 0 top left, 1 top right, 2 bottom right, 3 bottom
    left of the paper as it lies, whichever way the language is read."""

    id: int

    @property
    def corner(self) -> int:
        return self.id % 4

    def mirrored(self, width: float) -> Self:
        return replace(self, x=width - self.x - self.width, id=self.id ^ 1)


@dataclass(frozen=True, slots=True)
class Code(Item):
    """A QR code without its white margin: "sheet" tells serial, page and layout; "phone" leads to the survey."""

    what: str


@dataclass(frozen=True, slots=True)
class Place(Item):
    """Room for words that differ from copy to copy: "serial", "reply", "code", "link" or "to".

    `size` is in points; `align` is "left", "center" or "right" on the paper as it lies.
    """

    name: str
    size: float
    bold: bool = False
    align: str = "left"

    def mirrored(self, width: float) -> Self:
        other = {"left": "right", "right": "left"}.get(self.align, self.align)
        return replace(self, x=width - self.x - self.width, align=other)


@dataclass(frozen=True, slots=True)
class Block:
    """Items that are never parted, placed from (0, 0)."""

    height: float
    items: tuple[Item, ...]
    keep: bool = False  # a heading: never the last thing on a page
    together: bool = False  # on one page with the next block wherever a page can hold them
    gap: float = 0.0  # room above it, unless it begins a page
    inside: bool = False  # never on the first page, which is a cover
    again: tuple["Block", ...] = ()  # put above it where it begins a page (a table's header)

    def moved(self, right: float, down: float) -> tuple[Item, ...]:
        return tuple(item.moved(right, down) for item in self.items)


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """One sheet set, in one language or two."""

    language: str
    second: str | None
    paper: str
    style: str
    width: float
    height: float
    pages: tuple[Page, ...]
    numbers: dict[str, int]
    """Printed number by question id, as `numbering.question_numbers` gives it."""

    fonts: str = ""
    """SHA-256 over the font files its own languages are set in."""

    def outline(self) -> list[tuple[int, Anchor]]:
        """Where the sections begin, with the page each is on."""
        return [(page.number, item) for page in self.pages for item in page.items if isinstance(item, Anchor)]

    def boxes(self) -> list[tuple[int, Box]]:
        """Every box to cross, with the page it is on."""
        return [(page.number, item) for page in self.pages for item in page.items if isinstance(item, Box)]


class Column:
    """Stacks items and blocks downwards."""

    def __init__(self, x: float = 0.0) -> None:
        self.x, self.y = x, 0.0
        self.items: list[Item] = []

    def add(self, item: Item, gap: float = 0.0) -> None:
        self.y += gap if self.items else 0.0
        self.items.append(item.moved(self.x, self.y))
        self.y += item.height

    def put(self, block: Block, gap: float = 0.0) -> None:
        self.y += gap if self.items else 0.0
        self.items += block.moved(self.x, self.y)
        self.y += block.height

    def block(self, keep: bool = False, gap: float = 0.0) -> Block:
        return Block(self.y, tuple(self.items), keep, gap=gap)


def side_by_side(blocks: Iterable[tuple[float, Block]]) -> Block:
    """Blocks side by side, each at its own x."""
    placed = list(blocks)
    items = tuple(item for x, block in placed for item in block.moved(x, 0))
    return Block(max((block.height for _, block in placed), default=0.0), items)
