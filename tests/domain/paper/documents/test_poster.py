"""Posters, as a person sees them: the page is rendered, its QR code is scanned, and its text is extracted."""

import re
import unicodedata
from dataclasses import replace
from io import BytesIO

import numpy as np
import pikepdf
import pypdfium2
import pytest
import zxingcpp

from engage.base.config import NAME_MOST
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.poster import EDGE, QUIET, SIDE, Poster, PosterNote, write_poster
from engage.questionnaire.question_parser import SHORT
from engage.services.waves.privacy_notice import TEXT_MOST
from tests.domain.paper.sample import SAMPLES, page_sizes, page_texts

pytestmark = pytest.mark.slow

DPI = 150
MM = DPI / 25.4  # pixels in a mm
DARK = 160  # gray levels darker than this are ink
LINK = "https://survey.riverbend.example/ar/w/fall-2026"
PER_SIDE = 37  # modules of its QR code: 47 bytes at level Q need version 5 (ISO/IEC 18004, table 7)


def a_poster(language: str = "en", **more: object) -> Poster:
    said = SAMPLES[language]
    poster = Poster(
        language=language,
        district="Riverbend Public Schools",
        title=said[:30],
        leads=(said, said[:20]),
        scan=said[:40],
        link=LINK,
        address=LINK.removeprefix("https://"),
        steps=(),
        notes=(PosterNote(said[:15], said), PosterNote("", said)),
    )
    return replace(poster, **more)


def printed(poster: Poster) -> bytes:
    out = BytesIO()
    write_poster(out, poster)
    return out.getvalue()


def rendered(pdf: bytes) -> np.ndarray:
    (page,) = pypdfium2.PdfDocument(pdf)
    picture = page.render(scale=DPI / 72, grayscale=True).to_numpy()
    return np.ascontiguousarray(picture.reshape(picture.shape[:2]))


def flat(text: str) -> str:
    """Return the text without spaces and direction controls, in a form in which ligatures are letters."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in ("Cf", "Zs", "Cc"))


def assert_whole(pdf: bytes) -> None:
    """One letter page, with no ink nearer to an edge than the margins, and a QR code that a phone reads."""
    assert page_sizes(pdf) == {(612.0, 792.0)}
    picture = rendered(pdf)
    inner = picture.copy() < DARK
    down, aside = round((EDGE - 1) * MM), round((SIDE - 1) * MM)
    inner[down:-down, aside:-aside] = False
    assert not inner.any()
    (code,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    assert code.text == LINK
    left, top, side = _square(code)
    assert side >= 60 * MM
    quiet, near = side * QUIET // PER_SIDE, 4
    around = picture[top - quiet : top + side + quiet, left - quiet : left + side + quiet] < DARK
    around[quiet - near : near - quiet, quiet - near : near - quiet] = False
    assert not around.any(), "there is something in the white margin"


def _square(code: zxingcpp.Barcode) -> tuple[int, int, int]:
    corner = code.position.top_left
    return corner.x, corner.y, code.position.top_right.x - corner.x


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_one_page_with_every_text(language: str) -> None:
    poster = a_poster(language)
    pdf = printed(poster)
    assert_whole(pdf)
    if language == "ar":
        return  # pdfium reads right-to-left lines in visual order: test_every_text_is_tagged_in_reading_order covers it
    (text,) = (flat(page) for page in page_texts(pdf))
    for said in (poster.title, *poster.leads, poster.scan, poster.address, *(note.text for note in poster.notes)):
        assert flat(said) in text


def test_the_address_is_larger_than_the_texts_around_it_and_on_one_line() -> None:
    (page,) = pypdfium2.PdfDocument(printed(a_poster("ar")))
    text = page.get_textpage()
    found = text.search("survey.riverbend.example/ar/w/fall-2026").get_next()
    assert found is not None, "the address does not run from left to right, or not on one line"
    boxes = [text.get_charbox(number) for number in range(found[0], found[0] + found[1])]
    assert [box[0] for box in boxes] == sorted(box[0] for box in boxes)
    assert max(box[3] for box in boxes) - min(box[1] for box in boxes) > 18  # points


LONG_NAME = "Riverbend Consolidated Independent School District of the Three Valleys " * 3


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("letters", [LONG_NAME, "W" * 1000, "<b>&\"'%(x)s {} \\"], ids=["long", "wide", "markup"])
def test_the_longest_texts_that_are_allowed_are_not_cut_off(language: str, letters: str) -> None:
    name, title = letters[:NAME_MOST], (SAMPLES[language] + letters)[:SHORT]
    poster = a_poster(
        language,
        district=name,
        title=title,
        leads=(f"{name} {SAMPLES[language]}", SAMPLES[language]),
        steps=(SAMPLES[language],),
        notes=(PosterNote(SAMPLES[language], (SAMPLES[language] * 9)[:TEXT_MOST]), *a_poster(language).notes[1:] * 2),
    )
    pdf = printed(poster)
    assert_whole(pdf)
    if letters == LONG_NAME and not LANGUAGES[language].rtl:
        (text,) = (flat(page) for page in page_texts(pdf))
        assert flat(title) in text
        assert flat(name) in text


def test_a_long_address_is_on_several_lines_rather_than_too_small_to_read() -> None:
    link = "https://surveys.families.riverbend-schools.example/zh-Hans/w/family-beliefs-and-home-access-fall-of-2026"
    pdf = printed(a_poster(link=link, address=link.removeprefix("https://")))
    (code,) = zxingcpp.read_barcodes(rendered(pdf), formats=zxingcpp.BarcodeFormat.QRCode)
    assert code.text == link
    (text,) = (re.sub("[-\ufffe]", "", flat(page)) for page in page_texts(pdf))  # U+FFFE: a hyphen at the end of a line
    assert link.removeprefix("https://").replace("-", "") in text


def test_texts_that_fill_more_than_a_page_are_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        printed(a_poster(leads=("word " * 1000,)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_tagged_in_reading_order(language: str) -> None:
    poster = a_poster(language)
    pdf = pikepdf.open(BytesIO(printed(poster)))
    assert str(pdf.Root.Lang) == language
    (document,) = pdf.Root.StructTreeRoot.K
    roles = [str(each.S) for each in document.K]
    assert roles == ["/H1", "/P", "/P", "/P", "/P", "/H2", "/P", "/P"]
    if LANGUAGES[language].rtl:
        title, *_ = document.K
        assert str(title.ActualText) == poster.title


def test_equal_posters_are_equal_files() -> None:
    assert printed(a_poster()) == printed(a_poster())
