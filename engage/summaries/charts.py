"""Charts as scenes: rectangles, lines and text in logical coordinates, mirrored once, drawn as SVG or on paper.

`x` is measured from where reading starts (the right in Arabic) and grows in reading direction, `y` from the top; the
unit is one CSS pixel at the narrowest phone. Every number is written beside its mark, steps of a scale differ in grey
and in hatching, and a hidden number is a word without any length. A table with the same numbers belongs beside it.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 328  # px: what a 360 px phone leaves between margins
SIZE = 14  # px of text
_LINE = 18  # px from one line of text to the next
_BAR = 16  # px height of a bar
_GAP = 14  # px between one bar and the next label
_WHISKER = 3  # px above and below the middle
_EM_WIDE, _EM = 1.0, 0.56  # width of an East Asian, and of any other character, in text sizes; on the safe side
INK, FRAME = "#1b1b1b", "#767676"
GREYS = ("#262626", "#6e6e6e", "#b8b8b8", "#e6e6e6", "#8f8f8f", "#4a4a4a", "#d0d0d0")


@dataclass(frozen=True, slots=True)
class Rect:
    """A filled rectangle; `step` is the shade (0 darkest) and, for odd steps, hatching."""

    x: float
    y: float
    width: float
    height: float
    step: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str = INK


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text, beginning at `x` on the baseline `y`; its direction is that of its own language."""

    x: float
    y: float
    text: str
    language: str = ""
    rtl: bool = False
    bold: bool = False


Mark = Rect | Line | Text


@dataclass(frozen=True, slots=True)
class Scene:
    """A chart ready to be drawn; `rtl` mirrors it. Title and description are for those who do not see it."""

    width: float
    height: float
    rtl: bool
    title: str
    description: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """Words with the language they are really in."""

    text: str
    language: str
    rtl: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One answer: its words, its number as words, its share (None: hidden) and the interval, in 0..1."""

    label: Label
    value: Label
    share: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """One group's answers to a scale: the shares of its steps, lowest first (None where any of them is hidden)."""

    label: Label
    value: Label
    shares: tuple[float, ...] | None


def bars(title: str, description: str, shown: Sequence[Bar], rtl: bool) -> Scene:
    """One bar below each label, with a whisker from low to high; the full width is 100 %."""
    marks: list[Mark] = []
    y = 0.0
    for bar in shown:
        y, heading = _heading(y, bar.label, bar.value)
        marks += heading
        marks.append(Line(0, y + _BAR, WIDTH, y + _BAR, FRAME))
        if bar.share is not None:
            marks.append(Rect(0, y, bar.share * WIDTH, _BAR, step=2))
        if bar.share is not None and bar.low is not None and bar.high is not None:
            marks += _whisker(bar.low * WIDTH, bar.high * WIDTH, y + _BAR / 2)
        y += _BAR + _GAP
    return Scene(WIDTH, y, rtl, title, description, tuple(marks))


def diverging(title: str, description: str, groups: Sequence[Scale], steps: Sequence[Label], rtl: bool) -> Scene:
    """A scale by group: lower steps before a middle line, higher ones behind it, a middle step astride; legend below.

    All bars share one measure: the middle line stands so that the widest on either side just fits.
    """
    known = [each.shares for each in groups if each.shares is not None]
    before = max((_before(each) for each in known), default=0.5)
    after = max((sum(each) - _before(each) for each in known), default=0.5)
    unit = WIDTH / max(before + after, 1e-9)
    marks: list[Mark] = []
    y = 0.0
    for group in groups:
        y, heading = _heading(y, group.label, group.value)
        marks += heading
        if group.shares is not None:
            marks += _steps(group.shares, before, unit, y)
        y += _BAR + _GAP
    marks.append(Line(before * unit, 0, before * unit, max(0.0, y - _GAP), FRAME))
    for step, label in enumerate(steps):
        marks.append(Rect(0, y, _BAR, _BAR, step))
        lines = list(_wrapped(label.text, WIDTH - 2 * _BAR))
        marks += [_text(1.5 * _BAR, y + SIZE + _LINE * number, line, label) for number, line in enumerate(lines)]
        y += _LINE * len(lines) + 4
    return Scene(WIDTH, y, rtl, title, description, tuple(marks))


def _before(shares: Sequence[float]) -> float:
    """How much stands before the middle line: the lower half, and half of a middle step."""
    half, odd = divmod(len(shares), 2)
    return sum(shares[:half]) + (shares[half] / 2 if odd else 0.0)


def _steps(shares: Sequence[float], before: float, unit: float, y: float) -> Iterator[Mark]:
    x = (before - _before(shares)) * unit
    for step, share in enumerate(shares):
        if share > 0:
            yield Rect(x, y, share * unit, _BAR, step)
        x += share * unit


