"""The panel on the cover about answering online instead."""

from engage.domain.paper.form.elements import POINT, Block, Code, Column, Place
from engage.domain.paper.form.page_frame import CLEAR, PHONE, PHONE_QUIET
from engage.domain.paper.form.typesetter import Setting, SheetLanguage


def phone_block(setting: Setting, way: str, width: float) -> Block:
    """Return the QR code with its white margin, and the same information as text beside it. `way` is Cover.phone."""
    start = PHONE + 2 * PHONE_QUIET
    inner, sizes = width - start, setting.sizes
    column = Column(start)
    column.put(setting.block(_phone_head, inner, sizes.lead))
    column.put(setting.block(_scan_text, inner, sizes.body), gap=0.6)
    column.add(_text_place("link", sizes.body.size * (0.8 if sizes.large else 1.0), inner, setting), gap=0.8)
    if way == "letter":
        column.put(setting.block(_letter_code_text, inner, sizes.body), gap=0.8)
    if way == "code":
        column.put(setting.block(_type_code_text, inner, sizes.body), gap=0.8)
        column.add(_text_place("code", sizes.body.size * 1.3, inner, setting, bold=True), gap=0.4)
    column.put(setting.block(_answer_once_text, inner, sizes.hint), gap=0.8)
    down = PHONE_QUIET - CLEAR  # at the top of a page, its white margin extends to the header
    items = (Code(0, down, PHONE, PHONE, "phone"), *column.items)
    return Block(max(down + PHONE + PHONE_QUIET, column.y), items)


def _phone_head(tongue: SheetLanguage) -> str:
    # translators: heading on a paper form: the same questions can be answered on a phone
    return tongue.words.gettext("On a phone instead")


def _scan_text(tongue: SheetLanguage) -> str:
    # translators: on a paper form, beside a square code for the camera of a phone; below it stands an address
    return tongue.words.gettext("Point the camera of your phone at the square, or type this address:")


def _type_code_text(tongue: SheetLanguage) -> str:
    # translators: on a paper form; below it stands the household's own code of letters and digits
    return tongue.words.gettext("If you are asked for a code, type this one:")


def _letter_code_text(tongue: SheetLanguage) -> str:
    # translators: on a paper form, below the address of the survey; the code came to the family before
    return tongue.words.gettext("If you are asked for a code, use the code from your letter.")


def _answer_once_text(tongue: SheetLanguage) -> str:
    # translators: on a paper form, where it says that the survey can be answered on a phone too
    return tongue.words.gettext("Please answer once: on paper or on a phone.")


def _text_place(name: str, size: float, width: float, setting: Setting, bold: bool = False) -> Place:
    return Place(0, 0, width, size * 1.4 * POINT, name, size, bold)
