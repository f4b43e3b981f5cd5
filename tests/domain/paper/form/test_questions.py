"""Questions in one and two languages, as blocks before pagination."""

from collections import Counter
from dataclasses import replace
from gettext import NullTranslations
from itertools import combinations, count
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from engage.domain.paper.form.elements import Block, Box, Comb, Item, Panel, Text, WritingLine
from engage.domain.paper.form.questions import TooTall, question_block
from engage.domain.paper.form.typesetter import STYLES, Setting, SheetFormat, SurveyInLanguage, build_setting
from engage.questionnaire import question_types
from engage.questionnaire.model import Choice, Question, Section, Survey, Words
from engage.questionnaire.routing import Slot
from engage.questionnaire.rules import parse_rule
from tests.domain.paper.sample import SAMPLES, Translated, questions

pytestmark = pytest.mark.slow

WIDTH, MOST = 180.0, 220.0  # mm: about the body of a letter page
KEYS = set("123456789abcdefghijklmnopqrstuvwxyz")
MEANT = {
    "en": {
        "text": "Is there internet at home?",
        "hint": "A phone counts too.",
        "yes": "Yes",
        "no": "No",
        "unit": "days",
    },
    "es": {"text": "¿Hay internet en casa?", "hint": "Un teléfono cuenta.", "yes": "Sí", "no": "No", "unit": "días"},
    "ar": {"text": "هل يوجد إنترنت في البيت؟", "hint": "الهاتف يُحسب.", "yes": "نعم", "no": "لا", "unit": "أيام"},
    "vi": {
        "text": "Nhà có internet không?",
        "hint": "Điện thoại cũng tính.",
        "yes": "Có",
        "no": "Không",
        "unit": "ngày",
    },
    "zh-Hans": {"text": "家里有互联网吗？", "hint": "手机也算。", "yes": "有", "no": "没有", "unit": "天"},
}
PAIRS = [("en", "es"), ("en", "ar"), ("ar", "en"), ("zh-Hans", "vi")]


def words_of(language: str, name: str) -> Words:
    return Words(MEANT[language][name], language)


def a_question(language: str, kind: str = "one", **more: Any) -> Question:
    choices = tuple(Choice(code, words_of(language, code)) for code in ("yes", "no"))
    choices = choices if kind in question_types.CHOICE_KINDS else ()
    text, hint = words_of(language, "text"), words_of(language, "hint")
    return Question("asked", kind, text, hint, choices, **more)


def a_survey(*questions: Question) -> Survey:
    return Survey("trial", Words("Trial"), Words(), 5, (Section("only", Words("Only"), questions=questions),))


def set_in(first: Survey, language: str, second: Survey | None = None, other: str = "", **more: Any) -> Setting:
    words = more.pop("words", NullTranslations())
    given_ = SurveyInLanguage(other, second, more.pop("others", NullTranslations())) if second else None
    return build_setting(SurveyInLanguage(language, first, words), SheetFormat(second=given_, **more))


def both(language: str, other: str, kind: str = "one", asked: dict[str, Any] | None = None, **more: Any) -> Setting:
    """Return a setting for one question in two languages, with texts for every place from MEANT."""
    made = [a_survey(a_question(each, kind, **(asked or {}))) for each in (language, other)]
    if kind == "number":
        made = [
            a_survey(replace(survey.question("asked"), unit=words_of(each, "unit")))
            for survey, each in zip(made, (language, other), strict=True)
        ]
    return set_in(made[0], language, made[1], other, **more)


def blocked(setting: Setting, id: str = "asked", most: float = MOST) -> Block:
    section, question = next(pair for pair in setting.survey.questions() if pair[1].id == id)
    return question_block(setting, Slot(section, None if section.repeat is None else 1, question), WIDTH, most)


def found(block: Block, kind: type[Item]) -> list[Any]:
    return [item for item in block.items if isinstance(item, kind)]


def said(item: Text) -> str:
    return " ".join(line.text for line in item.laid.lines).replace("\u2068", "").replace("\u2069", "")


def only(block: Block, words: str) -> Text:
    (text,) = (text for text in found(block, Text) if said(text) == words)
    return text


def contrast(ink: float, paper: float) -> float:
    """Return WCAG's contrast of two grays."""

    def light(gray: float) -> float:
        linear = gray / 12.92 if gray <= 0.04045 else ((gray + 0.055) / 1.055) ** 2.4
        return float(linear + 0.05)

    return light(paper) / light(ink)


def overlap(one: Item, other: Item, room: float = -0.01) -> bool:
    across = one.x < other.x + other.width + room and other.x < one.x + one.width + room
    return across and one.y < other.y + other.height + room and other.y < one.y + one.height + room


