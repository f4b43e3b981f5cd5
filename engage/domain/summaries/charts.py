"""Charts of a scale by group: a scene of rectangles, lines, and text in logical coordinates, rendered as SVG.

`x` is measured from the side where reading starts (the right in Arabic) and increases in reading direction; `y` is
measured from the top. The unit is one CSS pixel on the narrowest phone. Rendering mirrors the scene for right-to-left
languages. Steps of a scale differ in shade and, before the middle, in hatching. A hidden group has text but no bar. The
page must also have a table with the same numbers.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 328  # px: a phone of 360 px without margins
SIZE = 14  # px of text
_LINE = 18  # px between baselines
_BAR = 18  # px height of a bar
_GAP = 14  # px between one bar and the next label
_OVER = 4  # px by which the middle line extends beyond a bar
_EM_WIDE, _EM = 1.0, 0.56  # ems: upper estimates of the width of an East Asian, and of any other character
INK = "#1b1b1b"
_LOW, _HIGH = ((0x8C, 0x51, 0x0A), (0xE8, 0xCF, 0x9B)), ((0x0B, 0x4F, 0x6C), (0x9F, 0xCB, 0xDB))  # outermost, innermost
_MIDDLE = (0xFA, 0xFA, 0xFA)

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Rect:
    """A filled rectangle. `fill` and `hatch` are colors (#rrggbb); an empty `hatch` means no hatching."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    hatch: str = ""


@dataclass(frozen=True, slots=True)
class ChartLine:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class ChartText:
    """One line of text that begins at `x` on the baseline `y`. Its direction is that of its own language."""

    x: float
    y: float
    text: str
    language: str = ""
    rtl: bool = False
    bold: bool = False


Mark = Rect | ChartLine | ChartText


@dataclass(frozen=True, slots=True)
class Scene:
    """A chart to be rendered; `rtl` mirrors it. Title and description are for screen readers."""

    width: float
    height: float
    rtl: bool
    title: str
    description: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """A text with its actual language, which is empty for a name whose language is unknown."""

    text: str
    language: str
    rtl: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """One group's answers to a scale: the note below its label, such as how many answered, and the shares (0..1) of its
    steps, lowest first (None if any of them is hidden)."""

    label: Label
    said: tuple[Label, ...]
    shares: tuple[float, ...] | None


def diverging_chart(title: str, description: str, groups: Sequence[Scale], steps: Sequence[Label], rtl: bool) -> Scene:
    """Return a diverging bar chart by group, with a legend below it.

    Lower steps are before the middle line, higher ones after it, and a middle step is centered on it. All bars have the
    same scale; the middle line is placed so that the widest bars on both sides just fit.
    """
    shares = [each.shares for each in groups if each.shares is not None]
    before = max((_share_before_middle(each) for each in shares), default=0.5)
    after = max((sum(each) - _share_before_middle(each) for each in shares), default=0.5)
    unit = WIDTH / max(before + after, 1e-9)
    marks: list[Mark] = []
    y = 0.0
    for group in groups:
        y, heading = _group_heading(y, group)
        marks += heading
        if group.shares is not None:
            marks += _bar_marks(group.shares, before, unit, y)
            y += _BAR
        y += _GAP
    y, legend = _legend(y, steps)
    return Scene(WIDTH, y, rtl, title, description, (*marks, *legend))


def _share_before_middle(shares: Sequence[float]) -> float:
    """Return the share before the middle line: the lower half, and half of a middle step."""
    half, odd = divmod(len(shares), 2)
    return sum(shares[:half]) + (shares[half] / 2 if odd else 0.0)


def _group_heading(y: float, group: Scale) -> tuple[float, list[Mark]]:
    """Return the position of the bar, and the marks of the wrapped label and the note below it."""
    marks: list[Mark] = []
    for part in (group.label, *group.said):
        for line in _wrap_text(part.text, WIDTH):
            y += _LINE
            marks.append(_chart_text(0, y, line, part, bold=part is group.label))
    return y + _OVER + 3, marks


def _bar_marks(shares: Sequence[float], before: float, unit: float, y: float) -> Iterator[Mark]:
    """Yield the parts of one bar, and the middle line across it."""
    x = (before - _share_before_middle(shares)) * unit
    for step, share in enumerate(shares):
        if share > 0:
            yield Rect(x, y, share * unit, _BAR, *_step_colours(step, len(shares)))
        x += share * unit
    yield ChartLine(before * unit, y - _OVER, before * unit, y + _BAR + _OVER)


def _legend(y: float, steps: Sequence[Label]) -> tuple[float, list[Mark]]:
    """Return the end position, and the marks of the legend: every step's shade beside its text, lowest first."""
    marks: list[Mark] = []
    for step, label in enumerate(steps):
        marks.append(Rect(0.5, y, _BAR, _BAR, *_step_colours(step, len(steps))))
        lines = list(_wrap_text(label.text, WIDTH - 2 * _BAR))
        marks += [_chart_text(1.5 * _BAR, y + SIZE + _LINE * number, line, label) for number, line in enumerate(lines)]
        y += _LINE * len(lines) + 6
    return y, marks


def _step_colours(step: int, steps: int) -> tuple[str, str]:
    """Return fill and hatching of a step: darker toward the ends, and hatched before the middle, so that all steps are
    distinguishable in black and white."""
    half, odd = divmod(steps, 2)
    if odd and step == half:
        return _hex(_MIDDLE), ""
    inward = min(step, steps - 1 - step) / max(half - 1, 1)
    if step >= half:
        return _hex(_mix_colours(*_HIGH, inward)), ""
    return _hex(_mix_colours(*_LOW, inward)), "#ffffff" if inward < 0.5 else INK


def _mix_colours(one: Colour, other: Colour, way: float) -> Colour:
    red, green, blue = (round(a + (b - a) * way) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _hex(colour: Colour) -> str:
    return "#" + bytes(colour).hex()


def _chart_text(x: float, y: float, line: str, label: Label, bold: bool = False) -> ChartText:
    return ChartText(x, y, line, label.language, label.rtl, bold)


def _wrap_text(text: str, width: float) -> Iterator[str]:
    """Yield lines that fit for certain. Words longer than a line (and scripts without spaces) are broken."""
    line = ""
    for piece in (piece for word in text.split() for piece in _cut_word(word, width)):
        if line and _estimate_width(f"{line} {piece}") > width:
            yield line
            line = piece
        else:
            line = f"{line} {piece}".strip()
    yield line


def _cut_word(word: str, width: float) -> Iterator[str]:
    piece = ""
    for character in word:
        if piece and _estimate_width(piece + character) > width and not unicodedata.combining(character):
            yield piece
            piece = ""
        piece += character
    yield piece


def _estimate_width(text: str) -> float:
    """Return an upper estimate of the width of a line in px."""
    return SIZE * sum(_EM_WIDE if unicodedata.east_asian_width(each) in "WF" else _EM for each in text)


def render_svg(scene: Scene, name: str) -> str:
    """Return a scene as an SVG element with escaped texts and no style attributes (so that it works under any CSP).

    `name` is the prefix of the ids and must be unique on the page: a letter, then letters, digits, - or _
    """
    hatched = sorted({(each.fill, each.hatch) for each in scene.marks if isinstance(each, Rect) and each.hatch})
    patterns = {shade: f"{name}-{number}" for number, shade in enumerate(hatched)}
    size = f"{_num(scene.width)} {_num(scene.height)}"
    return "".join(
        [
            f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
            f'role="img" aria-labelledby="{name}-t {name}-d" font-size="{SIZE}">',
            f'<title id="{name}-t">{escape(scene.title)}</title><desc id="{name}-d">{escape(scene.description)}</desc>',
            "<defs>" + "".join(_hatch_pattern(*shade, name) for shade, name in patterns.items()) + "</defs>",
            *(_render_mark(mark, scene, patterns) for mark in scene.marks),
            "</svg>",
        ]
    )


def _hatch_pattern(fill: str, hatch: str, name: str) -> str:
    paint = f'<rect width="6" height="6" fill="{fill}"/><path d="M-1 1L1-1M0 6L6 0M5 7L7 5" stroke="{hatch}"/>'
    return f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse">{paint}</pattern>'


def _render_mark(mark: Mark, scene: Scene, patterns: Mapping[tuple[str, str], str]) -> str:
    if isinstance(mark, Rect):
        x = scene.width - mark.x - mark.width if scene.rtl else mark.x
        size = f'x="{_num(x)}" y="{_num(mark.y)}" width="{_num(mark.width)}" height="{_num(mark.height)}"'
        fill = f"url(#{patterns[mark.fill, mark.hatch]})" if mark.hatch else mark.fill
        return f'<rect {size} fill="{fill}" stroke="{INK}"/>'
    if isinstance(mark, ChartLine):
        x1, x2 = (scene.width - each if scene.rtl else each for each in (mark.x1, mark.x2))
        ends = f'x1="{_num(x1)}" y1="{_num(mark.y1)}" x2="{_num(x2)}" y2="{_num(mark.y2)}"'
        return f'<line {ends} stroke="{INK}" stroke-width="2"/>'
    return _render_text(mark, scene)


def _render_text(mark: ChartText, scene: Scene) -> str:
    # Text begins at the scene's reading side. Text of the other direction ends there instead.
    anchor = "start" if mark.rtl == scene.rtl else "end"
    x = scene.width - mark.x if scene.rtl else mark.x
    direction = "rtl" if mark.rtl else "ltr"
    language = f' lang="{escape(mark.language)}"' if mark.language else ' unicode-bidi="plaintext"'
    weight = ' font-weight="600"' if mark.bold else ""
    place = f'x="{_num(x)}" y="{_num(mark.y)}" text-anchor="{anchor}" direction="{direction}"'
    return f'<text {place}{language}{weight} fill="{INK}">{escape(mark.text)}</text>'


def _num(number: float) -> str:
    """Return a coordinate as a short string."""
    return f"{number:.1f}".rstrip("0").rstrip(".")
