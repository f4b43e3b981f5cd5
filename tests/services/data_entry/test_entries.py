"""Valid input of the keying form, and remarks about it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engage.domain.intake.form_data import FormTooLarge
from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.model import Survey
from engage.questionnaire.question_types import answer_boxes, canonical_answers
from engage.services.data_entry.entries import (
    InvalidMark,
    missing_answer_codes,
    parse_marks,
    slots_by_key,
)
from engage.services.data_entry.keyed_sheet import build_keyed_sheet
from engage.storage.models.waves import Wave
from tests.makers import a_survey

SMALL = a_survey()
ACCESS = shipped_survey("home-access", version=1)
KNOWN = Wave(id="known", identity="confidential")


def said(survey: Survey, raw: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(each.slot.key, each.code) for each in build_keyed_sheet(survey, KNOWN, raw).remarks]


def test_every_slot_is_there_once_with_every_block() -> None:
    slots = slots_by_key(SMALL)
    assert list(slots) == [
        "children",
        "internet",
        "speed",
        "where",
        *(f"child.{number}.grade" for number in range(1, 5)),
        "moved",
        "question",
    ]


@pytest.mark.parametrize(
    ("question", "ways"),
    [
        ("internet", ("unclear", "two_marks", "refused")),
        ("where", ("unclear", "refused")),
        ("children", ("unclear", "two_marks", "refused")),
        ("moved", ("unclear", "two_marks", "refused")),
        ("grade", ("unclear", "refused")),
        ("question", ("unclear", "refused")),
        ("thanks", ()),
    ],
)
def test_the_ways_to_have_no_answer(question: str, ways: tuple[str, ...]) -> None:
    assert missing_answer_codes(SMALL.question(question)) == ways


def test_blanks_and_other_fields_leave_nothing() -> None:
    pairs = [("internet", ""), ("children", "  "), ("csrf_token", "x"), ("child.9.grade", "3"), ("deed", "save")]
    assert parse_marks(SMALL, pairs) == {}


@pytest.mark.parametrize(
    "pair",
    [("internet", "YES"), ("internet", "~blank"), ("where~", "unclear"), ("moved~", "~unclear"), ("moved~", "x")],
)
def test_what_no_page_offers_is_strange(pair: tuple[str, str]) -> None:
    with pytest.raises(InvalidMark):
        parse_marks(SMALL, [pair])


def test_too_much_is_told() -> None:
    with pytest.raises(FormTooLarge):
        parse_marks(SMALL, [("question", "x" * 20_001)])


def test_remarks_come_in_the_words_of_their_question() -> None:
    assert said(SMALL, {"internet": ["no"], "speed": ["well"]}) == [("speed", "off_route")]
    assert said(SMALL, {"children": ["9"]}) == [("children", "above_maximum")]
    assert said(SMALL, {"children": ["three"]}) == [("children", "not_a_number")]
    assert said(SMALL, {"where": ["nowhere", "work"]}) == [("where", "exclusive")]
    assert said(SMALL, {"child.2.grade": ["3"]}) == [("children", "blocks")]
    assert said(SMALL, {"children": ["2"], "child.2.grade": ["3"]}) == []
    assert said(SMALL, {"internet": ["~two_marks"], "moved~": ["unclear"], "where": ["~unclear"]}) == []


def answers_of_a_phone(draw: Any) -> dict[str, list[str]]:
    """Raw values as the family form can send them: any printable text, on or off the route."""
    raw = {}
    children = draw(some.integers(1, 3))
    for key, slot in slots_by_key(ACCESS).items():
        values = [box.value for box in answer_boxes(slot.question)]
        if slot.block is not None and slot.block > children:
            continue
        if key == "children":
            raw[key] = [str(children)]
        elif slot.question.kind == "several":
            alone = {choice.code for choice in slot.question.choices if choice.exclusive} | {"~dont_know", "~refused"}
            chosen = draw(some.lists(some.sampled_from(values), unique=True, max_size=4))
            raw[key] = [each for each in chosen if each not in alone] or chosen[:1]
        elif values:
            raw[key] = [draw(some.sampled_from([*values, ""]))]
        else:
            raw[key] = [draw(some.text(max_size=30))]
    return raw


@given(some.data())
def test_a_sheet_keyed_gives_the_phones_bytes(data: some.DataObject) -> None:
    phone = answers_of_a_phone(data.draw)
    kept, troubles = assemble_answers(ACCESS, phone)
    assert not troubles
    pairs = [(key, value) for key, values in phone.items() for value in values]
    marks = parse_marks(ACCESS, pairs)
    paper, _ = assemble_answers(ACCESS, marks, lenient=True)
    if phone["question"][0].strip()[:1] != "~":  # a keyer who types "~unclear" means the marker
        assert canonical_answers(paper) == canonical_answers(kept)
    assert not [code for _, code in said(ACCESS, marks) if code != "off_route"]
