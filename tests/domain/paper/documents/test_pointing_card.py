"""The pointing card: the meaning and position of its pictograms, and its rendering."""

from gettext import NullTranslations
from io import BytesIO
from itertools import combinations
from pathlib import Path

import pypdfium2
import pytest
from click.testing import CliRunner

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.cli.paper import paper
from engage.domain.paper.documents.pictogram_choice import choose_pictograms
from engage.domain.paper.documents.pictograms import Pictogram
from engage.domain.paper.documents.pointing_card import SIDE, card_pages, card_rows, write_card
from engage.domain.paper.form.elements import PAPERS, Item, Panel, Text
from engage.domain.paper.form.typesetter import Setting, SheetFormat, SurveyInLanguage, build_setting
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import earlier_surveys, shipped_surveys
from engage.questionnaire.model import Choice, Question, Section, Survey, Words
from tests.domain.paper.sample import Translated, page_sizes, page_texts

pytestmark = pytest.mark.slow

EDITIONS = {survey.slug: build_edition(survey, survey_catalogues()) for survey in earlier_surveys()}


def scale(codes: str, kind: str = "scale", id: str = "asked") -> Question:
    choices = tuple(Choice(code, Words(code.replace("_", " "))) for code in codes.split())
    return Question(id, kind, Words("?"), choices=choices)


def a_survey(*questions: Question) -> Survey:
    return Survey("trial", Words("Trial"), Words(), 5, (Section("only", Words("Only"), questions=questions),))


def in_english(survey: Survey) -> SurveyInLanguage:
    return SurveyInLanguage("en", survey, NullTranslations())


def set_in(slug: str, language: str = "en", second: str = "", **more: str) -> Setting:
    edition = EDITIONS[slug]
    other = SurveyInLanguage(second, edition.survey(second), catalogue(second)) if second else None
    first = SurveyInLanguage(language, edition.survey(language), catalogue(language))
    return build_setting(first, SheetFormat(style="large", second=other))


def all_of(pages: list[list[Item]], kind: type[Item]) -> list[Item]:
    return [item for page in pages for item in page if isinstance(item, kind)]


MEANINGS = [
    # codes of a scale, shape, levels in order
    ("very_hard hard between easy very_easy", "face", [0, 0.25, 0.5, 0.75, 1]),
    ("strongly_agree agree disagree strongly_disagree", "face", [1, 2 / 3, 1 / 3, 0]),
    ("bad good", "face", [0, 1]),
    ("not_at_all a_little some much very_much", "glass", [0, 0.25, 0.5, 0.75, 1]),
    ("very_much some not_at_all", "glass", [1, 0.5, 0]),
    ("almost_never monthly daily", "steps", [0, 0.5, 1]),
    ("always sometimes never", "steps", [1, 0.5, 0]),
    ("far_too_short right far_too_long", "steps", [0, 0.5, 1]),
    ("c1 c2 c3", "steps", [0, 0.5, 1]),
]


@pytest.mark.parametrize(("codes", "shape", "levels"), MEANINGS)
def test_a_scale_looks_like_what_it_means(codes: str, shape: str, levels: list[float]) -> None:
    looks = choose_pictograms(scale(codes))
    assert {look[0] for look in looks} == {shape}
    assert [look[1] for look in looks] == pytest.approx(levels)


@pytest.mark.parametrize(
    ("codes", "shapes"),
    [("yes no", ["yes", "no"]), ("no yes", ["no", "yes"]), ("yes sometimes no", ["yes", "partly", "no"]), ("a b", [])],
)
def test_yes_and_no_are_known_and_other_choices_are_not_guessed(codes: str, shapes: list[str]) -> None:
    assert [shape for shape, _ in choose_pictograms(scale(codes, "one"))] == shapes


def test_the_shipped_scales_have_the_pictures_a_person_would_choose() -> None:
    survey = EDITIONS["family-beliefs"].survey("en")
    shapes = {
        question.id: choose_pictograms(question)[0][0]
        for _, question in survey.questions()
        if choose_pictograms(question)
    }
    assert shapes == {
        "help_often": "steps",
        "sure_helping": "glass",
        "school_fit": "glass",
        "screens_help": "glass",
        "own_speed": "glass",
        "screen_time": "steps",
        "online_worry": "glass",
        "in_touch": "steps",
        "easy_to_ask": "face",
        "listens": "glass",
    }