def assert_sound(block: Block, question: Question) -> None:
    """Everything is within the block, nothing overlaps, every choice has one box, and all texts are dark enough."""
    boxes, texts, panels = found(block, Box), found(block, Text), found(block, Panel)
    for item in block.items:
        assert item.x >= -0.01
        assert item.x + item.width <= WIDTH + 0.01
        assert item.y >= -0.01
        assert item.y + item.height <= block.height + 0.01
    for one, other in combinations(boxes, 2):
        assert not overlap(one, other, 1.5), (one, other)
    for box in boxes:
        assert box.width >= 4
        assert not [item for item in (*texts, *found(block, Comb)) if overlap(box, item)]
    for one, other in combinations(texts, 2):
        assert not overlap(one, other, -0.4), (said(one), said(other))
    for text in texts:
        under = [panel.ink for panel in panels if overlap(panel, text)]
        assert contrast(text.ink, min(under, default=1.0)) >= 7, said(text)
    assert Counter((box.key, box.value) for box in boxes) == Counter(
        (box.key, box.value) for box in question_types.answer_boxes(question)
    )


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("arrangement", ["under", "beside"])
@pytest.mark.parametrize(("language", "other"), PAIRS)
@pytest.mark.parametrize("kind", ["one", "several", "scale", "number", "date", "words", "long_words", "note"])
def test_both_languages_stand_on_the_sheet_and_every_choice_has_one_box(
    kind: str, language: str, other: str, arrangement: str, style: str
) -> None:
    asked = {"dont_know": True} if kind != "note" else {}
    setting = both(language, other, kind, asked, arrangement=arrangement, style=style)
    block = blocked(setting)
    assert_sound(block, setting.survey.question("asked"))
    spoken = " ".join(said(text) for text in found(block, Text))
    named = [
        "text",
        "hint",
        *(["yes", "no"] if kind in question_types.CHOICE_KINDS else []),
        *(["unit"] if kind == "number" else []),
    ]
    for each in (language, other):
        assert [name for name in named if MEANT[each][name] not in spoken] == []


@pytest.mark.parametrize(("language", "other"), PAIRS)
def test_under_the_second_language_is_softer_and_stands_at_the_same_side(language: str, other: str) -> None:
    block = blocked(both(language, other))
    for name in ("text", "hint", "yes"):
        first, second = only(block, MEANT[language][name]), only(block, MEANT[other][name])
        assert second.y > first.y
        assert second.x == first.x
        assert second.laid.align == first.laid.align == ("right" if language == "ar" else "left")
        assert second.laid.size <= first.laid.size
        assert second.ink >= first.ink
    texts = [said(text) for text in found(block, Text)]
    order = [texts.index(MEANT[each][name]) for each in (language, other) for name in ("text", "hint")]
    assert order == sorted(order), "each language is read in one go"


@pytest.mark.parametrize(("language", "other"), PAIRS)
def test_beside_each_language_has_its_column_and_the_box_stands_at_the_first(language: str, other: str) -> None:
    block = blocked(both(language, other, arrangement="beside"))
    sides = {tag: "right" if tag == "ar" else "left" for tag in (language, other)}
    columns = set()
    for name in ("text", "hint", "yes"):
        first, second = only(block, MEANT[language][name]), only(block, MEANT[other][name])
        assert first.x + first.width < second.x
        assert (first.laid.align, second.laid.align) == (sides[language], sides[other])
        assert second.laid.size == first.laid.size
        columns.add(round(second.x, 3))
    assert len(columns) == 1, "the second language has one column for question and answers"
    label, answer = only(block, MEANT[language]["yes"]), only(block, MEANT[other]["yes"])
    box = next(box for box in found(block, Box) if box.value == "yes")
    assert box.x + box.width < label.x
    for text in (label, answer):
        assert text.y + text.first_middle == pytest.approx(box.y + box.height / 2)


@pytest.mark.parametrize("arrangement", ["under", "beside"])
def test_english_runs_from_left_to_right_on_an_arabic_sheet(arrangement: str) -> None:
    english = only(blocked(both("ar", "en", arrangement=arrangement)), MEANT["en"]["text"])
    clusters = [cluster for strip in english.laid.lines[0].strips for cluster in strip.clusters]
    assert [cluster.start for cluster in clusters] == sorted(cluster.start for cluster in clusters)


def test_the_same_word_is_said_once_under_and_in_both_columns_beside() -> None:
    under, beside = (blocked(both("en", "es", arrangement=each)) for each in ("under", "beside"))
    assert [said(text) for text in found(under, Text)].count("No") == 1
    assert [said(text) for text in found(beside, Text)].count("No") == 2


@pytest.mark.parametrize("arrangement", ["under", "beside"])
def test_what_is_not_translated_is_said_once(arrangement: str) -> None:
    english = a_survey(a_question("en"))
    block = blocked(set_in(english, "en", english, "vi", arrangement=arrangement))
    assert [said(text) for text in found(block, Text)].count(MEANT["en"]["text"]) == 1


