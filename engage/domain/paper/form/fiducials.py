"""Where the corners' marks and the code of a page stand, by which a scanner finds page, serial and boxes.

Lengths in mm. Sizes are those that read best in trials: ArUco marks of 8 mm, a QR of 18 mm at level Q.
"""

from engage.domain.paper.form.elements import Code, Mark

EDGE = 9.0  # from the edge of the paper, where no printer prints, to the marks
MARK = 8.0
ALONE = 2.0  # around a mark, where nothing else stands
CODE = 18.0
MODULES = 25  # a side, in a QR of version 2
QUIET = 4 * CODE / MODULES  # white around the code: 4 modules
PHONE = 22.0  # the code for a phone's camera: it holds a longer text
PHONE_QUIET = 4 * PHONE / 21  # the coarsest QR has 21 modules
ROUND = 12  # pages until the marks' numbers begin again: DICT_4X4_50 has room for 12 times 4


def mark_id(page: int, corner: int) -> int:
    """The number of a mark; `page` from 1, `corner` 0 to 3 clockwise from the top left of the paper as it lies."""
    return 4 * ((page - 1) % ROUND) + corner


def page_marks(width: float, height: float, page: int) -> list[Mark]:
    """The four marks of a page; `height` ends where a strip is torn away."""
    left, right, top, bottom = EDGE, width - EDGE - MARK, EDGE, height - EDGE - MARK
    places = ((left, top), (right, top), (right, bottom), (left, bottom))
    return [Mark(x, y, MARK, MARK, mark_id(page, corner)) for corner, (x, y) in enumerate(places)]


def page_code(width: float) -> Code:
    """The code of a page that is read from the left, beside the mark at the end of its first line."""
    return Code(width - EDGE - MARK - QUIET - CODE, EDGE, CODE, CODE, "sheet")
