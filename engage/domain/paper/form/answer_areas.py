"""Answer areas as blocks: boxes with labels in one or two languages, cells for digits, and lines.

A choice has one box, whatever the number of languages. Items are placed left to right, like everything on a form.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import ceil

from babel.dates import get_date_format

from engage.domain.paper.form.elements import (
    POINT,
    Block,
    Box,
    Column,
    Comb,
    Item,
    Panel,
    Text,
    WritingLine,
    side_by_side,
)
from engage.domain.paper.form.typesetter import BETWEEN, Say, Setting, SheetLanguage, Style
from engage.questionnaire import question_types
from engage.questionnaire.answer_text import box_text
from engage.questionnaire.model import BLANK, Words
from engage.questionnaire.routing import Slot

KEY_GAP = 1.4  # mm between a box and the key printed beside it
KEY_ROOM = 1.9  # width of the key and the space after it, relative to its type size
SCALE_LINES = 3  # maximum lines of a label under its box, per language
GUTTER = 4.0  # mm between two columns of choices
DIGIT = 0.714  # height of a digit in Noto Sans, relative to the type size
PARTS = {"d": "day", "M": "month", "y": "year"}


def answer_block(setting: Setting, slot: Slot, width: float, columns: int) -> Block:
    """Return the answer area of a question, `width` mm wide. Choices are in `columns` columns; 0 decides by their
    length."""
    column = Column()
    area = _ANSWERS[slot.question.kind](setting, slot, width, columns)
    if area.items:
        column.put(area)
    markers = [box for box in question_types.answer_boxes(slot.question) if box.value.startswith("~")]
    if markers:
        column.put(_marker_block(setting, slot, markers, width), gap=setting.sizes.row + 0.8)
    return column.block()


def date_order(locale: str) -> list[str]:
    """Return "day", "month", and "year" in the order of this locale's short dates."""
    pattern = str(get_date_format("short", locale).pattern)
    return [PARTS[letter] for letter in sorted(PARTS, key=pattern.index)]


def _marker_block(setting: Setting, slot: Slot, boxes: Sequence[question_types.AnswerBox], width: float) -> Block:
    """Return "I don't know" and "I don't want to answer", below a short rule and in lighter type, since they are not
    choices."""
    style = replace(setting.sizes.body, size=setting.sizes.hint.size, ink=setting.sizes.hint.ink)
    options = [_build_option(setting, slot, box, _box_words(slot, box), style) for box in boxes]
    column = Column()
    column.add(Panel(0, 0, width, 0.15, ink=0.7))
    column.put(
        _option_grid(
            options, width, len(options) if _can_fit_columns(setting, options, width, len(options)) else 1, setting
        ),
        2.0,
    )
    return column.block()


def _box_words(slot: Slot, box: question_types.AnswerBox) -> Say:
    """Return the label of a box."""

    def say(tongue: SheetLanguage) -> str:
        return box_text(tongue.survey.question(slot.question.id), box.value, tongue.words.gettext)

    return say


Option = Callable[[float], Block]
"""Builds a box with its key and label for a given width."""


def _build_option(setting: Setting, slot: Slot, box: question_types.AnswerBox, say: Say, style: Style) -> Option:
    sizes, room, indent = setting.sizes, _key_width(setting), _label_indent(setting)

    def build(width: float) -> Block:
        label = _label_block(setting, say, width, indent, style)
        middle = next(item.y + item.first_middle for item in label.items if isinstance(item, Text))
        lead = middle - sizes.box / 2  # center the box on the first line
        frame = Box(0, lead, sizes.box, sizes.box, slot.key, box.key, box.value)
        items: list[Item] = [frame, _key_text(setting, box.key, room).moved(sizes.box + KEY_GAP, middle), *label.items]
        rise = max(0.0, -lead)
        return Block(rise + max(label.height, lead + sizes.box), tuple(item.moved(0, rise) for item in items))

    return build


