"""Charts: correct lengths, mirrored for Arabic, nothing outside the frame, no bars for hidden numbers."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.domain.summaries.charts import WIDTH, ChartLine, ChartText, Label, Rect, Scale, diverging_chart, render_svg

NAME = "{http://www.w3.org/2000/svg}"


def label(text, language="en", rtl=False):
    return Label(text, language, rtl)


def scale(shares, text="Oak", *said):
    return Scale(label(text), tuple(label(each) for each in said or ("n",)), shares)


def one(*shares, rtl=False, text="Oak"):
    """Return a chart of one group."""
    return diverging_chart("T", "D", [scale(shares, text)], [], rtl)


def drawn(scene, name="q1"):
    return ElementTree.fromstring(render_svg(scene, name))


def rects(scene):
    return [each for each in scene.marks if isinstance(each, Rect)]


def test_a_step_is_as_long_as_its_share():
    assert [each.width for each in rects(one(0.25, 0.5, 0.25))] == [WIDTH / 4, WIDTH / 2, WIDTH / 4]


def test_a_hidden_scale_has_words_and_no_length():
    scene = diverging_chart("T", "D", [scale(None, "Oak", "Answered: 12", "hidden")], [], rtl=False)
    assert [type(each) for each in scene.marks] == [ChartText] * 3
    assert [each.text for each in scene.marks] == ["Oak", "Answered: 12", "hidden"]


def test_hidden_and_empty_groups_do_not_change_the_measure():
    alone, beside = (
        diverging_chart("T", "D", [*more, scale((0.5, 0.5))], [], rtl=False) for more in ([], [scale(None, "Elm")])
    )
    assert [(each.x, each.width) for each in rects(alone)] == [(each.x, each.width) for each in rects(beside)]


def test_right_to_left_is_the_mirror_image():
    shown = [scale((0.25, 0.5, 0.25)), scale((0.1, 0.2, 0.7))]
    steps = [label(each) for each in ("low", "middle", "high")]
    left, right = (drawn(diverging_chart("T", "D", shown, steps, rtl)) for rtl in (False, True))
    for one, other in zip(left.findall(f"{NAME}rect"), right.findall(f"{NAME}rect"), strict=True):
        assert float(one.get("x")) == pytest.approx(WIDTH - float(other.get("x")) - float(other.get("width")), abs=0.2)
        assert one.get("fill") == other.get("fill")
    for one, other in zip(left.findall(f"{NAME}line"), right.findall(f"{NAME}line"), strict=True):
        assert float(one.get("x1")) == pytest.approx(WIDTH - float(other.get("x1")), abs=0.2)


@pytest.mark.parametrize(
    ("scene_rtl", "text_rtl", "anchor"), [(0, 0, "start"), (0, 1, "end"), (1, 1, "start"), (1, 0, "end")]
)
def test_text_begins_at_the_reading_side_whatever_its_own_direction(scene_rtl, text_rtl, anchor):
    name = label("نعم" if text_rtl else "Yes", "ar" if text_rtl else "en", bool(text_rtl))
    text = drawn(diverging_chart("T", "D", [Scale(name, (), None)], [], bool(scene_rtl))).find(f"{NAME}text")
    assert (text.get("text-anchor"), float(text.get("x"))) == (anchor, WIDTH if scene_rtl else 0)
    assert text.get("direction") == ("rtl" if text_rtl else "ltr")
    assert text.get("lang") == ("ar" if text_rtl else "en")
    assert text.get("unicode-bidi") is None


def test_a_name_of_no_known_language_is_kept_apart_from_the_direction_around_it():
    text = drawn(diverging_chart("T", "D", [Scale(Label("Oak (new)", "", True), (), None)], [], True)).find(
        f"{NAME}text"
    )
    assert (text.get("lang"), text.get("unicode-bidi"), text.get("text-anchor")) == (None, "plaintext", "start")


def test_words_are_data():
    attack = '</text><script>alert("x")</script>&'
    scene = diverging_chart(attack, attack, [scale((0.5, 0.5), attack, attack)], [label(attack)] * 2, rtl=False)
    assert "<script" not in render_svg(scene, "q1")
    assert drawn(scene).find(f"{NAME}title").text == attack
    assert "style=" not in render_svg(scene, "q1")


def test_it_has_a_name_and_a_description():
    root = drawn(diverging_chart("Internet at home", "By school", [], [], rtl=False), "q7")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "q7-t q7-d"
    assert root.find(f"{NAME}title").text == "Internet at home"
    assert root.find(f"{NAME}desc").text == "By school"


def test_two_charts_on_a_page_share_no_id():
    ids = [each.get("id") for name in "ab" for each in drawn(one(0.2, 0.8), name).iter() if each.get("id")]
    assert len(ids) == len(set(ids)) == 2 * 3


def luminance(colour):
    """Return the relative luminance of #rrggbb, as defined by WCAG 2.2."""
    parts = [int(each, 16) / 255 for each in re.findall("..", colour[1:])]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("steps", range(2, 8))
