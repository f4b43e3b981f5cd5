"""A cover that has the first page to itself: what shows when the set is folded, what a family must know, and the strip
with the secret reply code to tear off and keep."""

from collections.abc import Sequence
from dataclasses import replace

from engage.paper.cover import (
    BETWEEN,
    CHOOSING,
    LASTING,
    PAD,
    Cover,
    asking,
    filling,
    filling_head,
    interpreting,
    joined,
    purpose,
    returning,
    seeing,
    stacked,
    tinted,
    title,
)
from engage.paper.directions import POP
from engage.paper.frame import CLEAR, SIDE
from engage.paper.marks import ALONE, EDGE, MARK, PHONE, PHONE_QUIET
from engage.paper.setting import Setting, Tongue
from engage.paper.sheet import POINT, Block, Code, Column, Item, Panel, Place, beside

LTR = "\u2066"  # an address and a number keep their order in any sentence
WINDOW = (22.0, 62.0, 70.0, 18.0)  # x, y, width, height: seen through a US #10 and a DIN C5/6 window, however it slides
HIDDEN = 54.0  # mm from the top: above it hardly anything is seen through a window
TO_SIZE = 11.0  # points
TICK = 3.0  # mm: a short line at the edge, where to fold
SEEN = 140.0  # mm from the left: beyond it nothing is seen through a window
ASIDE = 3.0  # mm between title and what stands beside the window
GAPS = (4.5, 3.8, 3.0, 2.2)  # mm between two parts, the widest that fits
TEAR = 5.0  # mm between the line to tear along and the words below it
STRIP_FOOT = 9.0  # mm from the strip's words to the edge
STRIP_SIDE = 6.0  # mm from the edge to the ends of the line to tear along


def outside(cover: Cover, height: float, end: float, rtl: bool) -> list[Item]:
    """What stands on the paper as it lies, whichever way it is read: the window's lines, and where to fold in three.

    `end` is where the page ends above the strip; a short line at a fold is left out where the marks above it stand.
    """
    if not cover.outside:
        return []
    folds = [height * part / 3 for part in (1, 2)]
    bare = [fold for fold in folds if not end - EDGE - MARK - ALONE < fold < end - EDGE + ALONE]
    ticks = [Panel(STRIP_SIDE, fold, TICK, 0.2, ink=0.5) for fold in bare]
    return [Place(*WINDOW, "to", TO_SIZE, align="right" if rtl else "left"), *ticks]


def heading(setting: Setting, cover: Cover, top: float, width: float) -> Block | None:
    """The title above the window; None where it would show through it."""
    said = title(setting, width)
    return said if cover.outside and top + said.height <= HIDDEN else None


def beside_window(setting: Setting, cover: Cover, width: float, height: float) -> Block | None:
    """Who asks and how long it takes, as far right as no window reaches, on paper `width` by `height` mm as it is read.

    None where that does not hold it.
    """
    if not (cover.outside and _roomy(setting)):
        return None
    room = width - SIDE - SEEN
    said = stacked([telling.block(setting, room) for telling in (asking(cover), LASTING)], gap=3.0)
    start = SIDE if setting.language.rtl else SEEN
    fits = HIDDEN + ASIDE + said.height <= height / 3
    return Block(said.height, said.moved(start, HIDDEN + ASIDE)) if fits else None


def leaf_blocks(
    setting: Setting, cover: Cover, width: float, first: Sequence[Block], told: bool, room: float
) -> list[Block]:
    """The cover below the fold, `first` first, and for the head of the next page how to fill in.

    `told`: who asks and how long it takes stands above. The parts close up where else `room` mm would not hold them.
    """
    tellings = [] if told else [asking(cover), LASTING]
    tellings += [seeing(cover), CHOOSING, returning(cover)]
    tellings += [interpreting(cover)] if cover.interpreter else []
    parts = [*first, purpose(setting, width)]
    if _roomy(setting):
        each = (width - BETWEEN) / 2
        cells = [telling.block(setting, each) for telling in tellings]
        parts += [_pair(cells[at : at + 2], each) for at in range(0, len(cells), 2)]
    else:
        parts += [telling.block(setting, width) for telling in tellings]
    parts += [_phone(setting, cover, width)] if cover.phone else []
    wanted = sum(part.height for part in parts)
    gap = next((gap for gap in GAPS if wanted + gap * (len(parts) - 1) <= room), GAPS[0])
    return [*(replace(part, gap=gap) for part in parts), _how(setting, width)]


def _roomy(setting: Setting) -> bool:
    """Whether two columns of words stand well beside each other."""
    return not setting.sizes.large and (setting.arrangement == "under" or len(setting.tongues) == 1)


def _pair(cells: Sequence[Block], each: float) -> Block:
    return beside((index * (each + BETWEEN), cell) for index, cell in enumerate(cells))


