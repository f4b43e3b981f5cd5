from collections.abc import Sequence
from datetime import date
from gettext import NullTranslations
from io import BytesIO

import cv2
import numpy as np
import pypdf
import pypdfium2
import pytest
import zxingcpp

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.domain.paper.form.blank import write_sheets
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.elements import Mark
from engage.domain.paper.form.geometry import digest, geometry_json
from engage.domain.paper.form.typesetter import SheetFormat, SurveyInLanguage
from engage.questionnaire.editions import Edition, build_edition
from engage.questionnaire.library import earlier_surveys, shipped_surveys
from engage.questionnaire.numbering import decode_payload
from engage.questionnaire.skip_instructions import DIRECTIONS
from tests.domain.paper.sample import COVER, Translated, page_sizes, page_texts

pytestmark = pytest.mark.slow

EDITIONS = {survey.slug: build_edition(survey, {}) for survey in earlier_surveys()}


@pytest.fixture(params=sorted(EDITIONS))
def edition(request: pytest.FixtureRequest) -> Edition:
    return EDITIONS[request.param]


def first_of(edition: Edition, language: str, words: NullTranslations) -> SurveyInLanguage:
    return SurveyInLanguage(language, edition.survey(language), words)


def printed(
    edition: Edition, language: str = "en", cover: Cover = COVER, serials: Sequence[str] = ("",), **more: object
) -> bytes:
    out = BytesIO()
    first = first_of(edition, language, NullTranslations())
    write_sheets(out, edition, first, cover, SheetFormat(**more), serials=serials)
    return out.getvalue()


def test_every_page_tells_whose_it_is(edition: Edition) -> None:
    texts = page_texts(printed(edition, serials=["XAB-2C7"]))
    for number, text in enumerate(texts, 1):
        assert "Riverbend Public Schools" in text
        assert edition.survey("en").title in text
        assert f"Page {number} of {len(texts)}" in text
        assert "Form" in text
        assert "XAB-2C7" in text
        assert f"English · {edition.digest[:8]}" in text


def test_each_copy_has_its_own_serial(edition: Edition) -> None:
    texts = page_texts(printed(edition, serials=["XAA-2C3", "XAA-3C4"]))
    half = len(texts) // 2
    assert all("XAA-2C3" in text and "XAA-3C4" not in text for text in texts[:half])
    assert all("XAA-3C4" in text and "XAA-2C3" not in text for text in texts[half:])
    labels = pypdf.PdfReader(BytesIO(printed(edition, serials=["XAA-2C3", "XAA-3C4"]))).page_labels
    assert labels[0] == "XAA-2C3 / 1"
    assert labels[half] == "XAA-3C4 / 1"


def test_a_form_printed_at_home_has_no_serial_but_its_pages_are_known(edition: Edition) -> None:
    pdf = printed(edition)
    assert all("Sheet" not in text for text in page_texts(pdf))
    found = [decode_payload(each) for each in codes(pdf)]
    assert [(each.serial, each.page) for each in found] == [("", number) for number in range(1, len(found) + 1)]


def pictures(pdf: bytes, dpi: int) -> list[np.ndarray]:
    return [np.asarray(page.render(scale=dpi / 72).to_pil().convert("L")) for page in pypdfium2.PdfDocument(pdf)]


def codes(pdf: bytes) -> list[str]:
    """Return the payload of the one code on every page."""
    found = [zxingcpp.read_barcodes(picture) for picture in pictures(pdf, 150)]
    assert [len(each) for each in found] == [1] * len(found)
    return [each[0].text for each in found]


SHEETS = [("en", "standard", "letter", None), ("ar", "large", "a4", None), ("zh-Hans", "compact", "letter", "ar")]


