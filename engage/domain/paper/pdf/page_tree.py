"""Indexes of a PDF's pages: page tree, page labels, and bookmarks, written incrementally; only object numbers are
kept."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from engage.domain.paper.pdf.writer import PdfFile, pdf_text

FAN = 64  # children per node: any of 262,144 pages is reached in three steps
LABELS = 64  # ranges per leaf of the label tree


@dataclass(slots=True)
class Node:
    """A node of the page tree that is not full."""

    number: int = 0
    count: int = 0  # pages
    kids: list[int] = field(default_factory=list)


class PageTree:
    """The page tree, with three levels of nodes above the pages."""

    def __init__(self, file: PdfFile, inherited: bytes) -> None:
        self.file, self.inherited = file, inherited
        self.count = 0  # pages so far
        self.root = Node(file.number())
        self.open = [Node(), Node(), self.root]  # open nodes, from the leaf up

    def add(self, number: int, entries: bytes) -> None:
        """Add the next page, which is object `number`."""
        self.count += 1
        self.file.put(number, b"<</Type/Page/Parent %d 0 R%b>>" % (self._above(0, number, 1), entries))

    def finish(self) -> int:
        for level in (0, 1):
            if self.open[level].kids:
                self._end(level)
        return self._write(self.root, self.inherited)

    def _above(self, level: int, kid: int, pages: int) -> int:
        """Add a child to the open node of a level and return the node's number."""
        node = self.open[level]
        number = node.number = node.number or self.file.number()
        node.kids.append(kid)
        node.count += pages
        if len(node.kids) == FAN and node is not self.root:
            self._end(level)
        return number

    def _end(self, level: int) -> None:
        node, self.open[level] = self.open[level], Node()
        self._write(node, b"/Parent %d 0 R" % self._above(level + 1, node.number, node.count))

    def _write(self, node: Node, entries: bytes) -> int:
        body = b"<</Type/Pages%b/Count %d/Kids[%b]>>" % (entries, node.count, format_references(node.kids))
        return self.file.put(node.number, body)


class PageLabels:
    """Page labels: "K7W-2MX / 1". A range extends to the beginning of the next."""

    def __init__(self, file: PdfFile) -> None:
        self.file, self.kids = file, list[int]()
        self.rows: list[bytes] = []
        self.first = self.last = 0
        self.prefix, self.start = "", 1

    def begin(self, page: int, prefix: str, start: int = 1) -> None:
        """Begin a range at this page (from 0), with `prefix` and numbers from `start`."""
        if len(self.rows) == LABELS:
            self._end(page - 1)
        self.first = self.first if self.rows else page
        self._row(page, prefix, start)

    def finish(self, count: int) -> int:
        """Write the tree and return its object number. `count` is the number of pages."""
        if self.rows:
            self._end(count - 1)
        return self.file.put(self.file.number(), b"<</Kids[%b]>>" % format_references(self.kids))

    def _row(self, page: int, prefix: str, start: int) -> None:
        label = b"/P%b" % pdf_text(prefix) if prefix else b""
        self.rows.append(b"%d<</S/D%b/St %d>>" % (page, label, start))
        self.last, self.prefix, self.start = page, prefix, start

    def _end(self, last: int) -> None:
        """Finish a leaf. Its limits include its last page, which begins no range, since some readers search by the
        limits."""
        if last > self.last:
            self._row(last, self.prefix, self.start + last - self.last)
        body = b"<</Limits[%d %d]/Nums[%b]>>" % (self.first, last, b"".join(self.rows))
        self.kids.append(self.file.put(self.file.number(), body))
        self.rows = []


@dataclass(slots=True)
class Bookmark:
    title: str
    page: int  # object number
    number: int = 0
    below: list["Bookmark"] = field(default_factory=list)

    def all(self) -> Iterator["Bookmark"]:
        for child in self.below:
            yield child
            yield from child.all()


class Outline:
    """Bookmarks, initially collapsed."""

    def __init__(self, file: PdfFile) -> None:
        self.file, self.root = file, Bookmark("", 0)
        self.path: list[tuple[int, Bookmark]] = []

    def add(self, title: str, level: int, page: int) -> None:
        """Add a bookmark below the last one with a lower level."""
        while self.path and self.path[-1][0] >= level:
            self.path.pop()
        bookmark = Bookmark(title, page)
        (self.path[-1][1] if self.path else self.root).below.append(bookmark)
        self.path.append((level, bookmark))

    def finish(self) -> int:
        for bookmark in (self.root, *self.root.all()):
            bookmark.number = self.file.number()
        self.file.put(self.root.number, b"<</Type/Outlines%b>>" % _child_entries(self.root))
        self._write(self.root)
        return self.root.number

    def _write(self, parent: Bookmark) -> None:
        last = len(parent.below) - 1
        for at, each in enumerate(parent.below):
            near = b"/Prev %d 0 R" % parent.below[at - 1].number if at else b""
            near += b"/Next %d 0 R" % parent.below[at + 1].number if at < last else b""
            where = b"/Parent %d 0 R/Dest[%d 0 R/Fit]" % (parent.number, each.page)
            self.file.put(
                each.number, b"<</Title%b%b%b%b>>" % (pdf_text(each.title), where, near, _child_entries(each, -1))
            )
            self._write(each)


def _child_entries(bookmark: Bookmark, sign: int = 1) -> bytes:
    """Return the first and last child and their number; a negative number means collapsed."""
    if not bookmark.below:
        return b""
    first, last = bookmark.below[0].number, bookmark.below[-1].number
    return b"/First %d 0 R/Last %d 0 R/Count %d" % (first, last, sign * len(bookmark.below))


def format_references(numbers: list[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)
