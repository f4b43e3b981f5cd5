"""A question as a block: number, text, direction, answer area, and skip instructions.

Items are placed left to right; `layout.py` mirrors whole pages once for right-to-left languages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from engage.domain.paper.form.answer_areas import answer_block, date_order
from engage.domain.paper.form.elements import POINT, Block, Column, Panel, Text, side_by_side
from engage.domain.paper.form.skip_labels import jump_lines
from engage.domain.paper.form.typesetter import BETWEEN, Say, Setting, SheetLanguage, Sizes, Style
from engage.questionnaire.model import Words
from engage.questionnaire.routing import Slot
from engage.questionnaire.skip_instructions import format_direction

__all__ = ["TooTall", "date_order", "question_block"]

PAD = 1.6  # mm inside a tinted panel
TINT, DARK = 0.9, 0.25  # ink of a panel, and the lightest ink on it (contrast 8:1)
APART = 1.2  # mm between a question and its translation below it
TIGHT = 1.6  # mm: minimum space between boxes, so that a cross in one is not read in another


class TooTall(Exception):
    """A text that does not fit on a page of its own. The message says which, and what to do. `question` is the
    question's id, empty for other texts."""

    def __init__(self, message: str, question: str = "") -> None:
        super().__init__(message)
        self.question = question


def question_block(setting: Setting, slot: Slot, width: float, most: float) -> Block:
    """Return the block of a question, `width` mm wide. Raises TooTall if it cannot be made lower than `most` mm."""
    least = float("inf")
    for attempt, columns in _setting_attempts(setting):
        block = _lay_out_question(attempt, slot, width, columns)
        if block.height <= most:
            return block
        least = min(least, block.height)
    tags = " + ".join(tongue.language.tag for tongue in setting.tongues)
    raise TooTall(
        f'{setting.survey.slug}, question "{slot.question.id}", {tags}: it is {least:.0f} mm '
        f"high and a page has {most:.0f} mm; shorten its words or choices, or split it into two questions",
        slot.question.id,
    )


def _setting_attempts(setting: Setting) -> Iterator[tuple[Setting, int]]:
    """Yield ways to set a question, from the most spacious to the lowest, each with its columns (0: by length)."""
    ways = [setting]
    if setting.second is not None:
        ways += [replace(setting, arrangement=each) for each in ("under", "along") if each != setting.arrangement]
    last = ways[-1]
    lower = [replace(last, sizes=each) for each in _lower_sizes(setting.sizes)]
    yield from ((way, 0) for way in ways)
    yield from ((way, columns) for way in (*ways[-2:], *lower) for columns in (1, 2, 3, 4))


def _lower_sizes(sizes: Sizes) -> Iterator[Sizes]:
    """Yield sizes for a question that would not fit otherwise: less space; in large print also smaller type, still
    large."""
    tight = replace(sizes, row=TIGHT, answer=TIGHT, gap=min(sizes.gap, 4.0))
    yield tight
    if sizes.large:
        soft = replace(tight, hint=replace(sizes.hint, size=13))
        yield soft
        strong, body = (replace(each, size=15) for each in (sizes.question, sizes.body))
        yield replace(soft, question=strong, body=body, hint=replace(sizes.hint, size=12), box=6.0)


def _lay_out_question(setting: Setting, slot: Slot, width: float, columns: int) -> Block:
    """Lay out a question with its choices in `columns` columns; 0 decides by their length."""
    question, sizes = slot.question, setting.sizes
    inner = width - sizes.gutter
    column = Column(sizes.gutter)
    rule = question.shown_when
    if rule is not None:
        column.put(
            _directions_block(setting, lambda tongue: format_direction(rule, tongue.survey, tongue.words), inner)
        )
    top = column.y + (1.6 if column.items else 0)
    column.put(_question_text_block(setting, slot, inner), gap=1.6)
    place = answer_block(setting, slot, inner, columns)
    if place.items:
        column.put(place, gap=sizes.answer)
    onward = _directions_block(setting, lambda tongue: _jump_text(tongue, slot), inner)
    if onward.items:
        column.put(onward, gap=sizes.answer)
    number = setting.numbers.get(question.id)
    style = replace(sizes.question, role=f"{sizes.question.role} {slot.key}")  # one heading with the question
    marks = [setting.text(str(number), sizes.gutter - 1, style).moved(0, top)] if number else []
    return Block(column.y, (*marks, *column.items), gap=sizes.gap)


def _jump_text(tongue: SheetLanguage, slot: Slot) -> str:
    return "\n".join(jump_lines(tongue.survey, tongue.words, tongue.language.locale, slot))


def _question_text_block(setting: Setting, slot: Slot, width: float) -> Block:
    """Return question and hint, language by language, so that each is read continuously."""
    labels = list(_texts_by_language(setting, slot))
    if setting.arrangement == "beside" and len(labels) > 1:
        each = (width - BETWEEN) / 2
        blocks = [
            _stack_texts([setting.side_text(tongue, text, each, style) for text, style in sayings])
            for tongue, sayings in labels
        ]
        return side_by_side((index * (each + BETWEEN), block) for index, block in enumerate(blocks))
    column = Column()
    for index, (tongue, sayings) in enumerate(labels):
        styled = [(text, setting.lesser(style) if index else style) for text, style in sayings]
        column.put(_stack_texts([setting.page(tongue, text, width, style) for text, style in styled]), gap=APART)
    return column.block()


def _texts_by_language(setting: Setting, slot: Slot) -> Iterator[tuple[SheetLanguage, list[tuple[Words, Style]]]]:
    """Yield every language with its texts and their styles, without empty and duplicate texts."""
    strong = setting.sizes.body if slot.question.kind == "note" else setting.sizes.question
    strong = replace(strong, role=f"{strong.role} {slot.key}")
    before: tuple[Words, ...] = ()
    for tongue in setting.tongues:
        question = tongue.survey.question(slot.question.id)
        texts = ((question.text, strong), (question.hint, setting.sizes.hint))
        new = [each for each in texts if each[0] and not any(setting.same(other, each[0]) for other in before)]
        if new:
            yield tongue, new
        before = (question.text, question.hint)


def _stack_texts(texts: Sequence[Text]) -> Block:
    column = Column()
    for text in texts:
        column.add(text, gap=0.6)
    return column.block()


def _directions_block(setting: Setting, say: Say, width: float) -> Block:
    """Return directions on a tinted background; an empty block if there are none."""
    block = setting.block(say, width - 2 * PAD, replace(setting.sizes.hint, ink=0.0))
    texts = [item for item in block.items if isinstance(item, Text)]
    if not texts:
        return block
    wide = setting.arrangement == "beside" and len(texts) > 1
    used = width if wide else max(text.laid.widest for text in texts) * POINT + 2 * PAD + 0.2
    tint = Panel(0, 0, min(width, used), block.height + PAD, ink=TINT)
    dark = [replace(text, ink=min(text.ink, DARK)).moved(PAD, PAD / 2) for text in texts]
    return Block(tint.height, (tint, *dark))
