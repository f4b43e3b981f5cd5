"""Charts: true lengths, mirrored for Arabic, nothing outside the frame, hidden numbers without any length."""

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.summaries.charts import WIDTH, Bar, Label, Line, Rect, Scale, Text, bars, diverging, svg

NAME = "{http://www.w3.org/2000/svg}"


def label(text, language="en", rtl=False):
    return Label(text, language, rtl)


def bar(share, low=None, high=None, text="Yes"):
    return Bar(label(text), label("hidden" if share is None else f"{share:.0%}"), share, low, high)


def drawn(scene, name="q1"):
    return ElementTree.fromstring(svg(scene, name))


def rects(scene):
    return [each for each in scene.marks if isinstance(each, Rect)]


def test_a_bar_is_as_long_as_its_share_and_the_whisker_spans_the_interval():
    scene = bars("T", "D", [bar(0.25, 0.1, 0.5)], rtl=False)
    assert [each.width for each in rects(scene)] == [WIDTH / 4]
    spans = [(each.x1, each.x2) for each in scene.marks if isinstance(each, Line)]
    assert (0.1 * WIDTH, 0.5 * WIDTH) in spans


def test_a_hidden_share_has_a_word_and_no_length():
    scene = bars("T", "D", [bar(None)], rtl=False)
    assert rects(scene) == []
    assert "hidden" in [each.text for each in scene.marks if isinstance(each, Text)]


def test_a_hidden_scale_has_no_length_either():
    scene = diverging("T", "D", [Scale(label("Oak"), label("hidden"), None)], [], rtl=False)
    assert rects(scene) == []


def test_right_to_left_is_the_mirror_image():
    shown = [bar(0.25, 0.1, 0.5), bar(0.75, 0.6, 0.9)]
    left, right = (drawn(bars("T", "D", shown, rtl)) for rtl in (False, True))
    pairs = zip(left.findall(f"{NAME}rect"), right.findall(f"{NAME}rect"), strict=True)
    for one, other in pairs:
        assert float(one.get("x")) == pytest.approx(WIDTH - float(other.get("x")) - float(other.get("width")), abs=0.2)
    for one, other in zip(left.findall(f"{NAME}line"), right.findall(f"{NAME}line"), strict=True):
        assert float(one.get("x1")) == pytest.approx(WIDTH - float(other.get("x1")), abs=0.2)


@pytest.mark.parametrize(
    ("scene_rtl", "text_rtl", "anchor"), [(0, 0, "start"), (0, 1, "end"), (1, 1, "start"), (1, 0, "end")]
)
def test_text_begins_at_the_reading_side_whatever_its_own_direction(scene_rtl, text_rtl, anchor):
    shown = Bar(label("نعم" if text_rtl else "Yes", "ar" if text_rtl else "en", bool(text_rtl)), label("1"), 0.5)
    text = drawn(bars("T", "D", [shown], bool(scene_rtl))).findall(f"{NAME}text")[0]
    assert (text.get("text-anchor"), float(text.get("x"))) == (anchor, WIDTH if scene_rtl else 0)
    assert text.get("direction") == ("rtl" if text_rtl else "ltr")
    assert text.get("lang") == ("ar" if text_rtl else "en")


def test_words_are_data():
    attack = '</text><script>alert("x")</script>&'
    scene = bars(attack, attack, [bar(0.5, text=attack)], rtl=False)
    assert "<script" not in svg(scene, "q1")
    assert drawn(scene).find(f"{NAME}title").text == attack
    assert "style=" not in svg(scene, "q1")


def test_it_has_a_name_and_a_description():
    root = drawn(bars("Internet at home", "Yes 60%", [bar(0.6)], rtl=False), "q7")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "q7-t q7-d"
    assert root.find(f"{NAME}desc").text == "Yes 60%"


def test_two_charts_on_a_page_share_no_id():
    scene = bars("T", "D", [bar(0.5)], rtl=False)
    ids = [each.get("id") for name in ("a", "b") for each in drawn(scene, name).iter() if each.get("id")]
    assert len(ids) == len(set(ids))


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cn", "Cs")), max_size=120)
SHARES = st.lists(st.integers(0, 50), min_size=2, max_size=7).filter(any).map(
    lambda counts: tuple(each / sum(counts) for each in counts)
)


@settings(deadline=None, max_examples=60)
@given(st.lists(SHARES, min_size=1, max_size=4).filter(lambda each: len({len(one) for one in each}) == 1), TEXTS)
def test_scales_stay_inside_and_keep_their_proportions(groups, text):
    steps = [label(text) for _ in groups[0]]
    scene = diverging("T", "D", [Scale(label(text), label("n"), each) for each in groups], steps, rtl=False)
    for each in rects(scene):
        assert each.x >= -1e-6
        assert each.x + each.width <= WIDTH + 1e-6
    assert all(each.y <= scene.height for each in scene.marks if isinstance(each, Text))
    spans = [each for each in rects(scene) if (each.width, each.height) != (16, 16)]
    together = sum(each.width for each in spans)
    assert together == pytest.approx(len(groups) * sum(each.width for each in spans if each.y == spans[0].y), rel=1e-6)


def test_the_middle_step_stands_astride_of_the_middle_line():
    scene = diverging("T", "D", [Scale(label("Oak"), label("n"), (0.25, 0.5, 0.25))], [], rtl=False)
    low, middle, high = rects(scene)
    (line,) = (each for each in scene.marks if isinstance(each, Line))
    assert line.x1 == pytest.approx(middle.x + middle.width / 2)
    assert low.x + low.width == pytest.approx(middle.x)
    assert middle.x + middle.width == pytest.approx(high.x)


@given(TEXTS)
def test_long_words_are_wrapped_and_nothing_is_lost(text):
    scene = bars("T", "D", [bar(0.5, text=text)], rtl=False)
    lines = [each.text for each in scene.marks if isinstance(each, Text)][:-1]
    assert "".join("".join(lines).split()) == "".join(text.split())
    ElementTree.fromstring(svg(scene, "q"))
