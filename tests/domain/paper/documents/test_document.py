from gettext import NullTranslations
from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.document import (
    Bars,
    Block,
    DocumentFormat,
    DocumentTable,
    Heading,
    Lines,
    Listing,
    PageBreak,
    Paragraph,
    Spacer,
    TearOff,
    write_document,
)
from engage.domain.paper.documents.flowables import Flow
from engage.domain.paper.form.elements import Panel, Text, WritingLine
from engage.domain.paper.form.pagination import paginate
from engage.domain.paper.form.typesetter import Typesetter
from engage.questionnaire.model import Words
from tests.domain.paper.sample import SAMPLES, own_faces, page_texts

pytestmark = pytest.mark.slow


def printed(*blocks: Block, language: str = "en", **more: object) -> bytes:
    out = BytesIO()
    format = DocumentFormat(language, NullTranslations(), "Riverbend", **more)
    pages = write_document(out, "What we heard", blocks, format)
    assert len(page_texts(out.getvalue())) == pages
    return out.getvalue()


def plain(pdf: bytes) -> list[str]:
    return [" ".join(text.split()) for text in page_texts(pdf)]


def a_flow(language: str = "en", width: float = 170.0) -> Flow:
    return Flow(Typesetter(LANGUAGES[language], own_faces(language)), width)


def test_every_page_has_its_frame() -> None:
    texts = plain(printed(Paragraph("one"), PageBreak(), Paragraph("two"), footer="Fall checkpoint"))
    assert len(texts) == 2
    for number, text in enumerate(texts, 1):
        for said in ("Riverbend", "What we heard", "Fall checkpoint", f"Page {number} of 2"):
            assert said in text


def test_a_table_repeats_its_header_and_keeps_every_row() -> None:
    rows = [[f"School {n}", str(n)] for n in range(100)]
    texts = plain(printed(DocumentTable(["Name of school", "Answers"], rows, ["start", "end"])))
    assert len(texts) >= 3
    assert all(text.count("Name of school") == 1 for text in texts)
    for n in range(100):
        assert sum(text.split().count(f"{n}") for text in texts) >= 2  # in the name and in the cell


def test_a_cell_longer_than_a_page_goes_on_overleaf() -> None:
    words = [f"w{n}" for n in range(3000)]
    texts = plain(printed(DocumentTable(["Who", "Comment"], [["one", " ".join(words)]])))
    assert len(texts) >= 3
    assert [word for text in texts for word in text.split() if word in set(words)] == words


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=5), st.floats(60, 260))
def test_no_row_stands_below_the_page(lines: list[int], room: float) -> None:
    flow = a_flow()
    rows = [["\n".join("line" for _ in range(count))] for count in lines]
    pages = list(paginate([flow.heading(2, "Head"), *flow.table(["Column"], rows)], room))
    assert max(item.y + item.height for page in pages for item in page) <= room + 0.01
    texts = [item for page in pages for item in page if isinstance(item, Text)]
    assert sum(len(item.laid.lines) for item in texts) == sum(lines) + 1 + len(pages)


def test_a_paragraph_flows_over_pages_without_loss() -> None:
    words = [f"w{n}" for n in range(4000)]
    texts = plain(printed(Heading(1, "Long"), Paragraph(" ".join(words))))
    assert [word for text in texts for word in text.split() if word in set(words)] == words


def test_a_heading_goes_with_what_follows() -> None:
    texts = plain(printed(Spacer(222), Heading(2, "Promises"), Paragraph("We will. " * 60)))
    assert "Promises" not in texts[0]
    assert "Promises" in texts[1]


def test_a_paragraph_that_leads_goes_with_what_follows() -> None:
    texts = plain(printed(Spacer(225), Paragraph("How often?", bold=True, leads=True), Paragraph("Never. Always.")))
    assert "How often?" not in texts[0]
    assert "How often? Never. Always." in texts[1]


