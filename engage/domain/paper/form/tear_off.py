"""The tear-off strip with the secret reply code, which a family keeps."""

from engage.domain.paper.form.cover import (
    BETWEEN,
    PAD,
    Cover,
    has_room_for_columns,
    join_sentences,
    stack_blocks,
    tint_block,
)
from engage.domain.paper.form.elements import POINT, Block, Panel, Place, side_by_side
from engage.domain.paper.form.typesetter import Setting, SheetLanguage
from engage.questionnaire.skip_instructions import POP

LTR = "\u2066"  # keeps the order of a URL in any sentence
TEAR = 5.0  # mm between the tear-off line and the text below it
FOOT = 9.0  # mm from the text to the edge of the paper
ENDS = 6.0  # mm from the edge to the ends of the tear-off line


def tear_off_strip(setting: Setting, cover: Cover, width: float, side: float) -> Block:
    """Return the strip, as wide as the page, with its text `side` mm from the edges."""
    inner, sizes = width - 2 * side, setting.sizes
    size = sizes.body.size * (1.3 if sizes.large else 1.75)
    wide = 11 * size * POINT + 2 * PAD  # 16 digits in groups of four are 10 times the type size wide
    number = tint_block(Block(size * 1.4 * POINT, (_reply_place(size, wide - 2 * PAD),)), wide)
    if has_room_for_columns(setting):
        words = side_by_side([(0.0, _reply_code_block(setting, cover, inner - wide - BETWEEN)), (inner - wide, number)])
    else:
        words = stack_blocks([_reply_code_block(setting, cover, inner), number], gap=3)
    tear = Panel(ENDS, 0, width - 2 * ENDS, 0.2, ink=0.3, dashed=True)
    return Block(TEAR + words.height + FOOT, (tear, *words.moved(side, TEAR)))


def _reply_code_block(setting: Setting, cover: Cover, width: float) -> Block:
    head = setting.block(_keep_text, width, setting.sizes.lead)
    block = setting.block(lambda tongue: _reply_text(tongue, cover), width, setting.sizes.body)
    return stack_blocks([head, block], gap=0.6)


def _reply_place(size: float, width: float) -> Place:
    return Place(0, 0, width, size * 1.4 * POINT, "reply", size, bold=True, align="center")


def _keep_text(tongue: SheetLanguage) -> str:
    # translators: on the strip of a paper form that the family tears off; below it stands the secret reply code
    return tongue.words.gettext("Tear this part off and keep it")


def _reply_text(tongue: SheetLanguage, cover: Cover) -> str:
    words = tongue.words
    # translators: privacy: on the strip of a paper form, beside the reply code of 16 digits
    sentences = [words.gettext("This is your secret reply code. Please do not write it on the form.")]
    if cover.answers:
        # translators: on the strip of a paper form, after the reply code; %(address)s is an address on the web
        where = words.gettext(
            "If you ask the school something on this form, read the answer with this code at %(address)s."
        )
        sentences.append(where % {"address": f"{LTR}{cover.answers}{POP}"})
    return join_sentences(sentences)
