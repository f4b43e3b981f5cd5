"""Conversion between raw strings and the answer document."""

import pytest
from hypothesis import given

from engage.questionnaire.answers import AnswerProblem, assemble_answers, to_raw
from engage.questionnaire.question_types import canonical_answers
from engage.questionnaire.routing import all_slots, slots_on_route
from tests.questionnaire.every_kind import EVERY_KIND, raw

pytestmark = pytest.mark.slow


def test_a_family_with_two_children():
    answers, troubles = assemble_answers(
        EVERY_KIND,
        {
            "count": ["\u0662"],
            "net": ["yes"],
            "places": ["shop"],  # off the route: net is yes
            "sure": ["high"],
            "child.1.device": ["pc"],
            "child.1.name": [" Ayaan "],
            "child.2.device": ["none"],
            "child.2.name": ["nobody"],  # off the route: no device
            "child.3.device": ["pc"],  # there are two children
            "csrf_token": ["x"],
        },
    )
    assert troubles == []
    assert canonical_answers(answers).decode() == (
        '{"child":[{"device":"pc","name":"Ayaan"},{"device":"none"}],"count":2,"net":"yes","sure":"high"}'
    )


def test_the_same_answers_give_the_same_bytes_from_phone_and_paper():
    given = {"net": ["no"], "places": ["shop", "library"], "count": ["1"], "child.1.device": ["pc"]}
    assert canonical_answers(assemble_answers(EVERY_KIND, given)[0]) == canonical_answers(
        assemble_answers(EVERY_KIND, given, lenient=True)[0]
    )


def test_a_refused_answer_is_told_and_left_out():
    answers, troubles = assemble_answers(EVERY_KIND, {"count": ["9"], "net": ["no"], "places": ["shop", "nowhere"]})
    assert answers == {"net": "no"}
    assert troubles == [
        AnswerProblem("count", "above_maximum", {"maximum": 3}),
        AnswerProblem("places", "exclusive", {"code": "nowhere"}),
    ]


def test_trouble_off_the_route_is_no_trouble():
    assert assemble_answers(EVERY_KIND, {"net": ["yes"], "places": ["shop", "nowhere"]}) == ({"net": "yes"}, [])


def test_paper_keeps_blocks_without_a_count():
    given = {"child.2.device": ["pc"]}
    assert assemble_answers(EVERY_KIND, given) == ({}, [])
    assert assemble_answers(EVERY_KIND, given, lenient=True) == ({"child": [{}, {"device": "pc"}]}, [])


def test_paper_keeps_more_blocks_than_the_count_says_and_a_count_out_of_range():
    given = {"count": ["1"], "child.1.device": ["pc"], "child.2.device": ["pc"]}
    assert len(assemble_answers(EVERY_KIND, given, lenient=True)[0]["child"]) == 2
    assert assemble_answers(EVERY_KIND, {"count": ["55"]}, lenient=True)[0] == {"count": 55}


def test_empty_blocks_at_the_end_are_dropped_and_before_it_kept():
    answers, _ = assemble_answers(EVERY_KIND, {"count": ["3"], "child.2.device": ["pc"]})
    assert answers == {"count": 3, "child": [{}, {"device": "pc"}]}


@given(raw)
def test_documents_survive_the_way_back_to_raw(given):
    for lenient in (False, True):
        answers, troubles = assemble_answers(EVERY_KIND, given, lenient)
        assert not (lenient and troubles)
        assert assemble_answers(EVERY_KIND, to_raw(EVERY_KIND, answers), lenient) == (answers, [])


@given(raw)
def test_a_web_document_passes_for_paper_unless_it_spells_a_marker(given):
    answers, _ = assemble_answers(EVERY_KIND, given)
    if "~" not in canonical_answers(answers).decode():
        assert assemble_answers(EVERY_KIND, to_raw(EVERY_KIND, answers), lenient=True)[0] == answers


@given(raw)
def test_every_answer_stands_on_the_route(given):
    for lenient in (False, True):
        answers, _ = assemble_answers(EVERY_KIND, given, lenient)
        met = {slot.key for slot in slots_on_route(EVERY_KIND, answers)}
        assert {key.rstrip("~") for key in to_raw(EVERY_KIND, answers)} <= met
        assert met <= {slot.key for slot in all_slots(EVERY_KIND, 3)}