def _how(setting: Setting, width: float) -> Block:
    """How to fill in, across the head of the page where the questions begin."""
    inner = width - 2 * PAD
    head = setting.block(filling_head, inner, setting.sizes.lead)
    if _roomy(setting):
        each = (inner - 2 * PAD) / 3
        shown = beside((index * (each + PAD), block) for index, block in enumerate(filling(setting, each, level=False)))
    else:
        shown = stacked(filling(setting, inner), gap=2.3)
    return replace(tinted(stacked([head, shown], gap=2.5), width), gap=6.0, inside=True)


def _phone(setting: Setting, cover: Cover, width: float) -> Block:
    """The code for a phone's camera with its white margin, and beside it the same in words."""
    start = PHONE + 2 * PHONE_QUIET
    inner, sizes = width - start, setting.sizes
    column = Column(start)
    column.put(setting.block(_phone_head, inner, sizes.lead))
    column.put(setting.block(_scan, inner, sizes.body), gap=0.6)
    column.add(_room("link", sizes.body.size * (0.8 if sizes.large else 1.0), inner, setting), gap=0.8)
    if cover.phone == "letter":
        column.put(setting.block(_letter, inner, sizes.body), gap=0.8)
    if cover.phone == "code":
        column.put(setting.block(_typing, inner, sizes.body), gap=0.8)
        column.add(_room("code", sizes.body.size * 1.3, inner, setting, bold=True), gap=0.4)
    column.put(setting.block(_once, inner, sizes.hint), gap=0.8)
    down = PHONE_QUIET - CLEAR  # where the block begins a page its white margin reaches up to the header
    items = (Code(0, down, PHONE, PHONE, "phone"), *column.items)
    return Block(max(down + PHONE + PHONE_QUIET, column.y), items)


def _phone_head(tongue: Tongue) -> str:
    # translators: heading on a paper form: the same questions can be answered on a phone
    return tongue.words.gettext("On a phone instead")


def _scan(tongue: Tongue) -> str:
    # translators: on a paper form, beside a square code for the camera of a phone; below it stands an address
    return tongue.words.gettext("Point the camera of your phone at the square, or type this address:")


def _typing(tongue: Tongue) -> str:
    # translators: on a paper form; below it stands the household's own code of letters and digits
    return tongue.words.gettext("If you are asked for a code, type this one:")


def _letter(tongue: Tongue) -> str:
    # translators: on a paper form, below the address of the survey; the code came to the family before
    return tongue.words.gettext("If you are asked for a code, use the code from your letter.")


def _once(tongue: Tongue) -> str:
    # translators: on a paper form, where it says that the survey can be answered on a phone too
    return tongue.words.gettext("Please answer once: on paper or on a phone.")


def _room(name: str, size: float, width: float, setting: Setting, bold: bool = False) -> Place:
    return Place(0, 0, width, size * 1.4 * POINT, name, size, bold)


def strip(setting: Setting, cover: Cover, width: float, side: float) -> Block:
    """The strip to tear off, as wide as the page; its words keep `side` mm from the edges."""
    inner, sizes = width - 2 * side, setting.sizes
    size = sizes.body.size * (1.3 if sizes.large else 1.75)
    wide = 11 * size * POINT + 2 * PAD  # 16 digits in fours take 10 times the type size
    number = tinted(Block(size * 1.4 * POINT, (_reply_place(size, wide - 2 * PAD),)), wide)
    if _roomy(setting):
        words = beside([(0.0, _kept(setting, cover, inner - wide - BETWEEN)), (inner - wide, number)])
    else:
        words = stacked([_kept(setting, cover, inner), number], gap=3)
    tear = Panel(STRIP_SIDE, 0, width - 2 * STRIP_SIDE, 0.2, ink=0.3, dashed=True)
    return Block(TEAR + words.height + STRIP_FOOT, (tear, *words.moved(side, TEAR)))


def _kept(setting: Setting, cover: Cover, width: float) -> Block:
    head = setting.block(_keep, width, setting.sizes.lead)
    told = setting.block(lambda tongue: _reply(tongue, cover), width, setting.sizes.body)
    return stacked([head, told], gap=0.6)


def _reply_place(size: float, width: float) -> Place:
    return Place(0, 0, width, size * 1.4 * POINT, "reply", size, bold=True, align="center")


def _keep(tongue: Tongue) -> str:
    # translators: on the strip of a paper form that the family tears off; below it stands the secret reply code
    return tongue.words.gettext("Tear this part off and keep it")


def _reply(tongue: Tongue, cover: Cover) -> str:
    words = tongue.words
    # translators: on the strip of a paper form, beside the reply code of 16 digits
    said = [words.gettext("This is your secret reply code. Please do not write it on the form.")]
    if cover.answers:
        # translators: on the strip of a paper form, after the reply code; %(address)s is an address on the web
        where = words.gettext(
            "If you ask the school something on this form, read the answer with this code at %(address)s."
        )
        said.append(where % {"address": f"{LTR}{cover.answers}{POP}"})
    return joined(said)
