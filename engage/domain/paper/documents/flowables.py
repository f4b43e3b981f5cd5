"""Text, tables, and bars as blocks for pages. They are placed left to right; whole pages are mirrored at the end."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, count

from engage.domain.paper.form.elements import POINT, Block, Column, Item, Panel, Text, WritingLine, side_by_side
from engage.domain.paper.form.typesetter import SOFT, Style, Typesetter
from engage.domain.paper.pdf.tagging import FURNITURE
from engage.domain.paper.typesetting.shaping import spell_out_missing
from engage.questionnaire.model import Words

HEADING_ROLES = ["H1", "H2", "H3"]
HEADINGS = {
    level: Style(size, bold=True, role=role)
    for level, size, role in zip((1, 2, 3), (22, 14, 11), HEADING_ROLES, strict=True)
}
ABOVE = {1: 4.0, 2: 8.0, 3: 5.0}  # mm above a heading
BODY, STRONG = Style(10.5), Style(10.5, bold=True)
REMARK = Style(9, ink=SOFT)
CELL, CELL_HEAD = Style(9.5), Style(9, bold=True)
PAD = 1.5  # mm around the text of a cell
BULLET = 5.0  # mm before the text of a list
LABEL, TRACK = 0.36, 0.38  # label and bar, as shares of a row's width; the rest is for the text
THICK = 3.6  # mm: thickness of a bar
WRITING = 9.0  # mm: height of a line for handwriting
WIDE = 10_000.0  # mm: wide enough for any line
Pairs = Sequence[tuple[str, str]]


class Flow:
    """Builds blocks that are `width` mm wide."""

    def __init__(self, setter: Typesetter, width: float) -> None:
        self.setter, self.width = setter, width
        self.counter = count(1)

    def _numbered(self, kind: str) -> str:
        """Return the role of a numbered part of the document, so that its pieces are tagged as one."""
        return f"{kind} {next(self.counter)}"

    def text(self, text: str, width: float, style: Style, align: str = "start") -> Text:
        """Return a text item. Characters without a glyph are replaced by their names."""
        shown_text = spell_out_missing(text, self.setter.faces, style.bold)
        tag = getattr(text, "language", self.setter.language.tag)
        return self.setter.text(Words(shown_text, tag), width, style, align)

    def heading(self, level: int, text: str) -> Block:
        block = self.text(text, self.width, HEADINGS[level])
        return Block(block.height, (block,), keep=True, gap=ABOVE[level])

    def paragraph(self, text: str, bold: bool = False, soft: bool = False, leads: bool = False) -> Iterator[Block]:
        """Yield the lines. A paragraph that `leads` is on the page of what follows."""
        block = self.text(text, self.width, REMARK if soft else STRONG if bold else BODY)
        for line in _split_lines(replace(block, role=self._numbered("P")), 0.0, gap=2.5):
            yield replace(line, keep=line.keep or leads)

    def listing(self, texts: Sequence[str]) -> Iterator[Block]:
        listing = self._numbered("L")
        for number, text in enumerate(texts, 1):
            block = replace(self.text(text, self.width - BULLET, BODY), role=f"{listing}/LI {number}/LBody 1")
            first, *rest = _split_lines(block, BULLET, gap=1.5)
            dot = Panel(BULLET / 2 - 0.6, block.first_middle - 0.6, 1.2, 1.2)
            yield replace(first, items=(dot, *first.items))
            yield from rest

    def lines(self, count: int) -> Iterator[Block]:
        for _ in range(count):
            yield Block(WRITING, (WritingLine(0, 0, self.width, WRITING, ""),))

    def tear_off(self, heading: str, statements: Pairs, fields: Pairs) -> Block:
        """Return a dashed line and what is below it, as one block."""
        column = Column()
        column.add(Panel(0, 0, self.width, 0.2, ink=0.3, dashed=True))
        column.add(self.text(heading, self.width, HEADINGS[2]), gap=5.0)
        for pair in statements:
            column.put(self._pair(*pair, width=self.width), gap=2.5)
        for pair in fields:
            label = self._pair(*pair, width=self.width * LABEL - 3)
            start, height = self.width * LABEL, max(WRITING, label.height)
            line = WritingLine(start, 0, self.width - start, height, "")
            column.put(Block(height, (*label.moved(0, height - label.height), line)), gap=2.5)
        return column.block(gap=10.0)

    def _pair(self, text: str, gloss: str, width: float) -> Block:
        """Return a text, and the same in another language below it if there is one."""
        column = Column()
        column.add(self.text(text, width, BODY))
        if gloss:
            column.add(self.text(gloss, width, REMARK))
        return column.block()

    def bars(self, rows: Sequence[tuple[str, float | None, str]]) -> Iterator[Block]:
        table = self._numbered("Table")
        for number, row in enumerate(rows):
            yield replace(
                self._bar(*row, role=f"{table}/TR {number}"),
                gap=3.0 if number == 0 else 1.6,
                together=number + 1 < len(rows),
            )

    def _bar(self, label: str, share: float | None, text: str, role: str) -> Block:
        start, track = self.width * LABEL, self.width * TRACK
        after = start + (track + 3 if share is not None else 0.0)
        label_block = self.text(label, start - 3, CELL)
        value_block = self.text(text, self.width - after, CELL).moved(after, 0)
        label_block, value_block = replace(label_block, role=f"{role}/TD 1"), replace(value_block, role=f"{role}/TD 2")
        down = label_block.first_middle - THICK / 2
        drawn: list[Item] = []
        if share is not None:
            drawn = [Panel(start, down, track, THICK, ink=0.9)]
            drawn += [Panel(start, down, track * min(share, 1.0), THICK, ink=0.25)] if share > 0 else []
        return Block(max(label_block.height, value_block.height), (label_block, *drawn, value_block))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]], align: Sequence[str] = ()) -> Iterator[Block]:
        """Yield a header, which is repeated on every page, and the rows. A row is split only if it does not fit on a
        page."""
        sides = [*align, *["start"] * (len(header) - len(align))]
        widths = self._widths(header, rows)
        table = self._numbered("Table")
        head = replace(self._head(header, widths, sides, f"{table}/TR 0"), gap=3.0)
        yield replace(head, keep=True)
        head = replace(head, items=tuple(_as_furniture(item) for item in head.items))
        for number, row in enumerate(rows, 1):
            for block in self._row(row, widths, sides, f"{table}/TR {number}"):
                yield replace(block, again=(head,))

    def _widths(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
        """Return the widths of the columns: their natural widths if there is room, else the wide ones share the
        remaining width."""
        natural = [
            max(self._natural(header[column], CELL_HEAD), *(self._natural(row[column], CELL) for row in rows), 8.0)
            for column in range(len(header))
        ]
        if sum(natural) <= self.width:
            spare = (self.width - sum(natural)) / len(natural)
            return [each + spare for each in natural]
        widths = dict.fromkeys(range(len(natural)), 0.0)
        left, open_ = self.width, sorted(widths, key=natural.__getitem__)
        while open_:
            column = open_.pop(0)
            widths[column] = min(natural[column], left / (len(open_) + 1))
            left -= widths[column]
        return list(widths.values())

    def _natural(self, text: str, style: Style) -> float:
        return self.text(text, WIDE, style).laid.widest * POINT + 2 * PAD + 0.5

    def _cells(self, row: Sequence[str], widths: Sequence[float], sides: Sequence[str], style: Style) -> list[Text]:
        starts = accumulate(widths, initial=0.0)
        return [
            self.text(text, width - 2 * PAD, style, side).moved(start + PAD, 0)
            for text, width, side, start in zip(row, widths, sides, starts, strict=False)
        ]

    def _head(self, header: Sequence[str], widths: Sequence[float], sides: Sequence[str], role: str) -> Block:
        header_cells = enumerate(self._cells(header, widths, sides, CELL_HEAD), 1)
        cells = [replace(cell, role=f"{role}/TH {number}") for number, cell in header_cells]
        height = max(cell.height for cell in cells) + PAD
        low = (cell.moved(0, height - PAD - cell.height) for cell in cells)  # bottom aligned above their columns
        return Block(height, (*low, Panel(0, height - 0.4, self.width, 0.4)))

    def _row(self, row: Sequence[str], widths: Sequence[float], sides: Sequence[str], role: str) -> Iterator[Block]:
        row_cells = enumerate(self._cells(row, widths, sides, CELL), 1)
        cells = [list(_split_lines(replace(cell, role=f"{role}/TD {number}"), cell.x)) for number, cell in row_cells]
        count = max(len(cell) for cell in cells)
        for number in range(count):
            here = side_by_side((0.0, cell[number]) for cell in cells if number < len(cell))
            top, bottom = PAD if number == 0 else 0.0, PAD if number == count - 1 else 0.0
            height = top + here.height + bottom
            rule = (Panel(0, height - 0.15, self.width, 0.15, ink=0.7),) if bottom else ()
            yield Block(height, (*here.moved(0, top), *rule), together=number + 1 < count)


def _as_furniture(item: Item) -> Item:
    """Return an item as an artifact, since its text occurs elsewhere."""
    return replace(item, role=FURNITURE) if isinstance(item, Text) else item


def _split_lines(text: Text, x: float, gap: float = 0.0) -> Iterator[Block]:
    """Yield a text line by line, so that it can continue on the next page. The first two and last two lines stay
    together."""
    lines, height = text.laid.lines, text.laid.leading * POINT
    for number, line in enumerate(lines):
        item = replace(text, x=x, y=0.0, height=height, laid=replace(text.laid, lines=(line,)))
        keep = len(lines) > 1 and number in (0, len(lines) - 2)
        yield Block(height, (item,), keep=keep, gap=gap if number == 0 else 0.0)