@pytest.mark.parametrize(("language", "style", "paper", "second"), SHEETS)
def test_every_code_says_its_own_serial_page_and_layout(
    edition: Edition, language: str, style: str, paper: str, second: str | None
) -> None:
    other = SurveyInLanguage(second, edition.survey(second), NullTranslations()) if second else None
    out = BytesIO()
    serials = ["XAA-2C3", "XAA-3C4"]
    first = first_of(edition, language, NullTranslations())
    sheet = write_sheets(out, edition, first, COVER, SheetFormat(paper, style, other), serials=serials)
    short = digest(geometry_json(sheet, edition.digest))[:8]
    expected = [(serial, page.number, short) for serial in serials for page in sheet.pages]
    assert [decode_payload(each) for each in codes(out.getvalue())] == expected


@pytest.mark.parametrize("dpi", [100, 150])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_opencv_finds_every_mark_where_the_layout_says(language: str, dpi: int) -> None:
    """Corners within 0.25 mm, clockwise from the marker's own top left."""
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))
    out = BytesIO()
    first = first_of(EDITIONS["home-access"], language, NullTranslations())
    sheet = write_sheets(out, EDITIONS["home-access"], first, COVER, serials=["XAA-2C3"])
    for page, picture in zip(sheet.pages, pictures(out.getvalue(), dpi), strict=True):
        corners, ids, _ = detector.detectMarkers(picture)
        found = {int(id): (four[0] + 0.5) * 25.4 / dpi for id, four in zip(ids.ravel(), corners, strict=True)}
        marks = {item.id: item for item in page.items if isinstance(item, Mark)}
        assert found.keys() == marks.keys()
        for id, mark in marks.items():
            right, below = mark.x + mark.width, mark.y + mark.height
            four = np.array([(mark.x, mark.y), (right, mark.y), (right, below), (mark.x, below)])
            assert np.abs(found[id] - four).max() < 0.25


def test_bookmarks_lead_to_the_sections_of_every_copy() -> None:
    titles = [str(section.title) for section in EDITIONS["family-beliefs"].survey("en").sections]
    assert bookmarks(printed(EDITIONS["family-beliefs"], serials=["XAA-2C3"])) == titles
    several = bookmarks(printed(EDITIONS["family-beliefs"], serials=["XAA-2C3", "XAA-3C4"]))
    assert several == ["XAA-2C3", titles, "XAA-3C4", titles]


def bookmarks(pdf: bytes) -> list[object]:
    def plain(entries: list[object]) -> list[object]:
        return [plain(each) if isinstance(each, list) else each["/Title"] for each in entries]

    return plain(pypdf.PdfReader(BytesIO(pdf)).outline)


def test_the_first_page_says_what_a_family_must_know(edition: Edition) -> None:
    told = {"en": {"who_sees": "A few people see your answers.", "used_against": "Nobody is punished."}}
    cover = Cover("Riverbend", "confidential", "Put it in the box.", closes=date(2026, 10, 31), notice=told)
    first = " ".join(page_texts(printed(edition, cover=cover))[0].split())
    for said in (
        *told["en"].values(),
        "Put it in the box.",
        "October 31, 2026",
        "You do not have to answer",
        "Leave blank what you do not want to answer.",
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
    once = printed(edition, language, serials=["XAA-2C3"])
    assert once == printed(edition, language, serials=["XAA-2C3"])
    assert len(once) <= 400_000


@pytest.mark.parametrize("large", [False, pytest.param(True, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_survey_prints_in_every_language(language: str, large: bool) -> None:
    surveys = survey_catalogues()
    for survey in (*shipped_surveys(), *earlier_surveys()):
        if survey.population != "family":
            continue
        edition = build_edition(survey, surveys)
        first = first_of(edition, language, catalogue(language))
        sheet = write_sheets(BytesIO(), edition, first, COVER, SheetFormat(style="large" if large else "standard"))
        assert sheet.boxes()


def test_a_question_says_when_to_answer_it_in_the_language_of_the_page() -> None:
    words = Translated({DIRECTIONS["is"]: "Solo si marcó %(choice)s en %(number)s."})
    out = BytesIO()
    write_sheets(out, EDITIONS["home-access"], first_of(EDITIONS["home-access"], "es", words), COVER)
    assert "Solo si marcó 1 (Yes) en 2." in " ".join(page_texts(out.getvalue()))
