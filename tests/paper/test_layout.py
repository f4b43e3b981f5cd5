from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import HealthCheck, event, given, settings

from engage.languages import LANGUAGES
from engage.paper.layout import FOOT_BOTTOM, HEAD_TOP, SIDE
from engage.paper.questions import TooTall, date_order
from engage.paper.sheet import PAPERS, Box, Comb, Item, Layout, Panel, Text, WritingLine
from engage.questionnaire import kinds
from engage.questionnaire.routing import printed
from engage.questionnaire.shape import Survey, Words

from .sample import a_question, a_survey, laid_out, surveys

APART = 1.5  # mm between two boxes, so that a cross in one is not read in the other


def placed(layout: Layout, kind: type[Item]) -> list[Item]:
    return [item for page in layout.pages for item in page.items if isinstance(item, kind)]


def said(item: Text) -> str:
    return " ".join(line.text for line in item.laid.lines)


def overlap(one: Item, other: Item, room: float = 0.0) -> bool:
    across = one.x < other.x + other.width + room and other.x < one.x + one.width + room
    return across and one.y < other.y + other.height + room and other.y < one.y + one.height + room


def assert_sound(layout: Layout, survey: Survey, blocks: int) -> None:
    """Everything within the margins, no box on anything, every choice with its box on its question's page."""
    width, height = PAPERS[layout.paper]
    for page in layout.pages:
        for item in page.items:
            assert item.x >= SIDE - 0.01
            assert item.x + item.width <= width - SIDE + 0.01
            assert item.y >= HEAD_TOP - 0.01
            assert item.y + item.height <= height - FOOT_BOTTOM + 0.01
            if isinstance(item, Text):
                assert item.laid.widest <= item.laid.width + 0.01
        boxes = [item for item in page.items if isinstance(item, Box)]
        solid = [item for item in page.items if isinstance(item, Text | Comb)]
        for box, other in combinations(boxes, 2):
            assert not overlap(box, other, APART), (box, other)
        for box in boxes:
            assert box.width == box.height >= 4
            assert not [item for item in solid if overlap(box, item, -0.01)]
    where = defaultdict(set)
    for number, box in layout.boxes():
        where[box.slot].add(number)
    assert all(len(pages) == 1 for pages in where.values())
    expected = Counter(
        (slot.key, box.key, box.value) for slot in printed(survey, blocks) for box in kinds.boxes(slot.question)
    )
    assert Counter((box.slot, box.key, box.value) for _, box in layout.boxes()) == expected


PAGES = [("en", "letter", False), ("ar", "a4", False), ("ar", "letter", True)]
SLOWLY = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(("language", "paper", "large"), PAGES)
@SLOWLY
@given(survey=surveys())
def test_any_survey_lies_soundly_or_says_what_is_too_tall(
    survey: Survey, language: str, paper: str, large: bool
) -> None:
    try:
        layout = laid_out(survey, language, paper=paper, style="large" if large else "standard", blocks=2)
    except TooTall as problem:
        event(f"too tall: {problem.args[0][:24]}")
    else:
        assert_sound(layout, survey, 2)


@pytest.mark.parametrize("kind", sorted(kinds._READERS))
def test_written_answers_have_a_place(kind: str) -> None:
    survey = a_survey(a_question(kind))
    places = [*placed(laid_out(survey), Comb), *placed(laid_out(survey), WritingLine)]
    assert {item.slot for item in places} == {"asked"}


def test_numbers_have_a_cell_for_every_digit_of_the_greatest() -> None:
    (comb,) = placed(laid_out(a_survey(a_question("number", maximum=1200))), Comb)
    assert comb.cells == 4


DATES = [("en_US", "month day year"), ("vi", "day month year"), ("zh_Hans", "year month day")]


