"""The cover as a page of its own: what is visible when the form is folded, and what a family must know."""

from collections.abc import Sequence
from dataclasses import replace

from engage.domain.paper.form.cover import (
    BETWEEN,
    CHOOSING,
    LASTING,
    PAD,
    Cover,
    CoverSection,
    fill_in_blocks,
    fill_in_head,
    has_room_for_columns,
    interpreter_section,
    purpose_block,
    return_section,
    stack_blocks,
    tint_block,
    title_block,
    who_asks_section,
    who_sees_section,
)
from engage.domain.paper.form.elements import Block, Item, Panel, Place, side_by_side
from engage.domain.paper.form.online_panel import phone_block
from engage.domain.paper.form.page_frame import ALONE, CLEAR, EDGE, MARK, SIDE
from engage.domain.paper.form.typesetter import Setting

WINDOW = (22.0, 62.0, 70.0, 18.0)  # x, y, width, height: visible in US #10 and DIN C5/6 windows in any position
HIDDEN = 54.0  # mm from the top: almost nothing above is visible in a window
TO_SIZE = 11.0  # points: no limit
TICK = 3.0  # mm: length of a fold mark at the edge
SEEN = 140.0  # mm from the left: nothing beyond is visible in a window
ASIDE = 3.0  # mm between the title and the block beside the window
GAPS = (4.5, 3.8, 3.0, 2.2)  # mm between two parts; the widest that fits is used
TICK_SIDE = 6.0  # mm from the edge to the fold marks


def outside_items(cover: Cover, height: float, end: float, rtl: bool) -> list[Item]:
    """Return the items outside a folded cover, for either reading direction: the lines in the window, and fold marks
    for thirds.

    `end` is where the page ends above the strip. A fold mark is left out where it would touch a corner marker.
    """
    if not cover.outside:
        return []
    folds = [height * part / 3 for part in (1, 2)]
    bare = [fold for fold in folds if not end - EDGE - MARK - ALONE < fold < end - EDGE + ALONE]
    ticks = [Panel(TICK_SIDE, fold, TICK, 0.2, ink=0.5) for fold in bare]
    return [Place(*WINDOW, "to", TO_SIZE, align="right" if rtl else "left"), *ticks]


def heading_block(setting: Setting, cover: Cover, top: float, width: float) -> Block | None:
    """Return the title above the window; None if it would be visible in it."""
    block = title_block(setting, width)
    return block if cover.outside and top + block.height <= HIDDEN else None


def window_side_block(setting: Setting, cover: Cover, width: float, height: float) -> Block | None:
    """Return who asks and how long it takes, in the area to the right that no window shows, on paper of `width` by
    `height` mm.

    None if it does not fit.
    """
    if not (cover.outside and has_room_for_columns(setting)):
        return None
    room = width - SIDE - SEEN
    block = stack_blocks([telling.block(setting, room) for telling in (who_asks_section(cover), LASTING)], gap=3.0)
    start = SIDE if setting.language.rtl else SEEN
    fits = HIDDEN + ASIDE + block.height <= height / 3
    return Block(block.height, block.moved(start, HIDDEN + ASIDE)) if fits else None


def leaf_blocks(
    setting: Setting, cover: Cover, width: float, first: Sequence[Block], intro_above: bool, room: float
) -> list[Block]:
    """Return the cover below the fold, starting with `first`, and the instructions for the top of the next page.

    `intro_above`: who asks and how long it takes is above the fold. Gaps are reduced if otherwise `room` mm would not
    be enough.
    """
    tellings = [] if intro_above else [who_asks_section(cover), LASTING]
    tellings += [who_sees_section(cover), CHOOSING, return_section(cover)]
    tellings += [interpreter_section(cover)] if cover.interpreter else []
    before = [*first, purpose_block(setting, width)]
    after = [phone_block(setting, cover.phone, width)] if cover.phone else []
    ways = [[*before, *told_ways, *after] for told_ways in _arrange_sections(setting, tellings, width)]
    fitting = [(gap, parts) for parts in ways for gap in GAPS if _parts_height(parts, gap, len(after)) <= room]
    gap, parts = fitting[0] if fitting else (GAPS[0], ways[0])
    apart = [max(gap, CLEAR) if part in after else gap for part in parts]
    return [*(replace(part, gap=each) for part, each in zip(parts, apart, strict=True)), _fill_in_block(setting, width)]


def _parts_height(parts: Sequence[Block], gap: float, codes: int) -> float:
    """Return the height of parts. `codes` of them have a QR code, whose white margin requires `CLEAR` above."""
    return sum(part.height for part in parts) + gap * (len(parts) - 1) + codes * max(0.0, CLEAR - gap)


def _arrange_sections(setting: Setting, tellings: Sequence[CoverSection], width: float) -> list[list[Block]]:
    """Return possible arrangements of the sections: rows of two, or two independent columns, which are lower. In large
    print and in two languages, they are below each other."""
    if not has_room_for_columns(setting):
        return [[telling.block(setting, width) for telling in tellings]]
    each = (width - BETWEEN) / 2
    cells = [telling.block(setting, each) for telling in tellings]
    rows = [_pair_block(cells[at : at + 2], each) for at in range(0, len(cells), 2)]
    return [rows, [_pair_block(_fill_columns(cells), each)]]


def _fill_columns(cells: Sequence[Block]) -> list[Block]:
    """Add each cell to the column that is shorter so far."""
    columns: tuple[list[Block], list[Block]] = ([], [])
    for cell in cells:
        min(columns, key=lambda column: sum(block.height for block in column)).append(cell)
    return [stack_blocks(column, gap=3.0) for column in columns]


def _pair_block(cells: Sequence[Block], each: float) -> Block:
    return side_by_side((index * (each + BETWEEN), cell) for index, cell in enumerate(cells))


def _fill_in_block(setting: Setting, width: float) -> Block:
    """Return the instructions, across the top of the page where the questions begin."""
    inner = width - 2 * PAD
    head = setting.block(fill_in_head, inner, setting.sizes.lead)
    if has_room_for_columns(setting):
        each = (inner - 2 * PAD) / 3
        panel = side_by_side(
            (index * (each + PAD), block) for index, block in enumerate(fill_in_blocks(setting, each, level=False))
        )
    else:
        panel = stack_blocks(fill_in_blocks(setting, inner), gap=2.3)
    return replace(tint_block(stack_blocks([head, panel], gap=2.5), width), gap=6.0, inside=True)