def test_every_step_is_told_from_the_others_without_colour(steps):
    """Steps on one side of the middle differ in brightness, and the sides in hatching."""
    shades = [(each.fill, bool(each.hatch)) for each in rects(one(*[1 / steps] * steps))]
    for hatched in (True, False):
        tones = sorted(luminance(fill) for fill, hatch in shades if hatch is hatched)
        assert all((high + 0.05) / (low + 0.05) > 1.25 for low, high in pairwise(tones))
    assert [hatch for _, hatch in shades] == [True] * (steps // 2) + [False] * (steps - steps // 2)


@pytest.mark.parametrize("steps", range(2, 8))
def test_hatching_is_seen_on_what_it_lies_on(steps):
    """3:1, as WCAG 2.2 requires of graphics (1.4.11)."""
    hatched = [each for each in rects(one(*[1 / steps] * steps)) if each.hatch]
    assert hatched
    assert all(contrast(each.hatch, each.fill) >= 3 for each in hatched)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cn", "Cs")), max_size=120)
SHARES = (
    st.lists(st.integers(0, 50), min_size=2, max_size=7)
    .filter(any)
    .map(lambda counts: tuple(each / sum(counts) for each in counts))
)


@settings(deadline=None, max_examples=60)
@given(st.lists(SHARES, min_size=1, max_size=4).filter(lambda each: len({len(one) for one in each}) == 1), TEXTS)
def test_scales_stay_inside_and_keep_their_proportions(groups, text):
    steps = [label(text) for _ in groups[0]]
    scene = diverging_chart("T", "D", [scale(each, text) for each in groups], steps, rtl=False)
    for each in rects(scene):
        assert each.x >= -1e-6
        assert each.x + each.width <= WIDTH + 1e-6
    assert all(each.y <= scene.height for each in scene.marks if isinstance(each, ChartText))
    spans = rects(scene)[: -len(steps)]
    together = sum(each.width for each in spans)
    assert together == pytest.approx(len(groups) * sum(each.width for each in spans if each.y == spans[0].y), rel=1e-6)


def test_the_middle_step_stands_astride_of_the_middle_line():
    scene = one(0.25, 0.5, 0.25)
    low, middle, high = rects(scene)
    (line,) = (each for each in scene.marks if isinstance(each, ChartLine))
    assert line.x1 == pytest.approx(middle.x + middle.width / 2)
    assert low.x + low.width == pytest.approx(middle.x)
    assert middle.x + middle.width == pytest.approx(high.x)


@given(TEXTS)
def test_long_words_are_wrapped_and_nothing_is_lost(text):
    scene = one(0.5, 0.5, text=text)
    lines = [each.text for each in scene.marks if isinstance(each, ChartText)][:-1]
    assert "".join("".join(lines).split()) == "".join(text.split())
    ElementTree.fromstring(render_svg(scene, "q"))
