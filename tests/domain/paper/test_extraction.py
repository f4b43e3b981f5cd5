"""Text that two other programs (poppler's pdftotext, pdfium) extract from our pages, and its order."""

import subprocess
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

import pytest

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.document import DocumentFormat, DocumentTable, Heading, Paragraph, write_document
from engage.domain.paper.form.blank import write_sheets
from engage.domain.paper.form.elements import Layout, Text
from engage.domain.paper.form.typesetter import SurveyInLanguage
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_surveys
from engage.questionnaire.model import Words
from tests.domain.paper.proof import ours, pdf_of
from tests.domain.paper.sample import COVER, page_texts
from tests.domain.paper.specimens import SPECIMENS

pytestmark = pytest.mark.slow

UNSEEN = {*map(chr, (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))), "\ufeff", "\u200b"}
TURNED = str.maketrans("()[]“”«»", ")(][”“»«")
HYPHEN_AT_THE_END = {"hmn"}  # "Wi-" ends a line: both readers take the hyphen for hyphenation

PDFIUM = {"ar": 0.96, "ur": 0.96, "fa-AF": 0.96, "ps": 0.96}
"""The scores of pdfium that are less than 1. In right-to-left text it mirrors brackets twice, and reads Wi-Fi and hot
spot word by word from the right. It scores 0.34 to 0.68 for Chromium's own PDFs of the same text."""


def bare(text: str) -> str:
    """Return the text without spaces and without direction controls."""
    return "".join(c for c in text if not c.isspace() and c not in UNSEEN)


def similarity(one: str, other: str) -> float:
    return SequenceMatcher(None, bare(one), bare(other), autojunk=False).ratio()


def poppler(pdf: bytes, folder: Path) -> list[str]:
    (folder / "read.pdf").write_bytes(pdf)
    command = ["pdftotext", "-enc", "UTF-8", str(folder / "read.pdf"), "-"]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode().split("\f")[:-1]


@pytest.mark.parametrize("tag", SPECIMENS)
def test_every_script_is_copied_out_in_reading_order(tag: str, tmp_path: Path) -> None:
    pdf, text = pdf_of([(tag, ours(SPECIMENS[tag]))], tag), SPECIMENS[tag].text
    (by_poppler,), (by_pdfium,) = poppler(pdf, tmp_path), page_texts(pdf)
    if tag in HYPHEN_AT_THE_END:
        text, by_poppler, by_pdfium = (
            each.replace("-", "").replace("\ufffe", "") for each in (text, by_poppler, by_pdfium)
        )
    assert similarity(by_poppler, text) == 1
    assert similarity(by_pdfium, text) >= PDFIUM.get(tag, 1)


def test_marks_and_joiners_are_copied_with_their_letters(tmp_path: Path) -> None:
    text = SPECIMENS["fa-AF"].text
    pdf = pdf_of([("", ours(SPECIMENS["fa-AF"]))])
    for (read,) in (poppler(pdf, tmp_path), page_texts(pdf)):
        for word in ("خانهٔ", "لطفاً", "می\u200cگیرد"):
            assert word in text
            assert word in read


def sheet_in(tag: str, slug: str) -> tuple[bytes, Layout]:
    out, surveys = BytesIO(), survey_catalogues()
    survey = next(each for each in shipped_surveys() if each.slug == slug)
    edition = build_edition(survey, surveys)
    sheet = write_sheets(out, edition, SurveyInLanguage(tag, edition.survey(tag), catalogue(tag)), COVER)
    return out.getvalue(), sheet


def lines_of(sheet: Layout, page: int) -> list[str]:
    """Return every line of text on a page, in the order of drawing."""
    texts = (item for item in sheet.pages[page].items if isinstance(item, Text))
    return [bare(line.text) for text in texts for line in text.laid.lines if bare(line.text)]


def in_order(lines: Sequence[str], page: str) -> list[str]:
    """Return the lines that are not on the page after the line before them."""
    at, missing = 0, []
    for line in lines:
        found = page.find(line, at)
        if found < 0:
            missing.append(line)
        else:
            at = found + len(line)
    return missing


@pytest.mark.parametrize(
    "slug",
    [
        pytest.param(
            survey.slug, marks=[] if survey.slug in ("family-beliefs", "home-access") else pytest.mark.thorough
        )
        for survey in shipped_surveys()
    ],
)
@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_real_sheet_is_copied_out_line_by_line(tag: str, slug: str, tmp_path: Path) -> None:
    """pdftotext finds every line; pdfium keeps the order of drawing, which is the reading order."""
    pdf, sheet = sheet_in(tag, slug)
    for number, (by_poppler, by_pdfium) in enumerate(zip(poppler(pdf, tmp_path), page_texts(pdf), strict=True)):
        lines = [line for line in lines_of(sheet, number) if tag != "ar" or not _english(line)]
        assert [line for line in lines if line not in bare(by_poppler)] == []
        if LANGUAGES[tag].rtl:
            lines = [line.translate(TURNED) for line in _right_to_left(lines)]
        assert in_order(lines, bare(by_pdfium)) == []


def _english(line: str) -> bool:
    """Whether a sentence is not translated yet: its Arabic choices are in an English sentence."""
    return sum("A" <= c.upper() <= "Z" for c in line) > len(line) / 3


def _right_to_left(lines: Sequence[str]) -> list[str]:
    """The lines without Latin letters, except boxes beside a text without right-to-left letters (a grade, a language's
    own name): pdfium reads such a row from the left."""
    beside = [*lines[1:], ""]
    return [
        line
        for line, label in zip(lines, beside, strict=True)
        if not _latin(line) and (_has_rtl(line) or _has_rtl(label) or not (line + label).isalnum())
    ]


def _has_rtl(line: str) -> bool:
    return any(unicodedata.bidirectional(symbol) in ("R", "AL") for symbol in line)


def _latin(line: str) -> bool:
    return any("A" <= c.upper() <= "Z" for c in line)


@pytest.mark.parametrize("tag", ["ar", "hi", "my", "zh-Hans"])
def test_a_document_is_copied_out_in_reading_order(tag: str, tmp_path: Path) -> None:
    """Text of a language without translated pages is in an English document."""
    said = Words(SPECIMENS[tag].text, tag)
    short = Words(said[:12], tag)
    blocks = [
        Heading(1, said),
        Paragraph(said),
        DocumentTable([short, "Answers"], [[short, "17"], [short, "18"]]),
        Paragraph(said),
    ]
    out = BytesIO()
    write_document(out, "Trial", blocks, DocumentFormat(tag if tag in LANGUAGES else "en", NullTranslations()))
    (by_poppler,) = poppler(out.getvalue(), tmp_path)
    (by_pdfium,) = page_texts(out.getvalue())
    written = f"Trial{said * 2}{short}Answers{short}17{short}18{said}Page 1 of 1"
    assert similarity(by_poppler, written) >= (
        0.97 if tag == "ar" else 1
    )  # the column of numbers is read before that of texts
    assert similarity(by_pdfium, written) >= PDFIUM.get(tag, 1)
