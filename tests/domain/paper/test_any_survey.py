"""Any survey can be laid out on paper, or is refused with a message that names what to change."""

import re
from io import BytesIO
from itertools import count

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.elements import Layout
from engage.domain.paper.form.questions import TooTall
from engage.domain.paper.pdf.canvas import draw_items, open_canvas, save_canvas
from engage.domain.paper.typesetting.shaping import MissingGlyph
from engage.questionnaire.errors import SurveyProblems
from engage.questionnaire.model import Choice, Question, Section, Survey, Words
from engage.questionnaire.parser import parse_survey
from engage.questionnaire.question_parser import CHOICES
from engage.questionnaire.rules import parse_rule
from tests.domain.paper.form.test_layout import assert_sound
from tests.domain.paper.sample import COVER, LEAF, SAMPLES, a_question, laid_out
from tests.domain.paper.specimens import SPECIMENS

pytestmark = pytest.mark.slow

WRITTEN = [
    *SAMPLES.values(),
    *(each.text[:40] for each in SPECIMENS.values()),
    "W" * 300,  # longer than any line
    "က" * 200,
    "ل" * 150,
    "e\u0301\u0327\u0323" * 40,
    "q\u0303\u0303\u0303\u0303",
    "A (نعم, 12) B",
    "نعم (Wi-Fi 5.5%) لا",
    "\u202eturned\u202c \u2066held\u2069 \u2067held\u2069",
    "\u2067never closed",
    "one\ntwo\u2028three\r\nfour\x0bfive",
    "\x00\x07\ttabbed\x1b[0m",
    "soft\u00adhyphen\u200bbreak\u2060join\ufeff",
    "☺\ufe0f ❤\ufe0f 1\ufe0f\u20e3 葛\U000e0100",
    "می\u200cگیرد \u200d\u200c",
    "。（「」）。、，" * 5,
    " spaces   inside ",
    "-",
]
UNSHOWN = ["🎉", "🇺🇸", "👨‍👩‍👧", "👍🏽", "\ue000", "\ufdd0", "\U000f0000"]
TEXTS = st.one_of(
    st.sampled_from(WRITTEN),
    st.lists(st.sampled_from(WRITTEN), min_size=2, max_size=4).map(" ".join),
    st.text(st.characters(codec="utf-8", max_codepoint=0x5FF, exclude_categories=["Cn"]), min_size=1, max_size=60),
)
WORDS = st.builds(Words, TEXTS.filter(lambda text: text.strip() != ""), st.sampled_from(["en", "ar", "zh-Hans"]))
SHORT = st.builds(Words, st.sampled_from(["Yes", "نعم", "是", "tea ☺", "-"]), st.sampled_from(["en", "ar", "zh-Hans"]))
KINDS = ["one", "several", "scale", "number", "words", "long_words", "date", "note"]
STYLES, PAPER_SIZES = st.sampled_from(["standard", "large", "compact"]), st.sampled_from(["letter", "a4"])
QUICKLY = settings(max_examples=14, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@st.composite
def any_question(draw: st.DrawFn, ids: "count[int]") -> Question:
    kind = draw(st.sampled_from(KINDS))
    size = draw(st.sampled_from([2, 3, 5, 11, CHOICES])) if kind in ("one", "several", "scale") else 0
    labels = draw(st.lists(SHORT if size > 11 else WORDS, min_size=size, max_size=size))
    return Question(
        f"q{next(ids)}",
        kind,
        draw(WORDS),
        draw(st.one_of(st.just(Words("")), WORDS)),
        tuple(Choice(f"c{number}", label) for number, label in enumerate(labels)),
        0,
        draw(st.integers(1, 10**9)),
        shown_when=parse_rule("how_many >= 2") if draw(st.booleans()) else None,
        dont_know=size > 0 and draw(st.booleans()),
        refuse=size > 0 and draw(st.booleans()),
    )


@st.composite
def any_survey(draw: st.DrawFn) -> Survey:
    ids = count()
    how_many = Question("how_many", "number", Words("How many?"), minimum=0, maximum=9)
    several = st.lists(any_question(ids), min_size=1, max_size=3).map(tuple)
    home = Section("home", draw(WORDS), draw(WORDS), (how_many, *draw(several)))
    title = draw(st.sampled_from([*["Title"] * 6, *map("tea {}".format, UNSHOWN)]))
    child = Section("child", draw(SHORT), Words(""), draw(several), repeat="how_many", maximum=9)
    return Survey("random", Words(title), draw(WORDS), 5, (home, child))


def drawn(layout: Layout) -> bytes:
    out = BytesIO()
    canvas = open_canvas(out, (layout.width, layout.height), layout.language, "Trial", "Somebody")
    for page in layout.pages:
        draw_items(canvas, page.items, layout.height)
        canvas.showPage()
    save_canvas(canvas)
    return out.getvalue()


@pytest.mark.parametrize("language", ["en", "ar", "zh-Hans"])
@QUICKLY
@given(survey=any_survey(), how=st.tuples(STYLES, PAPER_SIZES, st.sampled_from([COVER, LEAF])))
def test_any_survey_is_laid_out_or_refused_by_name(language: str, survey: Survey, how: tuple[str, str, Cover]) -> None:
    style, paper, cover = how
    asked = {question.id for section in survey.sections for question in section.questions}
    layout, refused = None, ""
    try:
        layout = laid_out(survey, language, cover, style=style, paper=paper, blocks=2)
    except (TooTall, MissingGlyph) as problem:
        refused = str(problem)
    event(refused[:40] if refused else "laid out")
    if layout is not None:
        assert_sound(layout, survey, 2)
        assert drawn(layout).startswith(b"%PDF")
    elif found := re.match(r'random, (the cover|section "(home|child)"|question "(\w+)"), ', refused):
        assert found[3] is None or found[3] in asked
    else:
        assert re.match(rf"{language}: no installed font has U\+[0-9A-F]+ ", refused)


def of(*questions: Question, language: str) -> Survey:
    words = Words(SAMPLES[language], language)
    return Survey("long", words, words, 5, (Section("all", words, Words(""), questions),))


@pytest.mark.parametrize("style", ["standard", "large", "compact"])
@pytest.mark.parametrize("language", ["en", "ar", "zh-Hans"])
def test_as_many_choices_as_there_may_be_find_their_boxes(language: str, style: str) -> None:
    words = Words(SAMPLES[language], language)
    choices = tuple(Choice(f"c{n}", Words(SAMPLES[language][:12], language)) for n in range(CHOICES))
    question = Question("asked", "several", words, choices=choices, dont_know=True, refuse=True)
    survey = of(question, language=language)
    layout = laid_out(survey, language, style=style)
    assert_sound(layout, survey, 1)
    assert len(layout.boxes()) == len({box.key for _, box in layout.boxes()}) == CHOICES + 1


def test_forty_choices_are_refused_when_the_survey_is_read() -> None:
    """A box is keyed by one character, 1-9 and a-z, so more than 33 choices are invalid."""
    choices = ", ".join(f'{{code = "c{n}", text = "Choice {n}"}}' for n in range(40))
    survey = f"""slug = "long"\ntitle = "Long"\npurpose = "Test"\nminutes = 2
        [[sections]]\nid = "all"\ntitle = "All"
        [[sections.questions]]\nid = "asked"\nkind = "several"\ntext = "Which?"\nchoices = [{choices}]"""
    with pytest.raises(SurveyProblems, match=r"asked.*33"):
        parse_survey(survey.encode(), "long.toml")


@pytest.mark.parametrize("language", ["en", "ar", "zh-Hans"])
def test_two_hundred_questions_are_all_there(language: str) -> None:
    kinds = ("one", "several", "scale", "words")
    asked = [a_question(kinds[n % 4], f"q{n}", language, choices=3 if n % 4 < 3 else 0) for n in range(200)]
    survey = of(*asked, language=language)
    layout = laid_out(survey, language)
    assert_sound(layout, survey, 1)
    assert len(layout.pages) > 10
    assert max(layout.numbers.values()) == 200


@pytest.mark.parametrize(("part", "named"), [("title", "the cover"), ("section", 'section "all"')])
def test_a_title_no_page_can_hold_is_named(part: str, named: str) -> None:
    long, short = Words("W" * 400), Words("Title")
    question = a_question("one", choices=2)
    section = Section("all", long if part == "section" else short, Words(""), (question,))
    survey = Survey("long", long if part == "title" else short, short, 5, (section,))
    with pytest.raises(TooTall, match=f"^long, {named}, en: .* shorten them$"):
        laid_out(survey, style="large")


@pytest.mark.parametrize("character", UNSHOWN)
@pytest.mark.parametrize("language", ["en", "ar", "zh-Hans"])
def test_a_sign_no_font_has_is_named_wherever_it_stands(language: str, character: str) -> None:
    bad = Words(f"tea {character}", "en")
    named = "|".join(f"{ord(each):04X}" for each in character)
    question = a_question("one", language=language, choices=2)
    cases = [
        of(Question("asked", "words", bad), language=language),
        of(Question("asked", "words", Words("Tea?"), bad), language=language),
        of(Question("asked", "one", Words("Tea?"), choices=(Choice("a", bad), Choice("b", bad))), language=language),
        Survey("long", bad, Words("Why"), 5, (Section("all", Words("All"), Words(""), (question,)),)),
        Survey("long", Words("Title"), Words("Why"), 5, (Section("all", bad, bad, (question,)),)),
    ]
    for survey in cases:
        with pytest.raises(MissingGlyph, match=rf"U\+({named}) "):
            laid_out(survey, language)