def _label_block(setting: Setting, say: Say, width: float, indent: float, style: Style) -> Block:
    """Return the label of a box, starting at `indent`. Side by side, the second language stays in its column of the
    page."""
    labels = list(setting.translations(say)) or [(setting.tongues[0], BLANK)]
    if len(labels) > 1 and setting.arrangement == "beside":
        each = (width - BETWEEN) / 2
        places = [(indent, each - indent), (each + BETWEEN, each)]
        return _level_texts(
            [
                setting.side_text(*label, room, style).moved(x, 0)
                for label, (x, room) in zip(labels, places, strict=True)
            ]
        )
    along = _single_line_label(setting, labels, width - indent, style) if setting.arrangement == "along" else None
    stack = along or setting.stack(labels, width - indent, style)
    return Block(stack.height, stack.moved(indent, 0))


def _single_line_label(
    setting: Setting, labels: Sequence[tuple[SheetLanguage, Words]], width: float, style: Style
) -> Block | None:
    """Return both languages on one line; None if they do not fit."""
    x, texts = 0.0, []
    for index, label in enumerate(labels):
        label_style = setting.lesser(style) if index else style
        used = setting.page(*label, 9 * width, label_style).laid.widest * POINT + 0.1
        texts.append(setting.page(*label, used, label_style).moved(x, 0))
        x += used + BETWEEN
    return _level_texts(texts) if x - BETWEEN <= width else None


def _stack_languages(setting: Setting, say: Say, width: float, style: Style, align: str = "start") -> Block:
    """Return the languages below each other regardless of arrangement, for areas too narrow for two columns."""
    return replace(setting, arrangement="under").block(say, width, style, align)


def _level_texts(texts: Sequence[Text]) -> Block:
    """Align the first lines of texts, though line heights differ between scripts."""
    low = max(text.first_middle for text in texts)
    moved = tuple(text.moved(0, low - text.first_middle) for text in texts)
    return Block(max(text.y + text.height for text in moved), moved)


def _key_text(setting: Setting, key: str, room: float) -> Text:
    """Return the key, with the middle of its digit at y = 0."""
    text = setting.text(key, room, setting.sizes.key)
    return text.moved(0, -(text.laid.baseline - DIGIT / 2 * text.laid.size) * POINT)


def _can_fit_columns(setting: Setting, options: Sequence[Option], width: float, columns: int) -> bool:
    """Whether every label fits on one line in this number of columns. Languages side by side need the full width."""
    if _is_side_by_side(setting):
        return False
    texts = [item for build in options for item in build(width / columns - GUTTER).items if isinstance(item, Text)]
    return all(len(text.laid.lines) == 1 and not text.laid.cut for text in texts)


def _option_grid(options: Sequence[Option], width: float, columns: int, setting: Setting) -> Block:
    """Return options in columns, read downward, with aligned rows."""
    rows = ceil(len(options) / columns)
    each = width / columns
    blocks = [option(each - GUTTER if columns > 1 else each) for option in options]
    column = Column()
    for row in range(rows):
        here = [
            (index * each, blocks[row + index * rows]) for index in range(columns) if row + index * rows < len(blocks)
        ]
        line = side_by_side(here)
        column.put(
            _add_rule(setting, line, width) if row and _is_side_by_side(setting) else line, gap=setting.sizes.row
        )
    return column.block()


def _is_side_by_side(setting: Setting) -> bool:
    return setting.second is not None and setting.arrangement == "beside"


def _add_rule(setting: Setting, row: Block, width: float) -> Block:
    """Return a row below a hairline that connects the far language with its box, and stops before the box."""
    start = _label_indent(setting)
    hair = Panel(start, -setting.sizes.row / 2, width - start, 0.1, ink=0.75)
    return Block(row.height, (hair, *row.items))


def _label_indent(setting: Setting) -> float:
    """Return the start of labels beside boxes (mm)."""
    return setting.sizes.box + KEY_GAP + _key_width(setting)


def _key_width(setting: Setting) -> float:
    return KEY_ROOM * setting.sizes.key.size * POINT


def _choice_boxes(slot: Slot) -> list[question_types.AnswerBox]:
    return [box for box in question_types.answer_boxes(slot.question) if not box.value.startswith("~")]


def _choice_area(setting: Setting, slot: Slot, width: float, columns: int) -> Block:
    options = [
        _build_option(setting, slot, box, _box_words(slot, box), setting.sizes.body) for box in _choice_boxes(slot)
    ]
    if not columns:
        fitting = [
            n
            for n, counts in setting.sizes.columns
            if len(options) in counts and _can_fit_columns(setting, options, width, n)
        ]
        columns = fitting[0] if fitting else 1
    return _option_grid(options, width, columns, setting)


