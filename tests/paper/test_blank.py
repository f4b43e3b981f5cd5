from datetime import date
from gettext import NullTranslations
from io import BytesIO

import pypdf
import pytest

from engage.languages import LANGUAGES, catalogue
from engage.paper.blank import blank
from engage.paper.cover import Cover
from engage.paper.directions import DIRECTIONS
from engage.questionnaire.library import shipped_surveys
from engage.questionnaire.wording import Edition, edition_of

from .sample import COVER, Translated, page_sizes, page_texts

EDITIONS = {survey.slug: edition_of(survey, {}) for survey in shipped_surveys()}


@pytest.fixture(params=sorted(EDITIONS))
def edition(request: pytest.FixtureRequest) -> Edition:
    return EDITIONS[request.param]


def printed(edition: Edition, language: str = "en", cover: Cover = COVER, **more: object) -> bytes:
    out = BytesIO()
    blank(out, edition, language, NullTranslations(), cover, **more)
    return out.getvalue()


def test_every_page_tells_whose_it_is(edition: Edition) -> None:
    texts = page_texts(printed(edition, serials=["XAB-2C7"]))
    for number, text in enumerate(texts, 1):
        assert "Riverbend Public Schools" in text
        assert edition.survey("en").title in text
        assert f"Page {number} of {len(texts)}" in text
        assert "Sheet XAB-2C7" in text
        assert f"English · {edition.digest[:8]}" in text


def test_each_copy_has_its_own_serial(edition: Edition) -> None:
    texts = page_texts(printed(edition, serials=["XAA-2", "XAA-3"]))
    half = len(texts) // 2
    assert all("XAA-2" in text and "XAA-3" not in text for text in texts[:half])
    assert all("XAA-3" in text and "XAA-2" not in text for text in texts[half:])
    labels = pypdf.PdfReader(BytesIO(printed(edition, serials=["XAA-2", "XAA-3"]))).page_labels
    assert labels[0] == "XAA-2 / 1"
    assert labels[half] == "XAA-3 / 1"


def test_without_a_serial_none_is_promised(edition: Edition) -> None:
    assert all("Sheet" not in text for text in page_texts(printed(edition)))


def test_the_first_page_says_what_a_family_must_know(edition: Edition) -> None:
    cover = Cover("Riverbend", "confidential", returns="Put it in the box.", closes=date(2026, 10, 31))
    first = " ".join(page_texts(printed(edition, cover=cover))[0].split())
    for said in (
        "Your answers are kept private.",
        "Put it in the box.",
        "October 31, 2026",
        "You do not have to answer",
        "stop at any time",
    ):
        assert said in first
    assert f"It takes about {edition.survey('en').minutes} minutes." in first


def test_only_an_anonymous_wave_asks_for_no_name_and_promises_what_paper_can_keep(edition: Edition) -> None:
    promise = "Please do not write your name on this form."
    for identity in ("", "confidential", "anonymous"):
        first = " ".join(page_texts(printed(edition, cover=Cover("Riverbend", identity)))[0].split())
        assert (promise in first) == (identity == "anonymous")
        assert "Nobody can find out" not in first, "whoever keys the sheet sees it"


@pytest.mark.parametrize(("paper", "size"), [("letter", (612, 792)), ("a4", (595.28, 841.89))])
def test_pages_have_the_size_of_the_paper(edition: Edition, paper: str, size: tuple[float, float]) -> None:
    (found,) = page_sizes(printed(edition, paper=paper))
    assert found == pytest.approx(size, abs=0.01)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_sheets_are_the_same_bytes_and_small(edition: Edition, language: str) -> None:
    once = printed(edition, language, serials=["XAA-2"])
    assert once == printed(edition, language, serials=["XAA-2"])
    assert len(once) <= 400_000


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_survey_prints_in_every_language(language: str, large: bool) -> None:
    surveys = {tag: catalogue(tag, "surveys") for tag in LANGUAGES}
    for survey in shipped_surveys():
        sheet = blank(BytesIO(), edition_of(survey, surveys), language, catalogue(language), COVER, style="large" if large else "standard")
        assert sheet.boxes()


def test_a_question_says_when_to_answer_it_in_the_language_of_the_page() -> None:
    words = Translated({DIRECTIONS["is"]: "Solo si marcó %(choice)s en %(number)s."})
    out = BytesIO()
    blank(out, EDITIONS["home-access"], "es", words, COVER)
    assert "Solo si marcó 1 (Yes) en 2." in " ".join(page_texts(out.getvalue()))
