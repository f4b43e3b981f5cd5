"""Tags, bookmarks, and page labels as read by other programs."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.document import (
    Bars,
    Block,
    DocumentFormat,
    DocumentTable,
    Heading,
    Lines,
    Listing,
    Paragraph,
    write_document,
)
from engage.domain.paper.form.blank import write_sheets
from engage.domain.paper.form.typesetter import SurveyInLanguage
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.model import Words
from tests.domain.paper.sample import COVER, SAMPLES

pytestmark = pytest.mark.slow

EDITION = build_edition(shipped_survey("family-beliefs", version=1), survey_catalogues())
ROWS = [[f"School {n}", str(n)] for n in range(100)]
BLOCKS: list[Block] = [
    Heading(1, "What we heard"),
    Paragraph("We asked. " * 400),
    Heading(3, "By school"),
    DocumentTable(["School", "Answers"], ROWS),
    Heading(2, "Said"),
    Listing(["one", "two"]),
    Paragraph(Words(SAMPLES["ar"] * 3, "ar")),
    Bars([("Often", 0.5, "50 %")]),
    Lines(1),
]


def documented(*blocks: Block, language: str = "en") -> bytes:
    out = BytesIO()
    write_document(out, "Trial", blocks or BLOCKS, DocumentFormat(language, NullTranslations(), "Riverbend", "Fall"))
    return out.getvalue()


def blank_in(tag: str, *serials: str) -> bytes:
    out = BytesIO()
    first = SurveyInLanguage(tag, EDITION.survey(tag), catalogue(tag))
    write_sheets(out, EDITION, first, COVER, serials=serials or ("",))
    return out.getvalue()


def elements(node: Any) -> Iterator[Any]:
    """Yield every element below a node, in reading order."""
    if isinstance(node, pikepdf.Array):
        for kid in node:
            yield from elements(kid)
    elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
        yield node
        yield from elements(node.get("/K"))


def numbered(element: Any) -> Iterator[tuple[Any, int]]:
    """Yield page and number of everything drawn for an element itself."""
    kids = element.get("/K")
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, int):
            yield element.Pg.objgen, kid
        elif isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == "/MCR":
            yield kid.Pg.objgen, int(kid.MCID)


def drawn(page: pikepdf.Page) -> Iterator[tuple[str, int | None]]:
    """Yield the tag of all painted content, and its number on the page."""
    around: list[tuple[str, int | None]] = []
    for operands, operator in pikepdf.parse_content_stream(page):
        match str(operator):
            case "BMC":
                around.append((str(operands[0]), None))
            case "BDC":
                number = operands[1].get("/MCID")
                around.append((str(operands[0]), None if number is None else int(number)))
            case "EMC":
                around.pop()
            case "TJ" | "Tj" | "f" | "F" | "f*" | "S" | "s" | "B" | "Do":
                yield around[0] if around else ("", None)
    assert not around


CASES = [("document", "en"), ("document", "ar"), *(("blank", tag) for tag in LANGUAGES)]


@pytest.mark.parametrize(("kind", "tag"), CASES)
def test_all_that_is_drawn_is_in_the_tree_or_is_furniture(kind: str, tag: str) -> None:
    pdf = pikepdf.open(BytesIO(documented(language=tag) if kind == "document" else blank_in(tag)))
    tree = pdf.Root.StructTreeRoot
    assert pdf.Root.MarkInfo.Marked
    assert str(next(elements(tree.K)).S) == "/Document"
    owners = {place: element for element in elements(tree.K) for place in numbered(element)}
    parents = tree.ParentTree.Nums
    by_key = {int(parents[at]): parents[at + 1] for at in range(0, len(parents), 2)}
    for page in pdf.pages:
        seen = list(dict.fromkeys(drawn(page)))
        assert {kind for kind, number in seen if number is None} <= {"/Artifact"}
        for kind_drawn, number in seen:
            if number is not None:
                owner = owners.pop((page.obj.objgen, number))
                assert str(owner.S).endswith(kind_drawn[1:])
                assert by_key[int(page.StructParents)][number] == owner
    assert not owners, "what is in the tree is on a page"


@pytest.mark.parametrize("tag", LANGUAGES)
def test_pdfinfo_finds_the_headings(tag: str, tmp_path: Path) -> None:
    (tmp_path / "blank.pdf").write_bytes(blank_in(tag))

    def pdfinfo(*more: str) -> str:
        command = ["pdfinfo", *more, str(tmp_path / "blank.pdf")]
        return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()

    assert "Tagged:          yes" in pdfinfo()
    found = Counter(line.split()[0] for line in pdfinfo("-struct").splitlines() if line.strip())
    survey = EDITION.survey(tag)
    assert found["H1"] == 1
    assert found["H2"] >= len(survey.sections)
    assert found["H3"] >= sum(1 for section in survey.sections for each in section.questions if each.kind != "note")
    assert found["Form"] > 50


def test_a_table_has_one_header_however_many_pages_it_takes() -> None:
    pdf = pikepdf.open(BytesIO(documented(DocumentTable(["School", "Answers"], ROWS))))
    assert len(pdf.pages) > 2
    found = Counter(str(element.S) for element in elements(pdf.Root.StructTreeRoot.K))
    assert found == {"/Document": 1, "/Table": 1, "/TR": 101, "/TH": 2, "/TD": 200}


def test_a_paragraph_that_goes_on_overleaf_is_one_paragraph() -> None:
    pdf = pikepdf.open(BytesIO(documented(Paragraph("We asked. " * 2000))))
    assert len(pdf.pages) > 1
    _, paragraph = elements(pdf.Root.StructTreeRoot.K)
    assert len({page for page, _ in numbered(paragraph)}) == len(pdf.pages)


def test_words_in_another_language_say_so_and_are_in_reading_order() -> None:
    said = Words(SAMPLES["ar"] + "\n" + SAMPLES["ar"], "ar")
    pdf = pikepdf.open(BytesIO(documented(Paragraph("hello"), Paragraph(said))))
    _, english, arabic = elements(pdf.Root.StructTreeRoot.K)
    assert pdf.Root.Lang == "en"
    assert "/Lang" not in english
    assert "/ActualText" not in english
    assert arabic.Lang == "ar"
    assert str(arabic.ActualText) == str(said)


def test_a_question_is_a_heading_with_its_number() -> None:
    pdf = pikepdf.open(BytesIO(blank_in("ar")))
    first = next(element for element in elements(pdf.Root.StructTreeRoot.K) if str(element.S) == "/H3")
    asked = EDITION.survey("ar").sections[0].questions[0].text
    assert str(first.ActualText) == f"1 {asked}"


def test_boxes_are_fields_for_a_pen() -> None:
    pdf = pikepdf.open(BytesIO(blank_in("en")))
    roles = {str(each.A.Role) for each in elements(pdf.Root.StructTreeRoot.K) if str(each.S) == "/Form"}
    assert "/cb" in roles


def test_headings_are_bookmarks_below_one_another() -> None:
    pdf = pikepdf.open(BytesIO(documented()))
    with pdf.open_outline() as outline:
        (top,) = outline.root
        assert top.title == "What we heard"
        assert [item.title for item in top.children] == ["By school", "Said"]
    assert pdf.Root.PageLabels.Nums[1].S == "/D"
    assert pdf.docinfo["/Title"] == "Trial"


def test_copies_that_share_their_pages_are_not_tagged() -> None:
    assert "/StructTreeRoot" not in pikepdf.open(BytesIO(blank_in("en", "K7W-2MX", "K7W-3AB"))).Root


@pytest.mark.parametrize("language", ["en", "ar"])
def test_tags_are_the_same_each_time(language: str) -> None:
    assert documented(language=language) == documented(language=language)
    assert blank_in(language) == blank_in(language)
