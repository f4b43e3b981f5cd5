"""Code slips, as a person sees them: pages are rendered, and each slot is read with its text and its QR code."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from gettext import NullTranslations
from io import BytesIO
from itertools import islice

import numpy as np
import pikepdf
import pypdfium2
import pytest
import zxingcpp

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.code_slips import CodeSlip, SlipPile, SlipSheet, write_slips
from engage.domain.paper.documents.slip_layout import lay_out_slips
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.services.printing.slip_texts import slip_instructions
from tests.domain.paper.sample import page_sizes, page_texts

pytestmark = pytest.mark.slow

DPI = 150
MM = DPI / 25.4  # pixels in a mm
DARK = 160  # gray levels darker than this are ink
SURVEYS = {"educator": "educator-beliefs", "student": "student-voice"}
TITLES = {slug: build_edition(shipped_survey(slug), survey_catalogues()) for slug in SURVEYS.values()}
ROOM = "Grade 5 · Room 12"


def a_sheet(language: str = "en", population: str = "educator", **more: object) -> SlipSheet:
    sheet = SlipSheet(
        TITLES[SURVEYS[population]].survey(language).title,
        slip_instructions(population, catalogue(language)),
        f"survey.riverbend.example/{language}/c",
        language,
        NullTranslations(),
        "Riverbend Public Schools",
    )
    return replace(sheet, **more)


def slips(count: int, seed: int = 1) -> list[CodeSlip]:
    symbols = random.Random(seed)
    codes = ["".join(symbols.choices("23456789CDFGHJKMNPRTVWX", k=10)) for _ in range(count)]
    texts = [f"{code[:5]}-{code[5:]}" for code in codes]
    return [CodeSlip(text, f"https://survey.riverbend.example/en/c/{text}") for text in texts]


def printed(sheet: SlipSheet, *piles: SlipPile) -> bytes:
    out = BytesIO()
    pages = write_slips(out, sheet, piles)
    assert pages == len(pypdfium2.PdfDocument(out.getvalue()))
    return out.getvalue()


def flat(text: str) -> str:
    """Return the text without spaces and without direction controls."""
    return "".join(c for c in text if not c.isspace() and not 0x2000 <= ord(c) <= 0x206F)


@dataclass(frozen=True)
class Slot:
    """What a slot holds after cutting: its text, the contents of its QR codes, their (left, top, side) in pixels,
    and its ink."""

    text: str
    links: tuple[str, ...]
    squares: tuple[tuple[int, int, int], ...]
    ink: np.ndarray


def cut(page: pypdfium2.PdfPage, rows: int, rtl: bool) -> list[Slot]:
    """Cut a page into two columns and these rows. Slots are in reading direction."""
    picture = page.render(scale=DPI / 72, grayscale=True).to_numpy()
    return [_slot(page, picture, row, column, rows) for row in range(rows) for column in ((1, 0) if rtl else (0, 1))]


def _slot(page: pypdfium2.PdfPage, picture: np.ndarray, row: int, column: int, rows: int) -> Slot:
    width, height = page.get_size()
    left, bottom = column * width / 2, height * (1 - (row + 1) / rows)
    text = page.get_textpage().get_text_bounded(left, bottom, left + width / 2, bottom + height / rows)
    high, wide = picture.shape[0] / rows, picture.shape[1] / 2
    part = picture[round(row * high) : round((row + 1) * high), round(column * wide) : round((column + 1) * wide)]
    part = np.ascontiguousarray(part.reshape(part.shape[:2]))
    codes = zxingcpp.read_barcodes(part, formats=zxingcpp.BarcodeFormat.QRCode)
    corners = ((each.position.top_left, each.position.top_right.x) for each in codes)
    squares = tuple((corner.x, corner.y, end - corner.x) for corner, end in corners)
    return Slot(text, tuple(each.text for each in codes), squares, part < DARK)


def assert_clear(slot: Slot) -> None:
    """Nothing but the cut line is within 6 mm of an edge of the slot."""
    line, clear = round(0.5 * MM), round(6 * MM)
    inner = slot.ink[line:-line, line:-line].copy()
    inner[clear:-clear, clear:-clear] = False
    assert not inner.any()


def assert_scannable(slot: Slot) -> None:
    """The QR code is at least 18 mm wide, with a white margin of 4 modules (it has at least 25 of them per side)."""
    ((left, top, side),) = slot.squares
    assert side >= 18 * MM
    near, quiet = 3, side * 4 // 25
    around = slot.ink[top - quiet : top + side + quiet, left - quiet : left + side + quiet].copy()
    around[quiet - near : near - quiet, quiet - near : near - quiet] = False
    assert not around.any()


def pages_of(pdf: bytes) -> list[pypdfium2.PdfPage]:
    return list(pypdfium2.PdfDocument(pdf))


def read(pages: Sequence[pypdfium2.PdfPage], sheet: SlipSheet) -> Iterator[Slot]:
    for page in pages:
        for slot in cut(page, lay_out_slips(sheet).rows, LANGUAGES[sheet.language].rtl):
            assert_clear(slot)
            yield slot


def assert_slips(slots: Sequence[Slot], expected: Sequence[CodeSlip], sheet: SlipSheet) -> None:
    """Each slot holds one slip with all its texts, in this order; the slots after the last slip are empty."""
    assert len(slots) >= len(expected) > 0
    for slot, slip in zip(slots, expected, strict=False):
        assert slot.links == (slip.link,)
        assert slot.text.count(slip.code) == 1
        assert sheet.address in slot.text
        if sheet.language != "ar":  # pdfium reads right-to-left text in another order
            assert flat(sheet.survey_title) in flat(slot.text)
            assert flat(sheet.instructions) in flat(slot.text)
    for slot in slots[len(expected) :]:
        assert (slot.text.strip(), slot.links) == ("", ())
        assert not slot.ink[10:-10, 10:-10].any()


@pytest.mark.parametrize("paper", ["letter", "a4"])
@pytest.mark.parametrize("population", SURVEYS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_slip_is_in_a_slot_of_its_own_in_order(language: str, population: str, paper: str) -> None:
    sheet, given = a_sheet(language, population, paper=paper), slips(11)
    rows = lay_out_slips(sheet).rows
    assert rows in (4, 5), "8 or 10 slips on a page"
    pages = pages_of(printed(sheet, SlipPile("", given)))
    assert len(pages) == 2
    slots = list(read(pages, sheet))
    assert_slips(slots, given, sheet)
    for slot in slots[:11]:
        assert_scannable(slot)


def test_every_code_is_in_the_file_exactly_once() -> None:
    sheet, given = a_sheet(), slips(57)
    pdf = printed(sheet, SlipPile(ROOM, given[:24]), SlipPile("Room 14", given[24:25]), SlipPile("Gym", given[25:]))
    text = "\n".join(page_texts(pdf))
    assert [text.count(slip.code) for slip in given] == [1] * 57
    found = [link for page in pages_of(pdf) for slot in cut(page, 5, False) for link in slot.links]
    assert found == [slip.link for slip in given]


def test_each_pile_begins_on_a_new_page_after_one_that_names_it() -> None:
    sheet, given = a_sheet(), slips(13)
    pdf = printed(sheet, SlipPile(ROOM, given[:12]), SlipPile("Room 14", given[12:]))
    first, _, _, second, last = texts = page_texts(pdf)
    for said in ("Riverbend Public Schools", sheet.survey_title, ROOM, "12 slips", "Give one slip to each person."):
        assert said in " ".join(first.split())
    assert "Room 14" in second
    assert "1 slip\r" in second
    assert given[12].code in last
    assert not [text for text in (texts[1], texts[2], last) if "Room" in text], "a slip does not say its pile"
    with pikepdf.open(BytesIO(pdf)) as opened, opened.open_outline() as outline:
        assert [mark.title for mark in outline.root] == [ROOM, "Room 14"]
        assert opened.Root.ViewerPreferences.Duplex == "/Simplex", "a slip has one code, and an empty back"


def test_a_pile_without_a_title_has_no_separator() -> None:
    (page,) = page_texts(printed(a_sheet(), SlipPile("", slips(3))))
    assert "Give one slip to each person." not in page


def test_staff_read_their_own_language_on_the_separator() -> None:
    sheet = a_sheet("ar", words=catalogue("es"), staff_language="es")
    front, page = page_texts(printed(sheet, SlipPile(ROOM, slips(3))))
    assert "3 papeletas" in front
    assert "papeleta" not in page


def test_arabic_slips_are_mirrored_and_their_codes_run_left_to_right() -> None:
    (slip,) = given = slips(1)
    (page,) = pages_of(printed(a_sheet("ar"), SlipPile("", given)))
    width, text = page.get_size()[0], page.get_textpage()
    at, count = text.search(slip.code).get_next()
    boxes = [text.get_charbox(at + index) for index in range(count)]
    assert [box[0] for box in boxes] == sorted(box[0] for box in boxes)
    assert boxes[0][0] > width / 2, "the first slot is the right one"
    picture = page.render(scale=DPI / 72, grayscale=True).to_numpy()
    (code,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    assert code.position.top_left.x / DPI * 72 > boxes[-1][2], "the QR code is at the side where reading starts"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_is_large(language: str) -> None:
    (slip,) = given = slips(1)
    (page,) = pages_of(printed(a_sheet(language), SlipPile("", given)))
    text = page.get_textpage()
    at, _ = text.search(slip.code).get_next()
    _, bottom, _, top = text.get_charbox(at)
    assert top - bottom >= 0.7 * 12, "a digit of 12 points is more than 0.7 times as high"


@pytest.mark.parametrize("words", [12, 40, 120])
def test_a_long_title_is_printed_whole_on_fewer_slips_per_page(words: int) -> None:
    sheet = a_sheet(survey_title=" ".join(f"title{number}" for number in range(words)))
    rows = lay_out_slips(sheet).rows
    assert rows < 5 or words == 12
    given = slips(2 * rows + 1)
    pages = pages_of(printed(sheet, SlipPile(sheet.survey_title, given)))
    assert_slips(list(read(pages[1:], sheet)), given, sheet)
    assert flat(sheet.survey_title) in flat(pages[0].get_textpage().get_text_bounded())


def test_a_long_word_of_a_title_is_not_cut_if_smaller_type_helps() -> None:
    sheet = a_sheet(survey_title="Donaudampfschifffahrtsgesellschaftskapitän")
    slot = next(read(pages_of(printed(sheet, SlipPile("", slips(1)))), sheet))
    assert sheet.survey_title in slot.text.split("\r\n")


@pytest.mark.parametrize(
    ("address", "is_whole"),
    [
        ("s.example/en/c", True),
        ("survey.anokahennepin.k12.mn.us/en/c", True),
        ("survey.communityschools.riverbend.k12.mn.us/en/c", False),
        ("a" * 80, False),
    ],
)
def test_an_address_is_on_one_line_if_it_fits(address: str, is_whole: bool) -> None:
    sheet = a_sheet(address=address)
    slot = next(read(pages_of(printed(sheet, SlipPile("", slips(1)))), sheet))
    assert flat(address) in flat(slot.text)
    assert (address in slot.text.split("\r\n")) == is_whole


def test_a_text_that_fits_on_no_slip_is_refused() -> None:
    endless = "An endless title. " * 200
    with pytest.raises(ValueError, match="too long"):
        write_slips(BytesIO(), a_sheet(survey_title=endless), [SlipPile("", slips(1))])
    with pytest.raises(ValueError, match="too long"):
        write_slips(BytesIO(), a_sheet(), [SlipPile(endless, slips(1))])


HOSTILE = {
    "<b>Bold</b> & <para>": "<b>Bold</b> & <para>",
    '=HYPERLINK("https://a.example","x")': '=HYPERLINK("https://a.example","x")',
    "\u202eturned\u2066\u2066": None,
    "\u2069\u2069\u202c out": "out",
    "one\ntwo\ttabs\x00\x07": "one two tabs",
    "\ud800half a pair": "half a pair",
    "Party \U0001f389": "Party [party popper]",
    "%(num)s %s": "%(num)s %s",
    "(a \\ (b": "(a \\ (b",
    "مدرسة": None,
}


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("title", HOSTILE, ids=ascii)
def test_a_hostile_title_is_only_text(title: str, language: str) -> None:
    sheet, given = a_sheet(language, survey_title=title, district=title), slips(3)
    pdf = printed(sheet, SlipPile(title, given))
    slots = list(read(pages_of(pdf)[1:], sheet))
    assert [slot.links for slot in islice(slots, 3)] == [(slip.link,) for slip in given]
    assert [slot.text.count(slip.code) for slot, slip in zip(slots, given, strict=False)] == [1, 1, 1]
    if language == "en" and HOSTILE[title]:
        assert all(flat(HOSTILE[title]) in flat(slot.text) for slot in slots[:3])


def test_no_slips_are_refused() -> None:
    for piles in ([], [SlipPile(ROOM, [])], [SlipPile(ROOM, slips(1)), SlipPile("", [])]):
        out = BytesIO()
        with pytest.raises(ValueError, match="no slips"):
            write_slips(out, a_sheet(), piles)
        assert out.getvalue() == b""


def test_two_people_never_get_the_same_code() -> None:
    with pytest.raises(ValueError, match="same code") as refused:
        write_slips(BytesIO(), a_sheet(), [SlipPile("A", slips(3)), SlipPile("B", slips(1))])
    assert slips(1)[0].code not in str(refused.value)


def test_the_same_piles_make_the_same_bytes_on_the_paper_requested() -> None:
    sheet, pile = a_sheet("vi", paper="a4"), SlipPile(ROOM, slips(25))
    assert printed(sheet, pile) == printed(sheet, pile)
    assert all(size == pytest.approx((595.28, 841.89), abs=0.01) for size in page_sizes(printed(sheet, pile)))


def test_cut_lines_are_dashed_and_run_between_the_slips() -> None:
    (page,) = pages_of(printed(a_sheet(), SlipPile("", slips(10))))
    picture = page.render(scale=DPI / 72, grayscale=True).to_numpy()
    ink = picture.reshape(picture.shape[:2]) < 200
    high, wide = ink.shape
    near = round(0.4 * MM)
    upright = ink[:, wide // 2 - near : wide // 2 + near].any(1)
    levels = [ink[round(high * row / 5) - near : round(high * row / 5) + near].any(0) for row in range(1, 5)]
    for line in (upright, *levels):
        assert 0.4 < line.mean() < 0.6
