"""One question as a block: number, words, direction, and the place for its answer.

Everything is placed as if read from the left; a page read from the right is mirrored whole, once, by `layout.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil

from babel.dates import get_date_format

from engage.paper.directions import direction
from engage.paper.setting import Setting, Style
from engage.paper.sheet import POINT, Block, Box, Column, Comb, Item, Panel, Text, WritingLine, beside
from engage.questionnaire import kinds
from engage.questionnaire.routing import Slot

KEY_GAP = 1.4  # mm between a box and the key printed beside it
KEY_ROOM = 1.9  # width of the key and the room after it, as a share of its type size in mm
COLUMNS = ((3, range(9, 99)), (2, range(5, 99)), (2, range(2, 3)))  # columns for so many short labels
SCALE_LINES = 3  # lines a label may take under its box
PAD = 1.6  # mm inside a tinted panel
DIGIT = 0.714  # height of a digit in Noto Sans, as a share of the type size
PARTS = {"d": "day", "M": "month", "y": "year"}


class TooTall(Exception):
    """A question that does not fit on a page of its own; the message says which and what to do."""


def question_block(setting: Setting, slot: Slot, width: float, most: float) -> Block:
    """The block of a question, `width` mm wide. Raises TooTall if it cannot be made lower than `most` mm."""
    for columns in (0, 2, 3, 4):
        block = _block(setting, slot, width, columns)
        if block.height <= most:
            return block
    raise TooTall(
        f'{setting.survey.slug}, question "{slot.question.id}", {setting.language.tag}: it is {block.height:.0f} mm '
        f"high and a page has {most:.0f} mm; shorten its words or choices, or split it into two questions"
    )


def _block(setting: Setting, slot: Slot, width: float, columns: int) -> Block:
    """`columns` for the choices; 0 lets their length decide."""
    question, sizes = slot.question, setting.sizes
    inner = width - sizes.gutter
    column = Column(sizes.gutter)
    if question.shown_when is not None:
        column.put(_direction(setting, direction(question.shown_when, setting.survey, setting.words), inner))
    top = column.y + (1.6 if column.items else 0)
    style = sizes.body if question.kind == "note" else sizes.question
    column.add(setting.text(question.text, inner, style), gap=1.6)
    if question.hint:
        column.add(setting.text(question.hint, inner, sizes.hint), gap=0.6)
    answer = _answer(setting, slot, inner, columns)
    if answer.items:
        column.put(answer, gap=sizes.answer)
    number = setting.numbers.get(question.id)
    marks = [setting.text(str(number), sizes.gutter - 1, sizes.question).moved(0, top)] if number else []
    return Block(column.y, (*marks, *column.items), gap=sizes.gap)


def _direction(setting: Setting, text: str, width: float) -> Block:
    """The direction on a tint, so that it is met before the question."""
    said = setting.text(text, width - 2 * PAD, replace(setting.sizes.hint, ink=0.0))
    used = min(width, max(line.width for line in said.laid.lines) * POINT + 2 * PAD + 0.2)
    tint = Panel(0, 0, used, said.height + PAD, ink=0.9)
    return Block(tint.height, (tint, said.moved(PAD, PAD / 2)))


def _answer(setting: Setting, slot: Slot, width: float, columns: int) -> Block:
    column = Column()
    made = _ANSWERS[slot.question.kind](setting, slot, width, columns)
    if made.items:
        column.put(made)
    markers = [box for box in kinds.boxes(slot.question) if box.value.startswith("~")]
    if markers:
        column.put(_markers(setting, slot, markers, width), gap=setting.sizes.row + 0.8)
    return column.block()


def _markers(setting: Setting, slot: Slot, boxes: Sequence[kinds.Box], width: float) -> Block:
    """ "I don't know" and "I don't want to answer": below a short rule and in softer words, as they are no choices."""
    style = replace(setting.sizes.body, size=setting.sizes.hint.size, ink=setting.sizes.hint.ink)
    options = [_option(setting, slot, box, _marker_words(setting, box.value), style) for box in boxes]
    column = Column()
    column.add(Panel(0, 0, width, 0.15, ink=0.7))
    column.put(_grid(options, width, len(options) if _short(options, width / len(options)) else 1, setting), gap=2.0)
    return column.block()


def _marker_words(setting: Setting, value: str) -> str:
    if value == "~dont_know":
        # translators: a box on paper, set apart below the answers
        return setting.words.gettext("I don't know")
    # translators: a box on paper, set apart below the answers
    return setting.words.gettext("I don't want to answer")


Option = Callable[[float], Block]
"""A box with its key and label, made for a width."""


def _option(setting: Setting, slot: Slot, box: kinds.Box, label: str, style: Style) -> Option:
    sizes = setting.sizes
    room = KEY_ROOM * sizes.key.size * POINT
    indent = sizes.box + KEY_GAP + room

    def made(width: float) -> Block:
        text = setting.text(label, width - indent, style).moved(indent, 0)
        lead = text.first_middle - sizes.box / 2  # the box stands on the middle of the first line
        frame = Box(0, lead, sizes.box, sizes.box, slot.key, box.key, box.value)
        items: list[Item] = [frame, _key(setting, box.key, room).moved(sizes.box + KEY_GAP, text.first_middle), text]
        rise = max(0.0, -lead)
        return Block(rise + max(text.height, lead + sizes.box), tuple(item.moved(0, rise) for item in items))

    return made


def _key(setting: Setting, key: str, room: float) -> Text:
    """The key with the middle of its digit at y = 0."""
    text = setting.text(key, room, setting.sizes.key)
    return text.moved(0, -(text.laid.baseline - DIGIT / 2 * text.laid.size) * POINT)


def _short(options: Sequence[Option], width: float) -> bool:
    """Whether every label stands on one line."""
    texts = [item for option in options for item in option(width - 4).items if isinstance(item, Text)]
    return all(len(text.laid.lines) == 1 and not text.laid.cut for text in texts)


def _grid(options: Sequence[Option], width: float, columns: int, setting: Setting) -> Block:
    """Options in columns, read downwards; the rows of neighbouring columns stand level."""
    rows = ceil(len(options) / columns)
    each = width / columns
    blocks = [option(each - 4 if columns > 1 else each) for option in options]
    column = Column()
    for row in range(rows):
        here = [
            (index * each, blocks[row + index * rows]) for index in range(columns) if row + index * rows < len(blocks)
        ]
        column.put(beside(here), gap=setting.sizes.row)
    return column.block()


def _choices(setting: Setting, slot: Slot, width: float, columns: int) -> Block:
    question = slot.question
    boxes = [box for box in kinds.boxes(question) if not box.value.startswith("~")]
    labels = {choice.code: choice.text for choice in question.choices}
    options = [_option(setting, slot, box, labels[box.value], setting.sizes.body) for box in boxes]
    if not columns:
        fitting = [n for n, counts in COLUMNS if len(options) in counts and _short(options, width / n)]
        columns = fitting[0] if fitting else 1
    return _grid(options, width, columns, setting)


def _scale(setting: Setting, slot: Slot, width: float, columns: int) -> Block:
    """In one row if every label fits under its box, else as a list."""
    if columns:
        return _choices(setting, slot, width, columns)
    question = slot.question
    boxes = [box for box in kinds.boxes(question) if not box.value.startswith("~")]
    each = width / len(boxes)
    labels = [setting.text(choice.text, each - 2, setting.sizes.body, "center") for choice in question.choices]
    if any(label.laid.cut or len(label.laid.lines) > SCALE_LINES for label in labels):
        return _choices(setting, slot, width, 1)
    steps = [_step(setting, slot, box, label, each) for box, label in zip(boxes, labels, strict=True)]
    return beside((index * each, step) for index, step in enumerate(steps))


def _step(setting: Setting, slot: Slot, box: kinds.Box, label: Text, width: float) -> Block:
    size = setting.sizes.box
    left = (width - size) / 2
    frame = Box(left, 0, size, size, slot.key, box.key, box.value)
    key = _key(setting, box.key, width / 2 - size / 2 - KEY_GAP).moved(left + size + KEY_GAP, size / 2)
    return Block(size + 1.2 + label.height, (frame, key, label.moved(1, size + 1.2)))


def _number(setting: Setting, slot: Slot, width: float, _: int) -> Block:
    question, sizes = slot.question, setting.sizes
    cells = len(str(max(abs(question.maximum), abs(question.minimum or 0)))) if question.maximum is not None else 3
    comb = _comb(setting, slot, "number", cells)
    if not question.unit:
        return Block(comb.height, (comb,))
    unit = setting.text(question.unit, width - comb.width - 3, sizes.body)
    down = max(0.0, comb.height / 2 - unit.first_middle)
    return Block(max(comb.height, down + unit.height), (comb, unit.moved(comb.width + 3, down)))


def _comb(setting: Setting, slot: Slot, part: str, cells: int) -> Comb:
    return Comb(0, 0, cells * setting.sizes.cell, setting.sizes.cell * 1.15, slot.key, part, cells)


def _date(setting: Setting, slot: Slot, width: float, _: int) -> Block:
    """Day, month and year in the order the language writes them, each named."""
    names = {
        # translators: a name under cells for digits on paper: the day of a month
        "day": setting.words.gettext("Day"),
        # translators: a name under cells for digits on paper
        "month": setting.words.gettext("Month"),
        # translators: a name under cells for digits on paper
        "year": setting.words.gettext("Year"),
    }
    x, blocks = 0.0, []
    for part in date_order(setting.language.locale):
        comb = _comb(setting, slot, part, 4 if part == "year" else 2)
        name = setting.text(names[part], comb.width, setting.sizes.hint, "center").moved(0, comb.height + 0.6)
        blocks.append((x, Block(comb.height + 0.6 + name.height, (comb, name))))
        x += comb.width + 5
    return beside(blocks)


def date_order(locale: str) -> list[str]:
    """ "day", "month" and "year" in the order this locale's short dates have them."""
    pattern = str(get_date_format("short", locale).pattern)
    return [PARTS[letter] for letter in sorted(PARTS, key=pattern.index)]


def _lines(setting: Setting, slot: Slot, width: float, _: int) -> Block:
    count = 1 if slot.question.kind == "words" else 5
    column = Column()
    for _line in range(count):
        column.add(WritingLine(0, 0, width, setting.sizes.line, slot.key))
    return column.block()


def _nothing(setting: Setting, slot: Slot, width: float, _: int) -> Block:
    return Block(0.0, ())


_ANSWERS: dict[str, Callable[[Setting, Slot, float, int], Block]] = {
    "one": _choices,
    "several": _choices,
    "scale": _scale,
    "number": _number,
    "date": _date,
    "words": _lines,
    "long_words": _lines,
    "note": _nothing,
}