@pytest.mark.parametrize(
    "survey", [*shipped_surveys(), *earlier_surveys()], ids=lambda one: f"{one.slug}-{one.version}"
)
def test_every_shipped_scale_climbs(survey: Survey) -> None:
    for _, question in survey.questions():
        levels = [level for _, level in choose_pictograms(question)]
        assert levels == sorted(levels), question.id


def test_two_sided_scales_have_faces_or_a_filling_glass() -> None:
    shapes = {
        question.id: choose_pictograms(question)[0][0]
        for survey in shipped_surveys()
        for _, question in survey.questions()
        if question.kind == "scale"
    }
    assert {id for id, shape in shapes.items() if shape == "face"} == {
        "ai_use", "computers_effect", "different_speeds", "easy_to_ask",
    }  # fmt: skip
    assert {shapes[id] for id in ("asks_first", "asks_educators", "choose_how", "choose_what")} == {"steps"}
    assert {shapes[id] for id in ("records_worry", "safe_to_say", "school_fit", "listening")} == {"glass"}


def test_every_scale_stands_once_with_the_numbers_of_its_questions_and_the_keys_of_their_boxes() -> None:
    found = card_rows(set_in("family-beliefs"))
    assert (5, 6, 11) in [row.numbers for row in found]
    numbers = [number for row in found for number in row.numbers]
    assert len(numbers) == len(set(numbers)) == 10
    for row in found[:-2]:
        assert [point.key for point in row.points] == ["1", "2", "3", "4", "5"]


def test_yes_no_and_what_is_no_choice_are_always_there() -> None:
    setting = build_setting(in_english(a_survey(scale("c1 c2 c3"))))
    shapes = [[point.picture.shape for point in row.points] for row in card_rows(setting)]
    assert shapes == [["steps"] * 3, ["yes", "no"], ["unknown", "silent"]]
    own = [[point.picture.shape for point in row.points] for row in card_rows(set_in("home-access"))]
    assert own == [["yes", "no"], ["yes", "partly", "no"], ["unknown", "silent"]]


def test_i_dont_know_has_a_key_only_where_all_questions_agree_on_it() -> None:
    both = [
        Question("a", "scale", Words("?"), choices=scale(codes).choices, dont_know=True) for codes in ("x y", "x y z")
    ]
    alone = card_rows(build_setting(in_english(a_survey(both[0]))))[-1]
    mixed = card_rows(build_setting(in_english(a_survey(*both))))[-1]
    assert [point.key for point in alone.points] == ["3", ""]
    assert [point.key for point in mixed.points] == ["", ""]


@pytest.mark.parametrize("size", PAPERS)
@pytest.mark.parametrize("second", ["", "en", "so"])
@pytest.mark.parametrize("language", ["ar", "es", "zh-Hans"])
@pytest.mark.parametrize("slug", EDITIONS)
def test_everything_is_on_the_paper_and_nothing_on_anything(slug: str, language: str, second: str, size: str) -> None:
    width, height = PAPERS[size]
    pages = card_pages(set_in(slug, language, second), size, "0" * 64)
    assert len(pages) <= 4
    for page in pages:
        solid = [item for item in page if not isinstance(item, Panel)]
        for item in solid:
            assert item.x >= SIDE - 0.01
            assert item.x + item.width <= width - SIDE + 0.01
            assert item.y >= SIDE - 0.01
            assert item.y + item.height <= height - SIDE + 0.01
        for one, other in combinations(solid, 2):
            across = one.x < other.x + other.width - 0.4 and other.x < one.x + one.width - 0.4
            assert not (across and one.y < other.y + other.height - 0.4 and other.y < one.y + one.height - 0.4)
        assert not [text for text in solid if isinstance(text, Text) and text.laid.cut]
    assert min(item.width for item in all_of(pages, Pictogram)) >= 14, "big enough to point at"


def test_home_access_is_one_page_in_two_languages() -> None:
    assert len(card_pages(set_in("home-access", "vi", "zh-Hans"), "letter")) == 1


