"""Type sizes and lengths of a sheet: standard, large print, compact."""

from dataclasses import dataclass

SOFT = 0.34  # ink of what matters less; still dark enough for a copier (7.2:1 on white)


@dataclass(frozen=True, slots=True)
class Style:
    """Type size in points, weight, ink (0 black, 1 white), and what it is used for (`tagging.py`)."""

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
    box: float  # at least 4 mm, so that a cross by an unsteady hand is seen
    cell: float  # width of a cell for one digit
    line: float  # room for one line of handwriting
    gutter: float  # where the question's number stands
    row: float  # between two boxes: twice the reach a reader looks around each
    answer: float  # between a question and its answer
    gap: float  # between two questions
    large: bool = False
    columns: tuple[tuple[int, range], ...] = ((3, range(9, 99)), (2, range(5, 99)), (2, range(2, 3)))
    """Columns for so many choices whose words fit, the first that fit; else one."""


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
LARGE = Sizes(  # 18 points and up: what the American Printing House for the Blind calls large print
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
COMPACT = Sizes(  # as few leaves as can be: what families read keeps 9 points, a box keeps 4 mm
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
