"""The gallery: both surveys in every language, paper size, and size of print, in one language and in two.

    python -m tests.domain.paper.gallery FOLDER

writes a PDF for each, an image of its pages, and index.html with all images; prints faults. A form is what a family
gets: a cover with its strip, all codes, and all places filled in.
"""

import html
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from math import ceil
from pathlib import Path

import pypdfium2
import zxingcpp
from PIL import Image

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.domain.paper.form.elements import PAPERS, Code, Layout, Text
from engage.domain.paper.form.geometry import digest, geometry_json
from engage.domain.paper.form.layout import lay_out_sheet
from engage.domain.paper.form.typesetter import BLOCKS, SheetFormat, SurveyInLanguage
from engage.domain.paper.pdf.page_stream import FilledCopy, PacketWriter
from engage.domain.paper.typesetting.fonts import load_faces
from engage.questionnaire.editions import Edition, build_edition
from engage.questionnaire.library import shipped_surveys
from engage.questionnaire.numbering import encode_payload
from tests.domain.paper.form.test_layout import assert_sound
from tests.domain.paper.sample import LEAF

SERIAL = "K7W-2MX"
ADDRESS = "survey.riverbend.example/w/fall-2026"
FILLED = {
    "serial": SERIAL,
    "reply": "1234 5678 9012 3456",
    "code": "K7W2-9XQF-44TD",
    "link": ADDRESS,
    "to": ["Familia Núñez", "Room 12", SERIAL],
}
SHEET_DPI, CODE_DPI = 60, 200
IN_A_ROW = 6


@dataclass(frozen=True)
class Variant:
    slug: str
    language: str
    paper: str
    style: str
    second: str | None = None

    @property
    def name(self) -> str:
        return "-".join(filter(None, (self.slug, self.language, self.second, self.paper, self.style)))


def variants(
    slugs: Iterable[str], languages: Iterable[str], papers: Iterable[str], styles: Iterable[str]
) -> list[Variant]:
    """Return all variants, in one language and with a second one: English, or Spanish with English."""
    made = []
    for slug, tag, paper, style in product(slugs, languages, papers, styles):
        made += [Variant(slug, tag, paper, style), Variant(slug, tag, paper, style, "en" if tag != "en" else "es")]
    return made


EDITIONS = {survey.slug: build_edition(survey, survey_catalogues()) for survey in shipped_surveys()}
ALL = variants(EDITIONS, LANGUAGES, PAPERS, ("standard", "large"))


def laid(variant: Variant) -> Layout:
    edition = EDITIONS[variant.slug]
    second = variant.second and SurveyInLanguage(
        variant.second, edition.survey(variant.second), catalogue(variant.second)
    )
    first = SurveyInLanguage(variant.language, edition.survey(variant.language), catalogue(variant.language))
    format = SheetFormat(variant.paper, variant.style, second or None)
    return lay_out_sheet(first, LEAF, format, edition=edition.digest)


def written(variant: Variant, sheet: Layout) -> bytes:
    """Return one form as in a packet."""
    edition, out = EDITIONS[variant.slug], BytesIO()
    language = LANGUAGES[variant.language]
    writer = PacketWriter(out, edition.survey(language.tag).title, LEAF.district, language.tag, variant.paper)
    template = writer.template(sheet, load_faces(language.tag, language.fonts), FILLED["to"])
    writer.add(template, FilledCopy(SERIAL, _digest(sheet, edition), FILLED, f"https://{ADDRESS}"), even=True)
    writer.close()
    return out.getvalue()


def _digest(sheet: Layout, edition: Edition) -> str:
    return digest(geometry_json(sheet, edition.digest))


def faults(variant: Variant, sheet: Layout, pdf: bytes) -> Iterator[str]:
    """Yield the faults of a form, a sentence each."""
    for page in sheet.pages:
        texts = [item for item in page.items if isinstance(item, Text)]
        strips = (strip for text in texts for line in text.laid.lines for strip in line.strips)
        if not all(glyph.id for strip in strips for glyph in strip.glyphs):
            yield f"page {page.number}: a glyph is missing"
        codes = [item for item in page.items if isinstance(item, Code) and item.what == "sheet"]
        if [item.x < sheet.width / 2 for item in codes] != [LANGUAGES[variant.language].rtl]:
            yield f"page {page.number}: not mirrored as it is read"
    try:
        assert_sound(sheet, EDITIONS[variant.slug].survey(variant.language), BLOCKS)
    except AssertionError as error:
        yield f"not sound: {str(error)[:300]}"
    yield from _unread(sheet, pdf, _digest(sheet, EDITIONS[variant.slug]))


def _unread(sheet: Layout, pdf: bytes, short: str) -> Iterator[str]:
    """Yield codes that have the wrong content when the rendered page is read."""
    pages = pypdfium2.PdfDocument(pdf)
    for page in sheet.pages:
        picture = pages[page.number - 1].render(scale=CODE_DPI / 72, grayscale=True).to_pil()
        read = {each.text for each in zxingcpp.read_barcodes(picture, zxingcpp.BarcodeFormat.QRCode)}
        wanted = {"sheet": encode_payload(SERIAL, page.number, short), "phone": f"https://{ADDRESS}"}
        missing = {item.what for item in page.items if isinstance(item, Code) and wanted[item.what] not in read}
        if missing:
            yield f"page {page.number}: the code is not read: {', '.join(sorted(missing))}"


def contact_sheet(pdf: bytes) -> Image.Image:
    """Return an image of all pages, IN_A_ROW side by side."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [page.render(scale=SHEET_DPI / 72, grayscale=True).to_pil().convert("L") for page in document]
    width, height = (max(side) + 6 for side in zip(*(page.size for page in pages), strict=True))
    sheet = Image.new("L", (width * min(len(pages), IN_A_ROW), height * ceil(len(pages) / IN_A_ROW)), 128)
    for number, page in enumerate(pages):
        sheet.paste(page, (number % IN_A_ROW * width, number // IN_A_ROW * height))
    return sheet


def build(folder: Path, wanted: Iterable[Variant] = ALL) -> list[str]:
    """Write the gallery and return all faults."""
    folder.mkdir(parents=True, exist_ok=True)
    found, shown = [], []
    for variant in wanted:
        sheet = laid(variant)
        pdf = written(variant, sheet)
        (folder / f"{variant.name}.pdf").write_bytes(pdf)
        contact_sheet(pdf).save(folder / f"{variant.name}.png")
        wrong = list(faults(variant, sheet, pdf))
        found += [f"{variant.name}: {each}" for each in wrong]
        said = html.escape(" ".join([variant.name, *wrong]))
        shown.append(f'<h2><a href="{variant.name}.pdf">{said}</a></h2><img src="{variant.name}.png" alt="{said}">')
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Gallery</title>{"".join(shown)}</html>'
    (folder / "index.html").write_text(page, "utf-8")
    return found


if __name__ == "__main__":
    print("\n".join(build(Path(sys.argv[1]))) or "nothing is wrong")
