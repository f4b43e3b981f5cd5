"""The notice to families on paper: all of it, in every language, on two to four pages."""

import subprocess
import unicodedata
from pathlib import Path

import pypdfium2
import pytest

from engage.base.languages import LANGUAGES
from engage.services.printing.family_notice_pdf import render_family_notice_pdf
from engage.services.waves.screening import AREAS
from tests.domain.paper.sample import page_sizes, page_texts
from tests.services.waves.test_family_notice import FACTS, UNPROTECTED, VOICE, notice, texts

pytestmark = pytest.mark.slow


def printed(language: str = "en", district: str = FACTS.district, **facts: object) -> bytes:
    return render_family_notice_pdf(notice(language, district=district, **facts), language, district)


def bare(text: str) -> str:
    """Return the text without spaces, marks of direction, and brackets, which readers of right-to-left text mirror."""
    seen = (
        each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) not in ("Cf", "Zs", "Cc")
    )
    return "".join(each for each in seen if each not in "()[]“”«»")


def read_by_poppler(pdf: bytes, folder: Path) -> str:
    (folder / "notice.pdf").write_bytes(pdf)
    command = ["pdftotext", "-enc", "UTF-8", str(folder / "notice.pdf"), "-"]
    return bare(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode())


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_has_everything_that_the_notice_says(language: str, tmp_path: Path) -> None:
    read = read_by_poppler(printed(language, areas=UNPROTECTED | {"listening": "religion"}), tmp_path)
    content = notice(language, areas=UNPROTECTED | {"listening": "religion"})
    missing = [text for text in texts(content) if bare(text) not in read]
    assert missing == []
    for _, question in VOICE.survey(language).questions():
        assert bare(question.text) in read
        assert [choice.text for choice in question.choices if bare(choice.text) not in read] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_has_two_to_four_letter_pages(language: str) -> None:
    pdf = printed(language)
    assert 2 <= len(page_texts(pdf)) <= 4
    assert page_sizes(pdf) == {(612.0, 792.0)}
    assert f"/Lang ({language})".encode() in pdf


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_begins_at_the_side_where_reading_begins(language: str) -> None:
    document = pypdfium2.PdfDocument(printed(language))
    page = document[0]
    rects = page.get_textpage()
    count = rects.count_rects()
    left, right = (min(rects.get_rect(n)[0] for n in range(count)), max(rects.get_rect(n)[2] for n in range(count)))
    lines = [rects.get_rect(n) for n in range(count) if rects.get_rect(n)[2] - rects.get_rect(n)[0] < 300]
    at_left = sum(line[0] - left < 2 for line in lines)
    at_right = sum(right - line[2] < 2 for line in lines)
    assert (at_right > at_left) == (LANGUAGES[language].direction == "rtl")
    document.close()


def test_a_protected_area_is_named_beside_its_question(tmp_path: Path) -> None:
    read = read_by_poppler(printed(areas=UNPROTECTED | {"listening": "income"}), tmp_path)
    assert read.count(bare(AREAS["income"])) == 2


def test_the_part_to_tear_off_is_on_one_page() -> None:
    *_, last = (" ".join(text.split()) for text in page_texts(printed()))
    for text in ("To say no, give this part", "I do not want my child", "Student's name", "Today's date"):
        assert text in last


@pytest.mark.parametrize("district", ["<b>&amp;</b>%(day)s", "\u202eslohcS\u0000", "مدارس النهر", "Nguyễn 学校 😀"])
def test_any_name_of_a_district_can_be_printed(district: str) -> None:
    assert 2 <= len(page_texts(printed("en", district))) <= 4


def test_the_same_notice_is_the_same_file() -> None:
    assert printed("ar") == printed("ar")