def test_a_date_names_its_parts_in_both_languages() -> None:
    names = {"Day": "Ngày", "Month": "Tháng", "Year": "Năm"}
    block = blocked(both("en", "vi", "date", others=Translated(names)))
    combs = sorted(found(block, Comb), key=lambda comb: comb.x)
    assert [comb.part for comb in combs] == ["month", "day", "year"], "the first language's order"
    for english, vietnamese in names.items():
        assert only(block, english).x == only(block, vietnamese).x


def test_directions_and_jumps_are_said_in_both_languages() -> None:
    words = Translated(
        {"Answer this only if you chose %(choice)s in question %(number)s.": "Solo si %(choice)s en %(number)s."}
    )
    made = []
    for language in ("en", "es"):
        first = a_question(language)
        made.append(
            a_survey(first, replace(first, id="then", shown_when=parse_rule("asked is yes")), replace(first, id="last"))
        )
    setting = set_in(made[0], "en", made[1], "es", others=words)
    above, below = blocked(setting, "then"), blocked(setting)
    assert only(above, "Answer this only if you chose 1 (Yes) in question 1.")
    assert only(above, "Solo si 1 (Sí) en 1.")
    jump = only(below, "If you chose 2 (No), go to question 3.")
    assert all(jump.y > box.y + box.height for box in found(below, Box))


def test_compact_keeps_nine_points_and_four_millimetres_and_takes_less_room() -> None:
    heights = {}
    for style in STYLES:
        block = blocked(both("en", "es", asked={"dont_know": True, "refuse": True}, style=style))
        heights[style] = block.height
        words = [text for text in found(block, Text) if said(text) not in KEYS]
        least = {"standard": 9, "large": 18, "compact": 9}[style]
        assert min(text.laid.size for text in words) >= least
        assert min(box.width for box in found(block, Box)) >= 4
    assert heights["compact"] < heights["standard"] < heights["large"]


def many(language: str, choices: int, words: int) -> Survey:
    """Return a question with this number of choices, each repeating its text this many times."""
    said_ = " ".join([MEANT[language]["text"]] * words)
    options = tuple(Choice(f"c{n}", Words(f"{said_} {n}", language)) for n in range(choices))
    return a_survey(replace(a_question(language, "several", dont_know=True), choices=options))


@pytest.mark.parametrize(
    ("choices", "words", "style", "arrangement"),
    [
        (12, 3, "standard", "under"),
        (18, 2, "standard", "beside"),
        (9, 1, "large", "under"),
        (12, 2, "compact", "beside"),
    ],
)
def test_what_is_too_tall_in_two_languages_is_set_more_closely(
    choices: int, words: int, style: str, arrangement: str
) -> None:
    setting = set_in(
        many("en", choices, words), "en", many("ar", choices, words), "ar", style=style, arrangement=arrangement
    )
    heights, most = [], 9999.0
    while True:
        try:
            block = blocked(setting, most=most)
        except TooTall:
            break
        assert block.height <= most
        assert_sound(block, setting.survey.question("asked"))
        heights.append(block.height)
        most = block.height - 0.1
    assert len(heights) >= 3, heights
    assert heights[-1] < 0.96 * heights[0], heights


def test_in_large_print_type_stays_large_even_where_room_is_scarce() -> None:
    setting = set_in(many("en", 14, 1), "en", many("ar", 14, 1), "ar", style="large")
    sizes = [text.laid.size for text in found(blocked(setting), Text) if said(text) not in KEYS]
    assert min(sizes) >= 12
    assert max(sizes) >= 15


def test_too_tall_names_both_languages() -> None:
    with pytest.raises(TooTall, match=r'trial, question "asked", en \+ ar: .*shorten'):
        blocked(set_in(many("en", 33, 9), "en", many("ar", 33, 9), "ar"))


@st.composite
def bilingual(draw: st.DrawFn) -> tuple[Survey, Survey]:
    """One question in two languages: same structure, different texts."""
    question = draw(questions(count()))
    question = replace(question, id="asked", shown_when=None)
    text = st.sampled_from([*SAMPLES.values(), "W" * 40, "لا"])
    other = replace(
        question,
        text=Words(draw(text), "ar"),
        hint=Words(draw(text), "ar") if question.hint else question.hint,
        choices=tuple(replace(choice, text=Words(draw(text), "ar")) for choice in question.choices),
    )
    return a_survey(question), a_survey(other)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(surveys=bilingual(), style=st.sampled_from(list(STYLES)), arrangement=st.sampled_from(["under", "beside"]))
def test_any_question_lies_soundly_in_two_languages(
    surveys: tuple[Survey, Survey], style: str, arrangement: str
) -> None:
    setting = set_in(surveys[0], "en", surveys[1], "ar", style=style, arrangement=arrangement)
    try:
        block = blocked(setting)
    except TooTall:
        event("too tall")
        assume(False)
    assert block.height <= MOST
    assert_sound(block, surveys[0].question("asked"))
    assert bool(found(block, WritingLine)) == (surveys[0].question("asked").kind in question_types.TEXT_KINDS)
