"""A packet in one file: the order of its pages, its bookmarks, and when drawing asks whether to continue."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from gettext import NullTranslations
from hashlib import sha256
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2
import pytest

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.packet import DrawingStopped, write_packet
from engage.domain.paper.documents.packet_model import PacketContent, PacketSet, SetLayout
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.geometry import digest, geometry_json
from engage.domain.paper.form.layout import lay_out_sheet
from engage.domain.paper.form.typesetter import SheetFormat, SurveyInLanguage
from engage.domain.paper.typesetting.fonts import load_faces
from engage.domain.security.form_serials import unregistered_serial
from engage.questionnaire.model import Survey
from tests.makers import a_survey

pytestmark = pytest.mark.slow


def a_kind(language: str, paper: str = "letter", survey: Survey | None = None) -> SetLayout:
    cover = Cover("Riverbend", phone="link", reply=True, outside="window")
    first = SurveyInLanguage(language, survey or a_survey(), catalogue(language))
    made = lay_out_sheet(first, cover, SheetFormat(paper))
    text = geometry_json(made, "e" * 64)
    own = load_faces(language, LANGUAGES[language].fonts)
    return SetLayout(made, digest(text), text, own, "A survey")


KINDS = {(language, False): a_kind(language) for language in ("en", "ar")}


def a_set(number: int, language: str = "en", group: str = "") -> PacketSet:
    link = f"https://engage.example/{language}/c"
    return PacketSet(
        unregistered_serial(number), language, "1234567890123452", "", link, ("Lincoln Elementary",), group
    )


def a_pile(sets: Sequence[PacketSet], **about: Any) -> PacketContent:
    pile = PacketContent(
        school="Lincoln Elementary",
        wave="Fall wave",
        district="Riverbend",
        opens=date(2026, 10, 1),
        closes=date(2026, 10, 31),
        language="en",
        words=NullTranslations(),
        paper="letter",
        kinds=KINDS,
        sets=sets,
        classes={},
        linked=True,
    )
    return replace(pile, **about)


def written(pile: PacketContent) -> bytes:
    out = BytesIO()
    write_packet(out, pile)
    return out.getvalue()


def texts(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as opened:
        return [page.get_textpage().get_text_bounded() for page in opened]


def test_each_group_lies_after_a_page_that_says_whose_it_is() -> None:
    sets = [a_set(0, "en", "3B"), a_set(1, "en", "3B"), a_set(2, "ar", "3B"), a_set(3, "en", "10A")]
    each = {tag: KINDS[tag, False].pages for tag in ("en", "ar")}
    pages = texts(written(a_pile(sets)))
    assert "Count sheet" in pages[0]
    separators = [2, 4 + 2 * each["en"], 6 + 2 * each["en"] + each["ar"]]
    for at, (group, language, number) in zip(
        separators, (("3B", "en", "2 forms"), ("3B", "ar", "1 form"), ("10A", "en", "1 form")), strict=True
    ):
        words = pages[at].split("\r\n")
        assert words[:2] == ["Lincoln Elementary", f"Class {group}"]
        assert number in words
        assert language == "ar" or LANGUAGES[language].name in words
        assert pages[at + 1].strip() == "", "the back of the leaf is empty"
    assert len(pages) == 2 + 3 * 2 + 3 * each["en"] + each["ar"]
    assert len(pages) % 2 == 0


def test_every_set_begins_on_a_new_leaf_under_its_own_label() -> None:
    sets = [a_set(number, "en") for number in range(3)]
    with pikepdf.open(BytesIO(written(a_pile(sets)))) as pdf:
        labels = [page.label for page in pdf.pages]
    first = [labels.index(f"{each.serial} / 1") for each in sets]
    assert all(at % 2 == 0 for at in first)
    assert first == [4 + number * KINDS["en", False].pages for number in range(3)]


def test_classes_and_languages_are_bookmarks() -> None:
    sets = [a_set(0, "en", "3B"), a_set(1, "ar", "3B"), a_set(2, "en", "")]
    with pikepdf.open(BytesIO(written(a_pile(sets)))) as pdf, pdf.open_outline() as outline:
        found = [(item.title, [child.title for child in item.children]) for item in outline.root]
        assert pdf.Root.Lang == "en"
        assert pdf.docinfo["/Title"] == "Lincoln Elementary · Fall wave"
    arabic = LANGUAGES["ar"].name
    assert found == [("Count sheet", []), ("3B", ["English", arabic]), ("English", [])]


def test_the_count_sheet_has_every_class_and_adds_up() -> None:
    sets = [a_set(number, "en", "3B") for number in range(12)] + [a_set(20, "ar", "10A")]
    classes = {"3B": {"en": 12}, "10A": {"ar": 1}, "": {"en": 0, "ar": 3}}
    page = texts(written(a_pile(sets, classes=classes)))[0].replace("\r\n", " ")
    assert "English 12" in page
    assert "Total 13" in page
    assert "3B 12 – 12" in page
    assert "10A – 1 1" in page
    assert "Class not known – 3 3" in page
    assert "Each form is meant for one family." in page
    assert "October 1, 2026 to October 31, 2026" in page
    open_ = texts(written(a_pile(sets, classes=classes, linked=False)))[0]
    mixed = "Mix the forms in each language before you hand them out"
    assert "Any form can go to any family" in open_.replace("\r\n", " ")
    assert mixed in open_.replace("\r\n", " ")
    assert mixed not in page


@pytest.mark.parametrize("language", ["ar", "so", "zh-Hans"])
def test_the_pages_between_are_in_the_language_of_the_staff(language: str) -> None:
    if language not in LANGUAGES:
        pytest.skip(f"{language} is not shipped")
    about = {"language": language, "words": catalogue(language)}
    pages = texts(written(a_pile([a_set(0, "en", "3B")], **about)))
    assert "3B" in pages[2]


@pytest.mark.parametrize("paper", ["letter", "a4"])
def test_a_school_with_a_very_long_name_still_fits_on_its_page(paper: str) -> None:
    name = "The Very Reverend Doctor Bartholomew Featherstonehaugh Memorial Magnet Academy of Sciences " * 3
    kinds = {("en", False): a_kind("en", paper)}
    made = written(a_pile([a_set(0, "en", name)], school=name, wave=name, kinds=kinds, paper=paper))
    with pypdfium2.PdfDocument(made) as pdf:
        page = pdf[2]
        width, height = page.get_size()
        boxes = [each.get_bounds() for each in page.get_objects()]
    for left, bottom, right, top in boxes:
        assert left >= 0 < bottom
        assert right <= width
        assert top <= height


def test_a_name_with_a_character_nobody_can_print_is_spelled_out_between() -> None:
    page = texts(written(a_pile([a_set(0, "en", "Room \U0001f389")])))[2]
    assert "[party popper]" in page.replace("\r\n", " ")


def test_the_same_pile_makes_the_same_bytes_and_knows_their_digest() -> None:
    pile = a_pile([a_set(0, "en", "3B"), a_set(1, "ar", "3B")])
    one, two = BytesIO(), BytesIO()
    first, second = write_packet(one, pile), write_packet(two, pile)
    assert one.getvalue() == two.getvalue()
    assert first == second
    assert first.digest == sha256(one.getvalue()).hexdigest()


def test_it_is_asked_every_fifty_sets_whether_to_go_on() -> None:
    told: list[tuple[int, int]] = []
    pile = a_pile([a_set(number, "en") for number in range(120)])
    pages = write_packet(BytesIO(), pile, lambda drawn, of: told.append((drawn, of)) or True).pages
    each = KINDS["en", False].pages
    assert told == [(at, pages) for at in (0, 4 + 50 * each, 4 + 100 * each, pages)]
    assert pages == 4 + 120 * each
    with pytest.raises(DrawingStopped):
        write_packet(BytesIO(), pile, lambda drawn, _of: drawn < 100)


class Full(BytesIO):
    """A disk with little space."""

    def write(self, data: Any) -> int:
        if self.tell() > 100_000:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_what_the_disk_says_comes_through() -> None:
    with pytest.raises(OSError, match="No space left"):
        write_packet(Full(), a_pile([a_set(number, "en") for number in range(500)]))