@pytest.mark.parametrize(("locale", "order"), DATES)
def test_dates_are_asked_in_the_order_of_the_language(locale: str, order: str) -> None:
    assert date_order(locale) == order.split()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_scale_runs_the_way_the_language_is_read(language: str) -> None:
    survey = a_survey(a_question("scale", language=language, choices=4), language=language)
    boxes = [box for _, box in laid_out(survey, language).boxes()]
    assert len({box.y for box in boxes}) == 1, "the labels fit in one row"
    from_the_left = [box.value for box in sorted(boxes, key=lambda box: box.x)]
    assert from_the_left == (["c0", "c1", "c2", "c3"] if language == "en" else ["c3", "c2", "c1", "c0"])


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_box_stands_where_its_label_begins(language: str) -> None:
    survey = a_survey(a_question("one", language=language, choices=3), language=language)
    layout = laid_out(survey, language)
    for number, box in layout.boxes():
        texts = (item for item in layout.pages[number - 1].items if isinstance(item, Text))
        label = min(
            (text for text in texts if text.laid.lines and text.laid.size > 9), key=lambda text: abs(text.y - box.y)
        )
        assert (label.x > box.x) == (language == "en")


def test_the_same_words_mirror_exactly() -> None:
    """English words on an Arabic page: the geometry is the English page's, seen in a mirror."""
    survey = a_survey(a_question("several", choices=6), a_question("scale", "second", choices=4))
    straight, mirrored = laid_out(survey, "en"), laid_out(survey, "ar")
    width = straight.width
    assert [(page, box.slot, box.key) for page, box in straight.boxes()] == [
        (page, box.slot, box.key) for page, box in mirrored.boxes()
    ]
    for (_, box), (_, other) in zip(straight.boxes(), mirrored.boxes(), strict=True):
        assert other.x == pytest.approx(width - box.x - box.width)


def test_long_labels_turn_a_scale_into_a_list() -> None:
    question = a_question("scale", choices=5)
    long = tuple(replace(choice, text=Words(choice.text * 6)) for choice in question.choices)
    boxes = [box for _, box in laid_out(a_survey(replace(question, choices=long))).boxes()]
    assert len({box.x for box in boxes}) == 1


def test_what_is_no_choice_stands_apart_below_a_rule() -> None:
    layout = laid_out(a_survey(a_question("one", choices=3, dont_know=True, refuse=True)))
    boxes = {box.value: box for _, box in layout.boxes()}
    rules = [item for item in placed(layout, Panel) if boxes["c2"].y < item.y < boxes["~dont_know"].y]
    assert len(rules) == 1


def test_child_blocks_repeat_the_numbers_and_end_with_where_to_get_more() -> None:
    survey = a_survey(a_question("one", choices=2), a_question("words", "name"), repeat=True)
    layout = laid_out(survey, blocks=3)
    assert layout.numbers == {"how_many": 1, "asked": 2, "name": 3}
    numbers = [item for item in placed(layout, Text) if said(item) == "2" and item.x == SIDE]
    assert len(numbers) == 3
    assert sum("another sheet" in said(item) for item in placed(layout, Text)) == 1
    assert not [item for item in placed(laid_out(survey, blocks=8), Text) if "another sheet" in said(item)]


def test_a_heading_is_never_left_alone() -> None:
    survey = a_survey(*(a_question("several", f"q{n}", choices=9) for n in range(12)), repeat=True)
    for page in laid_out(survey, blocks=4).pages:
        headings = [item for item in page.items if isinstance(item, Panel) and item.height == 0.5]
        boxes = [item for item in page.items if isinstance(item, Box | Comb)]
        assert all(any(box.y > heading.y for box in boxes) for heading in headings)


def test_a_question_no_page_can_hold_is_named() -> None:
    question = a_question("one", choices=33)
    endless = tuple(replace(choice, text=Words("word " * 400)) for choice in question.choices)
    with pytest.raises(TooTall, match=r'trial, question "asked", en: .*shorten'):
        laid_out(a_survey(replace(question, choices=endless)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_lies_soundly(language: str) -> None:
    asked = [a_question(kind, f"q_{kind}", language, 5) for kind in ("one", "several", "scale")]
    survey = a_survey(*asked, language=language, repeat=True)
    for large in (False, True):
        assert_sound(laid_out(survey, language, style="large" if large else "standard", blocks=2), survey, 2)
