from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product, takewhile

import pytest
from hypothesis import HealthCheck, event, given, settings

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.elements import (
    POINT,
    Anchor,
    Block,
    Box,
    Code,
    Comb,
    Item,
    Layout,
    Mark,
    Page,
    Panel,
    Place,
    Text,
    WritingLine,
)
from engage.domain.paper.form.layout import lay_out_sheet
from engage.domain.paper.form.pagination import paginate
from engage.domain.paper.form.questions import TooTall, date_order
from engage.domain.paper.form.typesetter import BLOCKS, SheetFormat, SurveyInLanguage
from engage.questionnaire import question_types
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_surveys
from engage.questionnaire.model import Survey, Words
from engage.questionnaire.routing import printed_slots
from tests.domain.paper.sample import COVER, LEAF, a_question, a_survey, laid_out, surveys

pytestmark = pytest.mark.slow

EDITIONS = {survey.slug: build_edition(survey, survey_catalogues()) for survey in shipped_surveys()}
SIDE = 18.0  # mm from the edge to the questions
EDGE = 9.0  # mm: minimum distance of items from the paper's edge
FOLDS = 6.0  # mm: minimum for fold marks and tear-off lines
APART = 1.5  # mm between two boxes, so that a cross in one is not read in the other


def placed(layout: Layout, kind: type[Item]) -> list[Item]:
    return [item for page in layout.pages for item in page.items if isinstance(item, kind)]


def said(item: Text) -> str:
    return " ".join(line.text for line in item.laid.lines)


def overlap(one: Item, other: Item, room: float = 0.0) -> bool:
    across = one.x < other.x + other.width + room and other.x < one.x + one.width + room
    return across and one.y < other.y + other.height + room and other.y < one.y + one.height + room


def used(item: Item) -> Item:
    """Return the area with ink; the lines of a paragraph may be short."""
    if not isinstance(item, Text) or not item.laid.lines:
        return item
    lefts = [item.laid.left(line) for line in item.laid.lines]
    rights = [left + line.width for left, line in zip(lefts, item.laid.lines, strict=True)]
    return replace(item, x=item.x + min(lefts) * POINT, width=(max(rights) - min(lefts)) * POINT)


def lonely(item: Item) -> float:
    """Return the white space required around an item (mm)."""
    if isinstance(item, Mark):
        return 2.0
    if isinstance(item, Code):  # 4 modules; a page's code has 25 per side, a QR code for phones 21 or more
        return 4 * item.width / (25 if item.what == "sheet" else 21)
    return -0.01


def neighbours(items: list[Item]) -> Iterator[tuple[Item, Item]]:
    """Yield pairs that are at about the same height."""
    ordered = sorted(items, key=lambda item: item.y)
    for at, one in enumerate(ordered):
        below = one.y + one.height + 5
        level = takewhile(lambda other, below=below: other.y < below, ordered[at + 1 :])
        yield from ((one, other) for other in level)


def assert_apart(page: Page) -> None:
    """Nothing overlaps, and nothing is too near to markers and codes. Only a tinted background may be behind texts and
    boxes."""
    solid = [used(item) for item in page.items if not isinstance(item, Panel | Anchor)]
    for one, other in neighbours(solid):
        room = max(lonely(one), lonely(other))
        assert not overlap(one, other, room - 0.01), (one, other)
    tints = [item for item in page.items if isinstance(item, Panel)]
    for one in (item for item in solid if isinstance(item, Mark | Code)):
        assert not [tint for tint in tints if overlap(one, tint, lonely(one) - 0.01)], one
    boxes = [item for item in solid if isinstance(item, Box)]
    for one, other in combinations(boxes, 2):
        assert not overlap(one, other, APART), (one, other)


def assert_within(layout: Layout, page: Page) -> None:
    for item in page.items:
        edge = FOLDS if isinstance(item, Panel) and (item.dashed or item.width < 4) else EDGE
        assert item.x >= edge - 0.01, item
        assert item.x + item.width <= layout.width - edge + 0.01, item
        assert item.y >= edge - 0.01, item
        assert item.y + item.height <= layout.height - edge + 0.01, item
        if isinstance(item, Text):
            assert item.laid.widest <= item.laid.width + 0.01
        if isinstance(item, Box | Comb | WritingLine):
            assert item.x >= SIDE - 0.01, item
            assert item.x + item.width <= layout.width - SIDE + 0.01, item