def _heading(y: float, label: Label, value: Label) -> tuple[float, list[Mark]]:
    """The label, wrapped, and the number below it; returns where the bar begins."""
    marks: list[Mark] = []
    for part, bold in ((label, True), (value, False)):
        for line in _wrapped(part.text, WIDTH):
            y += _LINE
            marks.append(_text(0, y, line, part, bold))
    return y + 5, marks


def _text(x: float, y: float, line: str, label: Label, bold: bool = False) -> Text:
    return Text(x, y, line, label.language, label.rtl, bold)


def _whisker(low: float, high: float, middle: float) -> list[Mark]:
    ends = [Line(x, middle - _WHISKER, x, middle + _WHISKER) for x in (low, high)]
    return [Line(low, middle, high, middle), *ends]


def _wrapped(text: str, width: float) -> Iterator[str]:
    """Lines that surely fit; words longer than a line (and scripts without spaces) are cut."""
    line = ""
    for piece in (piece for word in text.split() for piece in _pieces(word, width)):
        if line and _wide(f"{line} {piece}") > width:
            yield line
            line = piece
        else:
            line = f"{line} {piece}".strip()
    yield line


def _pieces(word: str, width: float) -> Iterator[str]:
    piece = ""
    for character in word:
        if piece and _wide(piece + character) > width and not unicodedata.combining(character):
            yield piece
            piece = ""
        piece += character
    yield piece


def _wide(text: str) -> float:
    """About how wide a line is, in px, rather too wide than too narrow."""
    return SIZE * sum(_EM_WIDE if unicodedata.east_asian_width(each) in "WF" else _EM for each in text)


def svg(scene: Scene, name: str) -> str:
    """Return a scene as an SVG element, every text escaped, without a style attribute (so it stands under any policy).

    `name` begins the ids inside, and must be the only one of its kind on the page: a letter, then letters, digits, -.
    """
    used = sorted({each.step % len(GREYS) for each in scene.marks if isinstance(each, Rect)})
    return "".join(
        [
            f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(scene.width)} {_n(scene.height)}" '
            f'role="img" aria-labelledby="{name}-t {name}-d" font-size="{SIZE}" font-family="inherit">',
            f'<title id="{name}-t">{escape(scene.title)}</title><desc id="{name}-d">{escape(scene.description)}</desc>',
            "<defs>" + "".join(_pattern(step, name) for step in used) + "</defs>",
            *(_drawn(mark, scene, name) for mark in scene.marks),
            "</svg>",
        ]
    )


def _pattern(step: int, name: str) -> str:
    """A shade that stays apart from its neighbours on a black and white printer."""
    hatch = f'<path d="M0 6L6 0" stroke="{INK}" stroke-width="1"/>' if step % 2 else ""
    fill = f'<rect width="6" height="6" fill="{GREYS[step]}"/>'
    return f'<pattern id="{name}-{step}" width="6" height="6" patternUnits="userSpaceOnUse">{fill}{hatch}</pattern>'


def _drawn(mark: Mark, scene: Scene, name: str) -> str:
    if isinstance(mark, Rect):
        x = scene.width - mark.x - mark.width if scene.rtl else mark.x
        size = f'x="{_n(x)}" y="{_n(mark.y)}" width="{_n(mark.width)}" height="{_n(mark.height)}"'
        return f'<rect {size} fill="url(#{name}-{mark.step % len(GREYS)})" stroke="{INK}" stroke-width=".5"/>'
    if isinstance(mark, Line):
        x1, x2 = (scene.width - each if scene.rtl else each for each in (mark.x1, mark.x2))
        ends = f'x1="{_n(x1)}" y1="{_n(mark.y1)}" x2="{_n(x2)}" y2="{_n(mark.y2)}"'
        return f'<line {ends} stroke="{mark.stroke}" stroke-width="1.5"/>'
    return _drawn_text(mark, scene)


def _drawn_text(mark: Text, scene: Scene) -> str:
    # Text begins at the scene's reading side; text of the other direction ends there instead.
    anchor = "start" if mark.rtl == scene.rtl else "end"
    x = scene.width - mark.x if scene.rtl else mark.x
    direction = "rtl" if mark.rtl else "ltr"
    language = f' lang="{escape(mark.language)}"' if mark.language else ""
    weight = ' font-weight="600"' if mark.bold else ""
    place = f'x="{_n(x)}" y="{_n(mark.y)}" text-anchor="{anchor}" direction="{direction}"'
    return f'<text {place}{language}{weight} fill="{INK}">{escape(mark.text)}</text>'


def _n(number: float) -> str:
    """A coordinate as short as it can be."""
    return f"{number:.1f}".rstrip("0").rstrip(".")
