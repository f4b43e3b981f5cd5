import json
from dataclasses import replace

import pytest

from engage.domain.paper.form.elements import Box, Code, Comb, Mark, Place, WritingLine
from engage.domain.paper.form.geometry import digest, geometry_json, read_geometry
from engage.domain.paper.form.page_frame import mark_id, page_marks
from engage.questionnaire.numbering import Payload, decode_payload, encode_payload
from tests.domain.paper.sample import COVER, LEAF, a_question, a_survey, laid_out

KEPT = (Mark, Code, Place, Box, Comb, WritingLine)
DIGEST = "0a1b2c3d" + "e" * 56


def test_marks_stand_9_mm_from_the_edges_and_are_numbered_clockwise() -> None:
    """Letter is 215.9 mm wide and 279.4 mm high."""
    found = [(round(mark.x, 3), round(mark.y, 3), mark.id) for mark in page_marks(215.9, 279.4, 1)]
    assert found == [(9, 9, 0), (198.9, 9, 1), (198.9, 262.4, 2), (9, 262.4, 3)]
    assert {mark.width for mark in page_marks(215.9, 279.4, 1)} == {8}


@pytest.mark.parametrize(("page", "corner", "number"), [(1, 0, 0), (2, 3, 7), (12, 3, 47), (13, 0, 0), (25, 1, 1)])
def test_marks_tell_the_page_within_12(page: int, corner: int, number: int) -> None:
    assert mark_id(page, corner) == number


def test_a_mark_seen_in_a_mirror_is_the_mark_of_the_other_corner() -> None:
    here = [mark.mirrored(215.9) for mark in page_marks(215.9, 279.4, 3)]
    there = {mark.id: (pytest.approx(mark.x), mark.y) for mark in page_marks(215.9, 279.4, 3)}
    assert {mark.id: (mark.x, mark.y) for mark in here} == there
    assert [mark.corner for mark in here] == [1, 0, 3, 2]


SAID = [
    ("K7W-2MX", 1, "K7W2MX010A1B2C3D"),
    ("k7w-2mx", 35, "K7W2MX0Z0A1B2C3D"),
    ("XAB-2C7", 36, "XAB2C7100A1B2C3D"),
    ("XAB-2C7", 1295, "XAB2C7ZZ0A1B2C3D"),
    ("", 2, "000000020A1B2C3D"),
]


@pytest.mark.parametrize(("serial", "page", "text"), SAID)
def test_a_code_says_serial_page_and_layout(serial: str, page: int, text: str) -> None:
    assert encode_payload(serial, page, DIGEST) == text
    assert decode_payload(text) == Payload(serial.upper(), page, "0a1b2c3d")


@pytest.mark.parametrize(
    ("serial", "page", "digest"),
    [("K7W", 1, DIGEST), ("K7W-2MÄ", 1, DIGEST), ("", 0, DIGEST), ("", 1296, DIGEST), ("", 1, "0a1b")],
)
def test_what_no_code_can_say_is_refused(serial: str, page: int, digest: str) -> None:
    with pytest.raises(ValueError, match=r"serial|pages|digest"):
        encode_payload(serial, page, digest)


@pytest.mark.parametrize(
    "text", ["", "K7W2MX010A1B2C3", "K7W2MX000A1B2C3D", "K7W2MX010A1B2C3G", "k7w2mx010a1b2c3d", "https://example.org"]
)
def test_a_foreign_code_says_nothing(text: str) -> None:
    assert decode_payload(text) is None


@pytest.mark.parametrize("language", ["en", "ar"])
def test_geometry_reads_back_as_it_was_laid_out(language: str) -> None:
    asked = [a_question("several", choices=3), a_question("date", "day"), a_question("long_words", "why")]
    made = laid_out(a_survey(*asked), language, LEAF)
    found = read_geometry(geometry_json(made, DIGEST))
    assert (found.edition, found.language, found.second) == (DIGEST, language, None)
    assert (found.paper, found.style, found.fonts) == ("letter", "standard", made.fonts)
    assert (found.width, found.height) == (215.9, 279.4)
    for page, other in zip(made.pages, found.pages, strict=True):
        kept = sorted((item for item in page.items if type(item) in KEPT), key=lambda item: KEPT.index(type(item)))
        assert len(kept) == len(other.items)
        for one, same in zip(kept, other.items, strict=True):
            lengths = {name: pytest.approx(getattr(one, name), abs=0.0006) for name in ("x", "y", "width", "height")}
            assert replace(one, x=0, y=0, width=0, height=0) == replace(same, x=0, y=0, width=0, height=0)
            assert {name: getattr(same, name) for name in lengths} == lengths


def test_geometry_is_canonical_and_known_by_its_digest() -> None:
    survey = a_survey(a_question("one", choices=2))
    text = geometry_json(laid_out(survey), DIGEST)
    assert text == geometry_json(laid_out(survey), DIGEST)
    assert text == json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert len(digest(text)) == 64
    others = [laid_out(survey, paper="a4"), laid_out(survey, style="large"), laid_out(survey, "ar")]
    digests = {digest(geometry_json(other, DIGEST)) for other in others} | {
        digest(text),
        digest(geometry_json(laid_out(survey), "0" * 64)),
    }
    assert len(digests) == 5


def test_words_alone_do_not_change_the_geometry() -> None:
    """An edition fixes the texts of the questions; a reader does not need other texts of the cover."""
    survey = a_survey(a_question("one", choices=2))
    assert geometry_json(laid_out(survey), DIGEST) == geometry_json(
        laid_out(survey, cover=replace(COVER, district="R")), DIGEST
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version":2}', '{"version":1}'])
def test_what_is_no_geometry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="geometry"):
        read_geometry(text)