def assert_sound(layout: Layout, survey: Survey, blocks: int) -> None:
    """Everything is within the margins, nothing overlaps, and every choice has its box on its question's page."""
    for page in layout.pages:
        assert_within(layout, page)
        assert_apart(page)
        assert all(box.width == box.height >= 4 for box in page.items if isinstance(box, Box))
    where = defaultdict(set)
    for page in layout.pages:
        for item in page.items:
            if isinstance(item, Box | Comb | WritingLine):
                where[item.slot].add(page.number)
    assert all(len(pages) == 1 for pages in where.values())
    expected = Counter(
        (slot.key, box.key, box.value)
        for slot in printed_slots(survey, blocks)
        for box in question_types.answer_boxes(slot.question)
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


@pytest.mark.parametrize("kind", sorted(question_types._READERS))
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


@pytest.mark.parametrize("cover", [COVER, replace(LEAF, phone="")], ids=["plain", "leaf"])
def test_the_same_words_mirror_exactly(cover: Cover) -> None:
    """English texts on an Arabic page have the mirrored geometry of the English page."""
    asked = [a_question("several", choices=6), a_question("scale", "second", choices=4)]
    survey = a_survey(*asked, a_question("number", "third", maximum=99), a_question("long_words", "why"))
    straight, mirrored = laid_out(survey, "en", cover), laid_out(survey, "ar", cover)
    for kind in (Box, Comb, WritingLine, Code, Place):
        there = [item for item in placed(straight, kind) if getattr(item, "name", "") != "to"]
        here = [item for item in placed(mirrored, kind) if getattr(item, "name", "") != "to"]
        assert there
        assert [_who(item) for item in there] == [_who(item) for item in here]
        for one, other in zip(there, here, strict=True):
            assert other.x == pytest.approx(straight.width - one.x - one.width)
    marks = [[(item.id, item.x) for item in placed(each, Mark)][:8] for each in (straight, mirrored)]
    assert marks[0] == marks[1], "marks belong to the paper, not to the reading"


def _who(item: Item) -> list[object]:
    return [getattr(item, name, "") for name in ("slot", "key", "part", "what", "name")]


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
    assert sum("another form" in said(item) for item in placed(layout, Text)) == 1
    assert not [item for item in placed(laid_out(survey, blocks=8), Text) if "another form" in said(item)]


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


OTHERS = {"en": "ar", "ar": "en", "es": "zh-Hans", "so": "vi", "vi": "es", "zh-Hans": "so"}
TONGUES = [(False, "under"), (True, "under"), (True, "beside")]
COVERS = [COVER, LEAF, replace(LEAF, outside="code", reply=False, phone="link", interpreter="")]


def shipped(slug: str, language: str, two: bool, cover: Cover, **more: object) -> Layout:
    edition, second = EDITIONS[slug], OTHERS[language]
    other = SurveyInLanguage(second, edition.survey(second), catalogue(second)) if two else None
    first = SurveyInLanguage(language, edition.survey(language), catalogue(language))
    return lay_out_sheet(first, cover, SheetFormat(second=other, **more))


# the widest texts and the other direction in each style; the other combinations in the long form
STYLES = [
    pytest.param(language, style, marks=[] if style == "standard" or language in ("ar", "so") else pytest.mark.thorough)
    for language, style in product(LANGUAGES, ("standard", "large", "compact"))
]


USUAL = ("family-beliefs", "home-access")


@pytest.mark.parametrize(("language", "style"), STYLES)
@pytest.mark.parametrize(
    "slug", [pytest.param(slug, marks=[] if slug in USUAL else pytest.mark.thorough) for slug in EDITIONS]
)
def test_every_sheet_of_the_shipped_surveys_lies_soundly(slug: str, language: str, style: str) -> None:
    survey = EDITIONS[slug].survey(language)
    for (two, arrangement), paper, cover in product(TONGUES, ("letter", "a4"), COVERS):
        if two and cover is COVERS[2]:
            continue
        made = shipped(slug, language, two, cover, paper=paper, style=style, arrangement=arrangement)
        assert_sound(made, survey, BLOCKS)
        assert [len([item for item in page.items if isinstance(item, Mark)]) for page in made.pages] == [4] * len(
            made.pages
        )


def test_a_folded_set_shows_its_lines_in_the_window_and_nothing_else() -> None:
    """US #10: visible are 22 to 111 mm and 64 to 80 mm from the corner in any position; DIN C5/6: 20 to 91 and 54 to
    84.

    When the form moves in the envelope, up to x = 136 and, above the first fold, everything below 54 mm may become
    visible.
    """
    for language, (two, arrangement), paper in product(("en", "ar"), TONGUES, ("letter", "a4")):
        made = shipped("home-access", language, two, LEAF, paper=paper, arrangement=arrangement)
        seen = Item(0, 54, 136, made.height / 3 - 54)
        (to,) = [item for item in made.pages[0].items if isinstance(item, Place) and item.name == "to"]
        assert to.x == 22
        assert (to.y, to.y + to.height) == (62, 80)
        assert to.x + to.width <= 92
        others = [item for item in made.pages[0].items if item is not to and overlap(used(item), seen)]
        assert not [item for item in others if not isinstance(item, Panel)]


def test_the_strip_is_torn_off_both_pages_of_its_leaf() -> None:
    for language, style in product(("en", "ar"), ("standard", "large")):
        made = shipped("home-access", language, False, LEAF, style=style)
        (tear,) = [item for item in placed(made, Panel) if item.dashed]
        first, second, third = made.pages[:3]
        assert max(item.y + item.height for item in second.items) < tear.y
        for page, end in ((first, tear.y), (second, tear.y), (third, made.height)):
            marks = [item for item in page.items if isinstance(item, Mark)]
            assert max(mark.y + mark.height for mark in marks) == pytest.approx(end - 9)
        kept = {item.name for item in first.items if isinstance(item, Place) and item.y > tear.y}
        assert kept == {"reply"}
        assert {item.name for item in placed(made, Place)} == {"serial", "to", "link", "code", "reply"}


def test_questions_begin_on_the_page_after_the_cover_leaf() -> None:
    for language in LANGUAGES:
        made = shipped("home-access", language, False, LEAF)
        assert not [item for item in made.pages[0].items if isinstance(item, Box | Comb)]
        assert [item for item in made.pages[1].items if isinstance(item, Box | Comb)]


def test_every_page_has_a_code_and_a_serial_and_a_section_its_bookmark() -> None:
    survey = EDITIONS["home-access"].survey("vi")
    made = shipped("home-access", "vi", True, LEAF)
    for page in made.pages:
        assert next(item.what for item in page.items if isinstance(item, Code)) == "sheet"
        assert next(item.name for item in page.items if isinstance(item, Place)) == "serial"
    titles = [anchor.title for _, anchor in made.outline()]
    assert titles[0] == survey.sections[0].title
    assert titles[1:4] == [f"{survey.sections[1].title} · {number}" for number in (1, 2, 3)]


@pytest.mark.parametrize("identity", ["anonymous", "confidential"])
def test_the_first_page_alone_tells_a_family_all_it_must_know(identity: str) -> None:
    """Including what to do instead, in standard and compact type."""
    for style, paper in product(("standard", "compact"), ("letter", "a4")):
        made = shipped("home-access", "en", False, replace(LEAF, identity=identity), style=style, paper=paper)
        assert [item.what for item in made.pages[0].items if isinstance(item, Code)] == ["sheet", "phone"]
        words = " ".join(said(item) for item in made.pages[0].items if isinstance(item, Text))
        for told in (
            "Who is asking",
            "Who will see your answers",
            "You do not have to answer.",
            "It takes about 5 minutes.",
            "Please give it back by \u2068October 31, 2026\u2069.",
            "Call \u2066(555) 010-0199\u2069 and say your language.",
            "This is your secret reply code.",
            "survey.riverbend.example/reply",
        ):
            assert told in words


def test_a_form_without_a_serial_has_no_room_for_one() -> None:
    survey = a_survey(a_question("one", choices=2))
    assert placed(laid_out(survey), Place)
    assert not placed(laid_out(survey, numbered=False), Place)


ROOMS = [
    ([60, 60], [100, 100], [[60], [60]]),
    ([60], [50, 100], [[], [60]]),  # a page that is too low stays empty
    ([40, 60, 60], [50, 70, 100], [[40], [60], [60]]),
    ([40, 200], [50, 70, 100], [[40], [], [200]]),  # a block that fits on no page is on the first full one
]


@pytest.mark.parametrize(("heights", "rooms", "expected"), ROOMS)
def test_pages_may_differ_in_room(heights: list[int], rooms: list[int], expected: list[list[int]]) -> None:
    blocks = [Block(height, (Item(0, 0, 1, height),)) for height in heights]
    pages = paginate(blocks, lambda number: rooms[min(number, len(rooms)) - 1], max(rooms))
    assert [[item.height for item in page] for page in pages] == expected


def test_what_belongs_inside_leaves_the_cover_alone() -> None:
    blocks = [Block(10, (Item(0, 0, 1, 10),)), Block(20, (Item(0, 0, 1, 20),), inside=True)]
    assert [[item.height for item in page] for page in paginate(blocks, 100.0)] == [[10], [20]]