def _scale_area(setting: Setting, slot: Slot, width: float, columns: int) -> Block:
    """Return one row if every label fits under its box, else a list."""
    if columns:
        return _choice_area(setting, slot, width, columns)
    boxes = _choice_boxes(slot)
    each = width / len(boxes)
    style = setting.sizes.body
    labels = [_stack_languages(setting, _box_words(slot, box), each - 2, style, "center") for box in boxes]
    texts = [item for label in labels for item in label.items if isinstance(item, Text)]
    if any(text.laid.cut or len(text.laid.lines) > SCALE_LINES for text in texts):
        return _choice_area(setting, slot, width, 1)
    steps = [_scale_step(setting, slot, box, label, each) for box, label in zip(boxes, labels, strict=True)]
    return side_by_side((index * each, step) for index, step in enumerate(steps))


def _scale_step(setting: Setting, slot: Slot, box: question_types.AnswerBox, label: Block, width: float) -> Block:
    size = setting.sizes.box
    left = (width - size) / 2
    frame = Box(left, 0, size, size, slot.key, box.key, box.value)
    key = _key_text(setting, box.key, width / 2 - size / 2 - KEY_GAP).moved(left + size + KEY_GAP, size / 2)
    return Block(size + 1.2 + label.height, (frame, key, *label.moved(1, size + 1.2)))


def _number_area(setting: Setting, slot: Slot, width: float, _: int) -> Block:
    question, sizes = slot.question, setting.sizes
    cells = len(str(max(abs(question.maximum), abs(question.minimum or 0)))) if question.maximum is not None else 3
    comb = _comb(setting, slot, "number", cells)
    unit = _stack_languages(
        setting, lambda tongue: tongue.survey.question(question.id).unit, width - comb.width - 3, sizes.body
    )
    lines = [item for item in unit.items if isinstance(item, Text)]
    middle = lines[0].first_middle if len(lines) == 1 else unit.height / 2
    down = max(0.0, comb.height / 2 - middle)
    return Block(max(comb.height, down + unit.height), (comb, *unit.moved(comb.width + 3, down)))


def _comb(setting: Setting, slot: Slot, part: str, cells: int) -> Comb:
    return Comb(0, 0, cells * setting.sizes.cell, setting.sizes.cell * 1.15, slot.key, part, cells)


def _date_area(setting: Setting, slot: Slot, width: float, _: int) -> Block:
    """Return day, month, and year in the order of the first language, each with a label."""
    x, blocks = 0.0, []
    for part in date_order(setting.language.locale):
        comb = _comb(setting, slot, part, 4 if part == "year" else 2)
        name = _stack_languages(setting, partial(_part_name, part), comb.width, setting.sizes.hint, "center")
        blocks.append((x, Block(comb.height + 0.6 + name.height, (comb, *name.moved(0, comb.height + 0.6)))))
        x += comb.width + 5
    return side_by_side(blocks)


def _part_name(part: str, tongue: SheetLanguage) -> str:
    if part == "day":
        # translators: a name under cells for digits on paper: the day of a month
        return tongue.words.gettext("Day")
    if part == "month":
        # translators: a name under cells for digits on paper
        return tongue.words.gettext("Month")
    # translators: a name under cells for digits on paper
    return tongue.words.gettext("Year")


def _writing_area(setting: Setting, slot: Slot, width: float, _: int) -> Block:
    count = 1 if slot.question.kind == "words" else 5
    column = Column()
    for _line in range(count):
        column.add(WritingLine(0, 0, width, setting.sizes.line, slot.key))
    return column.block()


def _empty_area(setting: Setting, slot: Slot, width: float, _: int) -> Block:
    return Block(0.0, ())


_ANSWERS: dict[str, Callable[[Setting, Slot, float, int], Block]] = {
    "one": _choice_area,
    "several": _choice_area,
    "scale": _scale_area,
    "number": _number_area,
    "date": _date_area,
    "words": _writing_area,
    "long_words": _writing_area,
    "note": _empty_area,
}
