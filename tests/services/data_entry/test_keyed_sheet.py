"""A keyed sheet is a single value from which its page, response, thread, and remarks are made."""

import json

import pytest

from engage.domain.intake.follow_up_requests import list_follow_ups
from engage.domain.intake.submission import build_answer_document
from engage.questionnaire.library import shipped_survey
from engage.services.data_entry.entries import InvalidMark
from engage.services.data_entry.keyed_sheet import build_keyed_sheet, load_keyed_sheet, parse_keyed_sheet
from engage.services.data_entry.lookup import PaperSheet
from engage.storage.models.paper import Keying
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave
from tests.makers import a_survey

SMALL, ACCESS = a_survey(), shipped_survey("home-access", version=1)
WAVES = {identity: Wave(id="fall", identity=identity) for identity in ("anonymous", "confidential")}
MARKS = {"children": ["9"], "internet": ["no"], "speed": ["well"], "moved": ["soon"], "question": ["When?"]}


def test_what_follows_from_the_marks_of_a_confidential_wave() -> None:
    sheet = build_keyed_sheet(SMALL, WAVES["confidential"], MARKS)
    assert json.loads(sheet.document) == {
        "children": 9,
        "internet": "no",
        "moved": {"missing": "unclear"},
        "question": "When?",
    }
    assert sheet.stored_marks == sheet.marks == MARKS
    assert [(kind, wish.text) for kind, wish in sheet.follow_ups.items()] == [("question", "When?")]
    assert [(each.slot.key, each.code) for each in sheet.remarks] == [
        ("children", "above_maximum"),
        ("moved", "not_a_date"),
        ("speed", "off_route"),
    ]


def test_in_an_anonymous_wave_the_question_stands_in_its_thread_alone() -> None:
    sheet = build_keyed_sheet(SMALL, WAVES["anonymous"], MARKS)
    assert "question" in sheet.marks
    assert "question" not in sheet.stored_marks
    assert "question" not in json.loads(sheet.document)
    assert sheet.follow_ups["question"].text == "When?"


@pytest.mark.parametrize("identity", WAVES)
def test_it_says_what_the_gate_would_say(identity: str) -> None:
    wave, marks = WAVES[identity], {"help_wanted": ["device", "repair"], "internet": ["~refused"], "question": ["Why?"]}
    sheet = build_keyed_sheet(ACCESS, wave, marks)
    assert json.loads(sheet.document) == build_answer_document(ACCESS, wave, marks, "paper")
    assert list(sheet.follow_ups.values()) == list_follow_ups(ACCESS, marks, lenient=True)


def paper(keying: Keying | None = None) -> PaperSheet:
    class OfSmall(PaperSheet):
        def survey(self, language: str) -> object:
            assert language == "en"
            return SMALL

    return OfSmall("K7W-2MX", WAVES["confidential"], School(id="lincoln"), "es", keying=keying)


def test_a_form_is_parsed_into_it_or_refused() -> None:
    sheet = parse_keyed_sheet(paper(), [("internet", "no"), ("csrf_token", "x"), ("speed", ""), ("seen", "new")])
    assert sheet.marks == {"internet": ["no"]}
    with pytest.raises(InvalidMark):
        parse_keyed_sheet(paper(), [("internet", "perhaps")])


def test_a_saved_sheet_is_loaded_as_it_was_keyed() -> None:
    assert load_keyed_sheet(paper()) is None
    assert load_keyed_sheet(paper(Keying(raw=json.dumps(MARKS)))) == build_keyed_sheet(
        SMALL, WAVES["confidential"], MARKS
    )


def test_it_cannot_be_changed() -> None:
    sheet = build_keyed_sheet(SMALL, WAVES["confidential"], {})
    with pytest.raises(AttributeError):
        sheet.document = "{}"  # type: ignore[misc]
