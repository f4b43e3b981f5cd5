"""Type sizes and lengths of a form: standard, large print, compact."""

from dataclasses import dataclass

SOFT = 0.34  # ink of secondary text; still dark enough for a copier (contrast 7.2:1 on white)


@dataclass(frozen=True, slots=True)
class Style:
    """Type size in points, weight, ink (0 black, 1 white), and role (`tagging.py`)."""

    size: float
    bold: bool = False
    ink: float = 0.0
    role: str = "P"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Type styles, and lengths in mm."""

    title: Style
    section: Style
    lead: Style
    question: Style
    body: Style
    hint: Style
    key: Style
    small: Style
    box: float  # at least 4 mm, so that a cross by an unsteady hand is recognized
    cell: float  # width of a cell for one digit
    line: float  # space for one line of handwriting
    gutter: float  # width for the question's number
    row: float  # between two boxes: twice the distance that a reader searches around each
    answer: float  # between a question and its answer
    gap: float  # between two questions
    large: bool = False
    columns: tuple[tuple[int, range], ...] = ((3, range(9, 99)), (2, range(5, 99)), (2, range(2, 3)))
    """Columns and the numbers of choices they apply to. The first entry whose labels fit is used; else one column."""


NORMAL = Sizes(
    title=Style(23, bold=True, role="H1"),
    section=Style(14, bold=True, role="H2"),
    lead=Style(9.5, bold=True),
    question=Style(10.5, bold=True, role="H3"),
    body=Style(10.5),
    hint=Style(9, ink=SOFT),
    key=Style(7, ink=SOFT),
    small=Style(7.5, ink=SOFT, role="Artifact"),
    box=4.4,
    cell=7.0,
    line=9.0,
    gutter=9.0,
    row=2.2,
    answer=2.4,
    gap=6.5,
)
LARGE = Sizes(  # 18 points and up, the definition of large print by the American Printing House for the Blind
    title=Style(30, bold=True, role="H1"),
    section=Style(24, bold=True, role="H2"),
    lead=Style(18, bold=True),
    question=Style(18, bold=True, role="H3"),
    body=Style(18),
    hint=Style(18),
    key=Style(12),
    small=Style(11, role="Artifact"),
    box=7.0,
    cell=10.0,
    line=13.0,
    gutter=14.0,
    row=3.0,
    answer=4.0,
    gap=9.0,
    large=True,
)
COMPACT = Sizes(  # as few sheets of paper as possible; texts for families have at least 9 points, boxes 4 mm
    title=Style(17, bold=True, role="H1"),
    section=Style(11.5, bold=True, role="H2"),
    lead=Style(9, bold=True),
    question=Style(9.5, bold=True, role="H3"),
    body=Style(9),
    hint=Style(9, ink=SOFT),
    key=Style(7, ink=SOFT),
    small=Style(7.5, ink=SOFT, role="Artifact"),
    box=4.0,
    cell=6.2,
    line=7.5,
    gutter=8.0,
    row=1.9,
    answer=1.7,
    gap=4.4,
    columns=((4, range(4, 99)), (3, range(3, 99)), (2, range(2, 99))),
)
STYLES = {"standard": NORMAL, "large": LARGE, "compact": COMPACT}
