"""A packet of the home access survey for benchmarks: by our writer, and in two other ways.

It has the cover and the first three pages. Every page has its own code and serial; every cover has a reply code, an
access code, and a QR code with the URL.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import BinaryIO

import pikepdf
from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.elements import POINT, Code, Layout, Place, Text
from engage.domain.paper.form.geometry import digest, geometry_json
from engage.domain.paper.form.layout import lay_out_sheet
from engage.domain.paper.form.typesetter import SheetFormat, SurveyInLanguage
from engage.domain.paper.pdf.canvas import draw_items, open_canvas, save_canvas
from engage.domain.paper.pdf.overlay import Letters, OverlayPlace, code_matrix
from engage.domain.paper.pdf.page_stream import FilledCopy, PacketWriter, Template, TemplatePage
from engage.domain.paper.typesetting.fonts import load_faces
from engage.domain.paper.typesetting.paragraph import ParagraphStyle, lay_out_paragraph
from engage.questionnaire.editions import Edition, build_edition
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.numbering import BASE36, encode_payload

PAGES = 4
SIX = ("en", "es", "ar", "so", "vi", "zh-Hans")
COVER = Cover("Riverbend Public Schools", phone="code", reply=True, answers="riverbend.example/a", outside="window")
FAMILIES = {
    "en": ("Family O'Brien", "Family Johnson-Lee", "Family Miller"),
    "es": ("Familia Peña Núñez", "Familia García", "Familia Ibáñez"),
    "ar": ("عائلة الحدّاد", "عائلة سليم", "عائلة عبد الرحمن"),
    "so": ("Qoyska Cabdullaahi", "Qoyska Xasan", "Qoyska Maxamed"),
    "vi": ("Gia đình Nguyễn Thị Hồng", "Gia đình Trần", "Gia đình Phạm Đức"),
    "zh-Hans": ("王小明的家人", "李家", "欧阳家"),
}


@cache
def edition() -> Edition:
    survey = shipped_survey("home-access", version=1)
    return build_edition(survey, survey_catalogues())


def sheets(language: str) -> Layout:
    survey, whole = edition().survey(language), edition().digest
    first = SurveyInLanguage(language, survey, catalogue(language))
    made = lay_out_sheet(first, COVER, SheetFormat(blocks=1), edition=whole)
    return replace(made, pages=made.pages[:PAGES])


def serial(number: int) -> str:
    """Return a number as six symbols, the same in every run and always unique (the factor is coprime to 36)."""
    mixed = number * 1_000_000_007 % 36**6
    symbols = [BASE36[mixed // 36**place % 36] for place in range(6)]
    return "".join(symbols[:3]) + "-" + "".join(symbols[3:])


def filled(number: int, whole: str, to: tuple[str, ...] = ()) -> FilledCopy:
    own = serial(number)
    code = own.replace("-", "") + "QZ"
    reply = f"{number * 7919:016d}"
    places = {
        "serial": own,
        "reply": " ".join(reply[at : at + 4] for at in range(0, 16, 4)),
        "code": code,
        "link": f"riverbend.example/a/{code}",
        "to": to or (own,),
    }
    return FilledCopy(own, whole, places, f"https://riverbend.example/a/{code}")


def spread(households: int, languages: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    yield from ((number, languages[number * len(languages) // households]) for number in range(households))


def ours(out: BinaryIO, households: int, languages: tuple[str, ...], named: bool = False) -> int:
    """Write the packet with our writer. With `named`, every form has its family's name and class outside, in the
    family's script."""
    writer = PacketWriter(out, "Home access", "Riverbend", "en", "letter")
    kinds = {}
    for language in languages:
        made = sheets(language)
        mine = (name(number, language) for number, each in spread(households, languages) if each == language)
        lines = (line for lines in mine for line in lines) if named else ()
        template = writer.template(made, load_faces(language, LANGUAGES[language].fonts), lines)
        kinds[language] = template, digest(geometry_json(made, "0" * 64))
    pages = 0
    for number, language in spread(households, languages):
        if number % 25 == 0:
            writer.bookmark(f"Room {number // 25}", 0)
        template, whole = kinds[language]
        pages += writer.add(template, filled(number, whole, name(number, language) if named else ()))
    writer.close()
    return pages


