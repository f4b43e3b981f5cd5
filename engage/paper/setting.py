"""How a sheet is set: sizes, and the words of one language turned into text items."""

from dataclasses import dataclass
from gettext import NullTranslations

from engage.languages import LANGUAGES, Language
from engage.paper.fonts import Faces
from engage.paper.sheet import POINT, Text
from engage.paper.text import lay
from engage.questionnaire.shape import Survey

SOFT = 0.35  # ink of what matters less; still dark enough for a copier (7:1 on white)


@dataclass(frozen=True, slots=True)
class Style:
    """Type size in points, weight, and ink (0 black, 1 white)."""

    size: float
    bold: bool = False
    ink: float = 0.0


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


NORMAL = Sizes(
    title=Style(23, bold=True),
    section=Style(14, bold=True),
    lead=Style(9.5, bold=True),
    question=Style(10.5, bold=True),
    body=Style(10.5),
    hint=Style(9, ink=SOFT),
    key=Style(7, ink=SOFT),
    small=Style(7.5, ink=SOFT),
    box=4.4,
    cell=7.0,
    line=9.0,
    gutter=9.0,
    row=2.2,
    answer=2.4,
    gap=6.5,
)
LARGE = Sizes(  # 18 points and up: what the American Printing House for the Blind calls large print
    title=Style(30, bold=True),
    section=Style(24, bold=True),
    lead=Style(18, bold=True),
    question=Style(18, bold=True),
    body=Style(18),
    hint=Style(18),
    key=Style(12),
    small=Style(11),
    box=7.0,
    cell=10.0,
    line=13.0,
    gutter=14.0,
    row=3.0,
    answer=4.0,
    gap=9.0,
    large=True,
)


@dataclass(frozen=True, slots=True)
class Typesetter:
    """Turns words into text items for pages in one language."""

    language: Language
    faces: Faces

    def text(self, text: str, width: float, style: Style, align: str = "start") -> Text:
        """A paragraph `width` mm wide. Words in another language keep their own direction; the page's side stays.

        `align` is "start", "end" or "center".
        """
        own = LANGUAGES.get(getattr(text, "language", ""), self.language)
        start, end = ("right", "left") if self.language.rtl else ("left", "right")
        side = {"start": start, "end": end}.get(align, align)
        laid = lay(
            str(text), width / POINT, style.size, self.faces, own.direction, own.tag, bold=style.bold, align=side
        )
        return Text(0.0, 0.0, width, laid.height * POINT, laid, style.ink)


@dataclass(frozen=True, slots=True)
class Setting(Typesetter):
    """Everything a survey's blocks need to be laid out in one language."""

    survey: Survey
    words: NullTranslations
    sizes: Sizes
    numbers: dict[str, int]
