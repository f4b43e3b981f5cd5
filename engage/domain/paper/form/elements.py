"""The elements of a page and their positions: plain data shared by drawing, keying, and reading.

Lengths are in mm from the top left corner of the page. No ReportLab here, and no decisions.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from engage.domain.paper.typesetting.paragraph import LaidParagraph

POINT = 25.4 / 72  # mm in a point
PAPERS = {"letter": (215.9, 279.4), "a4": (210.0, 297.0)}  # width, height in mm


@dataclass(frozen=True, slots=True)
class Item:
    """An element with a position and size."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, right: float, down: float) -> Self:
        return replace(self, x=self.x + right, y=self.y + down)

    def mirrored(self, width: float) -> Self:
        """Return the item mirrored in a page of this width, for a right-to-left language."""
        return replace(self, x=width - self.x - self.width)


@dataclass(frozen=True, slots=True)
class Text(Item):
    """A paragraph. `ink` is from 0 for black to 1 for white; `role` is its role for screen readers (`tagging.py`)."""

    laid: LaidParagraph = field(repr=False)
    ink: float = 0.0
    role: str = "P"

    @property
    def first_middle(self) -> float:
        """The middle of the first line, from the top of the item (mm)."""
        return self.laid.leading * POINT / 2


@dataclass(frozen=True, slots=True)
class Box(Item):
    """A box to mark. `slot` is like "internet" or "child.1.device"; `key` is printed beside it; `value` is stored."""

    slot: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Example(Item):
    """A box that only illustrates a mark: "crossed" or "filled"."""

    how: str


@dataclass(frozen=True, slots=True)
class Comb(Item):
    """Cells for one digit each, always filled from the left. `part` is "number", "day", "month", or "year"."""

    slot: str
    part: str
    cells: int


@dataclass(frozen=True, slots=True)
class WritingLine(Item):
    """A line for handwriting; the height is the space above it."""

    slot: str


@dataclass(frozen=True, slots=True)
class Panel(Item):
    """A filled rectangle: a tinted background, or a rule if it is thin. `dashed` is for a line to cut or tear along."""

    ink: float = 0.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Anchor(Item):
    """The start of a section, for bookmarks. Nothing is drawn."""

    title: str


@dataclass(frozen=True, slots=True)
class Mark(Item):
    """An ArUco marker (DICT_4X4_50) that identifies page and corner. `corner` is 0 top left, 1 top right, 2 bottom
    right, 3 bottom left of the physical paper, in every language."""

    id: int

    @property
    def corner(self) -> int:
        return self.id % 4

    def mirrored(self, width: float) -> Self:
        return replace(self, x=width - self.x - self.width, id=self.id ^ 1)


@dataclass(frozen=True, slots=True)
class Code(Item):
    """A QR code without its white margin. "sheet" has serial, page, and layout; "phone" has the URL of the survey."""

    what: str


@dataclass(frozen=True, slots=True)
class Place(Item):
    """A place for text that differs between copies: "serial", "reply", "code", "link", or "to".

    `size` is in points; `align` is "left", "center", or "right" on the physical paper.
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
    """Items that stay together, placed from (0, 0)."""

    height: float
    items: tuple[Item, ...]
    keep: bool = False  # a heading: never last on a page
    together: bool = False  # on the same page as the next block, if a page has room for both
    gap: float = 0.0  # space above it, except at the top of a page
    inside: bool = False  # never on the first page, which is a cover
    again: tuple["Block", ...] = ()  # repeated above it at the top of a page (a table's header)

    def moved(self, right: float, down: float) -> tuple[Item, ...]:
        return tuple(item.moved(right, down) for item in self.items)


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a form, in one language or two."""

    language: str
    second: str | None
    paper: str
    style: str
    width: float
    height: float
    pages: tuple[Page, ...]
    numbers: dict[str, int]
    """Printed numbers by question id, from `numbering.question_numbers`."""

    fonts: str = ""
    """SHA-256 of the font files of its languages."""

    def outline(self) -> list[tuple[int, Anchor]]:
        """Return the starts of sections and the page of each."""
        return [(page.number, item) for page in self.pages for item in page.items if isinstance(item, Anchor)]

    def boxes(self) -> list[tuple[int, Box]]:
        """Return every box to mark and its page."""
        return [(page.number, item) for page in self.pages for item in page.items if isinstance(item, Box)]


class Column:
    """Stacks items and blocks downward."""

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
    """Return blocks side by side, each at its x position."""
    placed = list(blocks)
    items = tuple(item for x, block in placed for item in block.moved(x, 0))
    return Block(max((block.height for _, block in placed), default=0.0), items)