def name(number: int, language: str) -> tuple[str, str]:
    """Return a line that no other household has, and its class."""
    families = FAMILIES[language]
    return f"{families[number % len(families)]} {number}", f"Room {number // 25}"


def naive(out: BinaryIO, households: int) -> int:
    """Lay out and draw every household from scratch, with codes by ReportLab."""
    size, own = (215.9, 279.4), load_faces("en", LANGUAGES["en"].fonts)
    canvas = open_canvas(out, size, "en", "Home access", "Riverbend")
    for number in range(households):
        made = sheets("en")
        mine = filled(number, digest(geometry_json(made, "0" * 64)))
        for page in made.pages:
            draw_items(canvas, page.items, made.height)
            for item in page.items:
                if isinstance(item, Place):
                    said = mine.places.get(item.name, "")
                    line = said if isinstance(said, str) else "\n".join(said)
                    style = ParagraphStyle(item.size, own, "ltr", "en", bold=item.bold, align=item.align)
                    laid = lay_out_paragraph(line, item.width / POINT, style)
                    draw_items(canvas, [Text(item.x, item.y, item.width, item.height, laid)], made.height)
                if isinstance(item, Code):
                    sheet = item.what == "sheet"
                    text = encode_payload(mine.serial, page.number, mine.digest) if sheet else mine.phone
                    side = item.width / POINT
                    code = QrCodeWidget(text, barLevel="Q", barWidth=side, barHeight=side, barBorder=0)
                    drawing = Drawing(side, side)
                    drawing.add(code)
                    renderPDF.draw(drawing, canvas, item.x / POINT, (made.height - item.y - item.height) / POINT)
            canvas.showPage()
    save_canvas(canvas)
    return households * PAGES


def by_pikepdf(out: BinaryIO, households: int) -> int:
    """Build one PDF in memory: pages share a content stream, and each has a second one of its own; saved with object
    streams."""
    made, drawn = sheets("en"), BytesIO()
    canvas = open_canvas(drawn, (made.width, made.height), "en", "Home access", "Riverbend")
    own = load_faces("en", LANGUAGES["en"].fonts)
    letters = {bold: Letters(canvas, own, LANGUAGES["en"], bold) for bold in (False, True)}
    for page in made.pages:
        draw_items(canvas, page.items, made.height)
        canvas.showPage()
    save_canvas(canvas)
    leaves = []
    for page in made.pages:
        codes = tuple((item.what, code_matrix(item, made.height)) for item in page.items if isinstance(item, Code))
        spots = tuple(OverlayPlace.of(item, made.height) for item in page.items if isinstance(item, Place))
        leaves.append(TemplatePage(page.number, b"", codes, spots))
    template, whole = Template(tuple(leaves), letters), digest(geometry_json(made, "0" * 64))
    with pikepdf.open(drawn) as source, pikepdf.new() as pdf:
        shared = [pdf.copy_foreign(page.obj.Contents) for page in source.pages]
        resources = pdf.copy_foreign(source.make_indirect(source.pages[0].Resources))
        box = pikepdf.Array([0, 0, made.width / POINT, made.height / POINT])
        parent, kids = pdf.Root.Pages, []  # pdf.pages.append scans all pages every time
        for number in range(households):
            mine = filled(number, whole)
            for leaf, contents in zip(leaves, shared, strict=True):
                overlay = pdf.make_stream(template.page_contents(leaf, mine).removeprefix(b"/P Do"))
                entries = {"/Type": pikepdf.Name.Page, "/Parent": parent, "/MediaBox": box, "/Resources": resources}
                entries["/Contents"] = pikepdf.Array([contents, overlay])
                kids.append(pdf.make_indirect(pikepdf.Dictionary(entries)))
        parent.Kids, parent.Count = pikepdf.Array(kids), len(kids)
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return households * PAGES
