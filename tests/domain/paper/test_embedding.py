"""Text of the PDF as read by another program."""

import re
import struct
from io import BytesIO

import pikepdf
import pypdf
import pytest
import uharfbuzz as hb

from engage.base.catalogs import DOMAINS, po_path, read_po_file, translation_forms
from engage.base.languages import LANGUAGES
from engage.domain.paper.pdf.canvas import open_canvas, save_canvas
from engage.domain.paper.typesetting import font_embedding
from engage.domain.paper.typesetting.canvas_text import draw_paragraph
from engage.domain.paper.typesetting.compound_glyphs import CompoundGlyph
from engage.domain.paper.typesetting.paragraph import ParagraphStyle, lay_out_paragraph
from engage.questionnaire.editions import translatable_texts
from engage.questionnaire.library import shipped_surveys
from tests.domain.paper.sample import SAMPLES, own_faces, page_texts

pytestmark = pytest.mark.slow


def pdf_of(language: str, text: str) -> bytes:
    out = BytesIO()
    canvas = open_canvas(out, (210, 297), language, "Trial", "Somebody")
    for bold in (False, True):
        style = ParagraphStyle(12, own_faces(language), LANGUAGES[language].direction, language, bold=bold)
        laid = lay_out_paragraph(text, 450, style)
        draw_paragraph(canvas, laid, 60, 700 - 300 * bold)
    canvas.showPage()
    save_canvas(canvas)
    return out.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_can_be_copied_out(language: str) -> None:
    """Brackets in Arabic are left out, since readers differ on mirroring them."""
    text = SAMPLES[language].replace("(", "").replace(")", "") if language == "ar" else SAMPLES[language]
    (said,) = page_texts(pdf_of(language, text))
    assert re.sub(r"\s+", " ", said).count(text) == 2


def test_scripts_that_reorder_keep_the_order_of_the_text() -> None:
    """In किताब the vowel sign is drawn before the letter it follows."""
    (said,) = page_texts(pdf_of("en", "किताब"))
    assert said.count("किताब") == 2


def test_one_glyph_for_two_texts_says_both() -> None:
    """In Noto Sans CJK the radical U+2F08 has the glyph of U+4EBA: the second text needs a second font."""
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


def said_in(language: str) -> list[str]:
    """Return all texts of a catalog, and the English ones that are not translated."""
    files = [(domain, po_path(language, domain)) for domain in DOMAINS]
    words = [read_po_file(path, LANGUAGES[language]) for _, path in files if path.is_file()]
    english = [text for survey in shipped_surveys() for _, text, _ in translatable_texts(survey)]
    return [form for each in words for message in each if message.id for form in translation_forms(message)] or english


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_ever_draws_the_empty_glyph(language: str) -> None:
    """Glyph 0 is the box for missing characters. No code that is drawn refers to it."""
    out = BytesIO()
    canvas = open_canvas(out, (210, 297), language, "Trial", "Somebody")
    for text in said_in(language):
        draw_paragraph(
            canvas,
            lay_out_paragraph(
                text, 450, ParagraphStyle(9, own_faces(language), LANGUAGES[language].direction, language)
            ),
            60,
            700,
        )
    canvas.showPage()
    save_canvas(canvas)
    pdf = pikepdf.open(out)
    (page,) = pdf.pages
    drawn, font = set(), ""
    for operands, operator in pikepdf.parse_content_stream(page):
        if str(operator) == "Tf":
            font = str(operands[0])
        elif str(operator) == "TJ":
            texts = [bytes(each) for each in operands[0] if isinstance(each, pikepdf.String)]
            drawn |= {(font, text[at : at + 2]) for text in texts for at in range(0, len(text), 2)}
    assert len(drawn) > 50
    for name, code in drawn:
        described = page.Resources.Font[name].DescendantFonts[0]
        cid = int.from_bytes(code, "big")
        places = described.get("/CIDToGIDMap")
        glyph = places.read_bytes()[2 * cid : 2 * cid + 2] if places is not None else code
        assert int.from_bytes(glyph, "big") > 0, (name, cid)


def test_letters_and_marks_become_glyphs_of_their_own_in_a_sound_font() -> None:
    pdf = pikepdf.open(BytesIO(pdf_of("en", "किताब निं")))
    fonts = [font.DescendantFonts[0] for font in pdf.pages[0].Resources.Font.values()]
    (font,) = (each for each in fonts if "Devanagari-Regular" in str(each.BaseFont))
    data = font.FontDescriptor.FontFile2.read_bytes()
    face = hb.Face(hb.Blob(data))
    whole, places = hb.Font(face), font.CIDToGIDMap.read_bytes()
    widths = {int(font.W[at]): float(font.W[at + 1][0]) for at in range(0, len(font.W), 2)}
    assert face.glyph_count > 6
    for cid, width in widths.items():
        glyph = int.from_bytes(places[2 * cid : 2 * cid + 2], "big")
        assert glyph < face.glyph_count
        assert whole.get_glyph_h_advance(glyph) * 1000 / face.upem == pytest.approx(width, abs=0.01)
    assert sum(struct.unpack(f">{len(data) // 4}I", data)) % 2**32 == 0xB1B0AFBA, "OpenType's checksum of a whole file"
    lengths = {tag.strip(): len(face.reference_table(tag).data) for tag in face.table_tags}
    assert lengths["loca"] == 4 * (face.glyph_count + 1)
    assert lengths["hmtx"] == 4 * face.glyph_count


def test_every_cluster_stands_on_the_line() -> None:
    """Nothing is raised or lowered, so that a reader finds one line; letters and marks are positioned within their
    glyph."""
    for language, text in (("ar", "لطفاً يُرجى"), ("en", "किताब"), ("vi", "Điệp")):
        pdf = pikepdf.open(BytesIO(pdf_of(language, text)))
        ups = [float(o[5]) for o, operator in pikepdf.parse_content_stream(pdf.pages[0]) if str(operator) == "Tm"]
        assert len(set(ups)) == 2, "one line in regular, one in bold"


def test_a_fonts_name_hangs_on_its_glyphs_and_not_on_what_a_class_is_called() -> None:
    """Packets of one district have the same bytes in all versions."""
    glyph = CompoundGlyph(((7, 0, 0), (9, 120, -40)), 600)
    assert font_embedding._glyph_key(7) == "7"
    assert font_embedding._glyph_key(glyph) == "Compound(parts=((7, 0, 0), (9, 120, -40)), advance=600)"