@pytest.mark.parametrize(("language", "climbs"), [("en", "right"), ("ar", "left")])
def test_a_scale_runs_the_way_the_language_is_read(language: str, climbs: str) -> None:
    setting = set_in("family-beliefs", language, "es")
    first = next(item for item in all_of(card_pages(setting, "a4"), Pictogram))
    row = [item for item in card_pages(setting, "a4")[0] if isinstance(item, Pictogram) and item.y == first.y]
    levels = [item.level for item in sorted(row, key=lambda item: item.x)]
    assert levels == (sorted(levels) if climbs == "right" else sorted(levels, reverse=True))
    assert {item.flipped for item in row} == {climbs == "left"}


def printed(slug: str, language: str = "en", **more: object) -> bytes:
    out = BytesIO()
    edition, words = EDITIONS[slug], more.pop("words", catalogue(language))
    write_card(out, edition, SurveyInLanguage(language, edition.survey(language), words), SheetFormat(**more))
    return out.getvalue()


def test_the_same_card_is_the_same_bytes_on_the_paper_asked_for() -> None:
    once = printed("home-access", paper="a4")
    assert once == printed("home-access", paper="a4")
    (size,) = page_sizes(once)
    assert size == pytest.approx((595.28, 841.89), abs=0.01)


def test_it_says_its_words_in_both_languages_and_which_survey_it_belongs_to() -> None:
    edition = EDITIONS["home-access"]
    second = SurveyInLanguage("es", edition.survey("es"), Translated({"Point to your answer.": "Señale su respuesta."}))
    text = " ".join(page_texts(printed("home-access", second=second))[0].split())
    for said in ("Point to your answer.", "Señale su respuesta.", "Yes", "Sí", "I don't know", edition.digest[:8]):
        assert said in text


def ink(pdf: bytes, item: Item) -> float:
    """Return the share of dark pixels in an item's area on the first page."""
    image = pypdfium2.PdfDocument(pdf)[0].render(scale=2).to_pil().convert("L")
    scale = 2 * 72 / 25.4
    part = image.crop(
        tuple(round(edge * scale) for edge in (item.x, item.y, item.x + item.width, item.y + item.height))
    )
    dark = [value < 200 for value in part.tobytes()]
    return sum(dark) / len(dark)


def test_more_is_more_ink() -> None:
    """Steps and glasses are filled more; the face for the worst differs from the face for the best."""
    pdf = printed("family-beliefs")
    (first, *_) = card_pages(set_in("family-beliefs"), "letter", EDITIONS["family-beliefs"].digest)
    shown = [item for item in first if isinstance(item, Pictogram) and item.shape in ("steps", "glass")]
    assert shown
    for top in {item.y for item in shown}:
        row = sorted((item for item in shown if item.y == top), key=lambda item: item.level)
        inks = [ink(pdf, item) for item in row]
        assert inks == sorted(inks)
        assert inks[-1] > inks[0] + 0.1


def test_the_command_writes_it(tmp_path: Path) -> None:
    out = tmp_path / "card.pdf"
    run = CliRunner().invoke(paper, ["card", "home-access", "--language", "ar", "--second", "en", "-o", str(out)])
    assert (run.exit_code, run.output) == (0, "")
    assert "Yes" in page_texts(out.read_bytes())[0]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nothing", "--language", "en"], 'there is no survey "nothing"'),
        (["home-access", "--language", "en", "--second", "en"], "a different language"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    run = CliRunner().invoke(paper, ["card", *arguments, "-o", str(tmp_path / "no.pdf")])
    assert run.exit_code == 1
    assert complaint in run.output
    assert not (tmp_path / "no.pdf").exists()


def test_a_missing_font_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_FONT_DIR", str(tmp_path))
    run = CliRunner().invoke(paper, ["card", "home-access", "--language", "ar", "-o", str(tmp_path / "no.pdf")])
    assert run.exit_code == 1
    assert "Noto Naskh Arabic" in run.output


def test_every_language_has_a_card() -> None:
    for language in LANGUAGES:
        assert page_texts(printed("family-beliefs", language))
