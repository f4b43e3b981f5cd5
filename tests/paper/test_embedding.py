"""What the PDF says when it is read back by a reader that is not ours."""

import re
from io import BytesIO

import pypdf
import pytest

from engage.languages import LANGUAGES
from engage.paper.draw import open_canvas, save
from engage.paper.ink import draw
from engage.paper.text import lay

from .sample import SAMPLES, own_faces, page_texts


def pdf_of(language: str, text: str) -> bytes:
    out = BytesIO()
    canvas = open_canvas(out, (210, 297), language, "Trial", "Somebody")
    for bold in (False, True):
        laid = lay(text, 450, 12, own_faces(language), LANGUAGES[language].direction, language, bold=bold)
        draw(canvas, laid, 60, 700 - 300 * bold)
    canvas.showPage()
    save(canvas)
    return out.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_can_be_copied_out(language: str) -> None:
    """Brackets in Arabic are left out: readers disagree on which way they turn them back."""
    text = SAMPLES[language].replace("(", "").replace(")", "") if language == "ar" else SAMPLES[language]
    (said,) = page_texts(pdf_of(language, text))
    assert re.sub(r"\s+", " ", said).count(text) == 2


def test_scripts_that_reorder_keep_the_order_of_the_text() -> None:
    """In किताब the vowel sign stands before the letter it follows."""
    (said,) = page_texts(pdf_of("en", "किताब"))
    assert said.count("किताब") == 2


def test_one_glyph_for_two_texts_says_both() -> None:
    """In Noto Sans CJK the radical U+2F08 is drawn with the glyph of U+4EBA: the second text goes by a twin font."""
    reader = pypdf.PdfReader(BytesIO(pdf_of("zh-Hans", "人\u2f08")))
    fonts = reader.pages[0]["/Resources"]["/Font"].values()
    said = "".join(font.get_object()["/ToUnicode"].get_object().get_data().decode() for font in fonts)
    assert "<4EBA>" in said
    assert "<2F08>" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_fonts_are_embedded_and_cut(language: str) -> None:
    reader = pypdf.PdfReader(BytesIO(pdf_of(language, SAMPLES[language])))
    fonts = [font.get_object() for font in reader.pages[0]["/Resources"]["/Font"].values()]
    assert len(fonts) >= 2
    for font in fonts:
        assert font["/Subtype"] == "/Type0"
        assert re.match(r"/[A-Z]{6}\+Noto", font["/BaseFont"])
        descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_text_makes_the_same_bytes(language: str) -> None:
    assert pdf_of(language, SAMPLES[language]) == pdf_of(language, SAMPLES[language])


def test_the_document_tells_its_language() -> None:
    reader = pypdf.PdfReader(BytesIO(pdf_of("ar", SAMPLES["ar"])))
    assert reader.root_object["/Lang"] == "ar"
    assert reader.metadata.title == "Trial"