SLIP = TearOff("Give this part back", [("No quiero", "I do not want")], [("Nombre", "Name"), ("Fecha", "Date")])


@pytest.mark.parametrize("above", [100, 150, 200, 215])
def test_a_part_to_tear_off_is_on_one_page(above: float) -> None:
    *_, last = plain(printed(Spacer(above), SLIP))
    for text in ("Give this part back", "No quiero", "I do not want", "Nombre", "Name", "Fecha", "Date"):
        assert last.count(text) == 1


def test_a_part_to_tear_off_has_a_line_beside_each_label() -> None:
    block = a_flow().tear_off(SLIP.heading, SLIP.statements, SLIP.fields)
    labels = {item.laid.text: item for item in block.items if isinstance(item, Text)}
    lines = [item for item in block.items if isinstance(item, WritingLine)]
    assert len(lines) == 2
    for line, (label, gloss) in zip(lines, SLIP.fields, strict=True):
        assert labels[label].x + labels[label].width <= line.x
        assert labels[label].y + labels[label].height <= labels[gloss].y + 0.01
        assert labels[gloss].y + labels[gloss].height == pytest.approx(line.y + line.height)
    assert lines[0].y + lines[0].height <= labels["Fecha"].y


def test_a_part_to_tear_off_may_be_in_one_language() -> None:
    block = a_flow().tear_off("Give back", [("I do not want", "")], [("Name", "")])
    assert [item.laid.text for item in block.items if isinstance(item, Text)] == ["Give back", "I do not want", "Name"]


@pytest.mark.parametrize("language", SAMPLES)
def test_the_frame_names_what_it_cannot_draw(language: str) -> None:
    out = BytesIO()
    write_document(out, "Party \U0001f389", [], DocumentFormat(language, NullTranslations(), "River \U0001f600"))
    (text,) = plain(out.getvalue())
    assert "party popper" in text
    assert "grinning face" in text


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_bar_is_as_long_as_its_share(share: float) -> None:
    (block,) = a_flow().bars([("Often", share, "25 %")])
    track, *filled = sorted((item for item in block.items if isinstance(item, Panel)), key=lambda item: -item.ink)
    assert sum(item.width for item in filled) == pytest.approx(track.width * share)


def test_a_bar_that_is_not_shown_has_no_track() -> None:
    (block,) = a_flow().bars([("Often", None, "Too few answers")])
    assert not [item for item in block.items if isinstance(item, Panel)]


CELLS = st.sampled_from([*SAMPLES.values(), "7", "W" * 80])
TABLES = st.integers(1, 6).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=4))


@settings(max_examples=25, deadline=None)
@given(TABLES)
def test_cells_keep_to_their_columns(rows: list[list[str]]) -> None:
    flow = a_flow()
    for block in flow.table([f"Column {n}" for n in range(len(rows[0]))], rows):
        texts = sorted((item for item in block.items if isinstance(item, Text)), key=lambda item: item.x)
        for one, other in pairwise(texts):
            assert one.x + one.width <= other.x + 0.01
        for text in texts:
            assert text.laid.widest <= text.laid.width + 0.01
            assert text.x >= -0.01
            assert text.x + text.width <= flow.width + 0.01


def test_what_people_wrote_is_spelled_out_where_no_font_has_it() -> None:
    (text,) = plain(printed(Paragraph("Thanks 🧋"), Listing(["More 🧋"]), Bars([("Tea 🧋", 0.5, "50 %")])))
    assert text.count("[bubble tea]") == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_flows_and_is_the_same_each_time(language: str) -> None:
    said = SAMPLES[language]
    blocks = [Heading(1, said), Paragraph(said), DocumentTable([said], [[said]]), Bars([(said, 0.5, said)]), Lines(2)]
    mixed = Paragraph(Words(SAMPLES["ar"], "ar"))
    assert printed(*blocks, mixed, language=language) == printed(*blocks, mixed, language=language)


def test_nothing_to_say_is_one_page() -> None:
    assert len(page_texts(printed())) == 1
