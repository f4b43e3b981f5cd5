"""Rules for single answers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.questionnaire.model import Choice, Question, Words
from engage.questionnaire.question_types import RefusedAnswer, answer_boxes, canonical_answers, read_answer
from engage.questionnaire.text_cleaning import clean_text, hidden_characters
from tests.questionnaire.every_kind import EVERY_KIND


def question(id):
    return EVERY_KIND.question(id)


@pytest.mark.parametrize(
    ("id", "given", "web", "paper"),
    [
        ("net", [], None, None),
        ("net", [""], None, None),
        ("net", ["yes"], "yes", "yes"),
        ("net", ["yes", "yes"], "yes", "yes"),
        ("net", ["yes", "no"], RefusedAnswer("one_only"), {"missing": "two_marks"}),
        ("net", ["maybe"], RefusedAnswer("unknown_choice", {"code": "maybe"}), {"missing": "unclear"}),
        ("net", ["~dont_know"], {"missing": "dont_know"}, {"missing": "dont_know"}),
        ("net", ["~refused"], {"missing": "refused"}, {"missing": "refused"}),
        ("net", ["~unclear"], RefusedAnswer("not_offered", {"marker": "unclear"}), {"missing": "unclear"}),
        ("net", ["~two_marks"], RefusedAnswer("not_offered", {"marker": "two_marks"}), {"missing": "two_marks"}),
        ("net", ["yes", "~dont_know"], RefusedAnswer("answer_and_marker"), {"missing": "two_marks"}),
        ("net", ["~x"], RefusedAnswer("not_offered", {"marker": "x"}), {"missing": "unclear"}),
        ("sure", ["~refused"], RefusedAnswer("not_offered", {"marker": "refused"}), {"missing": "refused"}),
        ("sure", ["middle"], "middle", "middle"),
        ("places", ["shop", "library", "shop"], ["library", "shop"], ["library", "shop"]),
        ("places", ["nowhere"], ["nowhere"], ["nowhere"]),
        ("places", ["nowhere", "shop"], RefusedAnswer("exclusive", {"code": "nowhere"}), ["shop", "nowhere"]),
        ("places", ["shop", "~dont_know"], RefusedAnswer("answer_and_marker"), {"missing": "two_marks"}),
        ("places", [], None, None),
        ("count", ["2"], 2, 2),
        ("count", [" 2 "], 2, 2),
        ("count", ["\u0662"], 2, 2),
        ("count", ["\u06f2"], 2, 2),
        ("count", ["\uff12"], 2, 2),
        ("count", ["002"], 2, 2),
        ("count", ["+1"], 1, 1),
        ("count", ["7"], RefusedAnswer("above_maximum", {"maximum": 3}), 7),
        ("count", ["\u22121"], RefusedAnswer("below_minimum", {"minimum": 0}), -1),
        ("count", ["two"], RefusedAnswer("not_a_number"), {"missing": "unclear"}),
        ("count", ["1.5"], RefusedAnswer("not_a_number"), {"missing": "unclear"}),
        ("count", ["1" * 30], RefusedAnswer("not_a_number"), {"missing": "unclear"}),
        ("count", ["\u00b2"], RefusedAnswer("not_a_number"), {"missing": "unclear"}),
        ("count", ["~dont_know"], {"missing": "dont_know"}, {"missing": "dont_know"}),
        ("born", ["2015-02-28"], "2015-02-28", "2015-02-28"),
        ("born", ["\u0662\u0660\u0661\u0665-\u0662-\u0663"], "2015-02-03", "2015-02-03"),
        ("born", ["2015/2/3"], "2015-02-03", "2015-02-03"),
        ("born", ["2015-02-30"], RefusedAnswer("not_a_date"), {"missing": "unclear"}),
        ("born", ["0000-01-01"], RefusedAnswer("not_a_date"), {"missing": "unclear"}),
        ("born", ["2999-01-01"], RefusedAnswer("not_a_date"), {"missing": "unclear"}),
        ("name", ["  Caf\u0065\u0301\r\n\x00b\u202e "], "Caf\u00e9 b", "Caf\u00e9 b"),
        ("name", ["  \u2067 "], None, None),
        ("name", ["x" * 201], RefusedAnswer("too_long", {"most": 200, "length": 201}), "x" * 201),
        ("remarks", ["a\r\nb\rc\u2028d"], "a\nb\nc\nd", "a\nb\nc\nd"),
        ("remarks", ["x" * 4000], "x" * 4000, "x" * 4000),
        ("remarks", ["x" * 4001], RefusedAnswer("too_long", {"most": 4000, "length": 4001}), "x" * 4001),
        ("remarks", ["~refused"], "~refused", {"missing": "refused"}),
        ("remarks", ["=1+1"], "=1+1", "=1+1"),
        ("remarks", ["\ud800"], None, None),
        ("told", ["yes"], None, None),
    ],
)
def test_what_is_given_becomes_one_value(id, given, web, paper):
    assert read_answer(question(id), given) == web
    assert read_answer(question(id), given, lenient=True) == paper


@pytest.mark.parametrize(
    ("id", "given", "marker", "web", "paper"),
    [
        ("count", [""], ["dont_know"], {"missing": "dont_know"}, {"missing": "dont_know"}),
        ("count", ["2"], ["dont_know"], RefusedAnswer("answer_and_marker"), {"missing": "two_marks"}),
        ("count", [], [""], None, None),
        ("count", [], ["dont_know", "refused"], RefusedAnswer("answer_and_marker"), {"missing": "two_marks"}),
        ("remarks", [], ["refused"], {"missing": "refused"}, {"missing": "refused"}),
        ("remarks", ["words"], ["refused"], RefusedAnswer("answer_and_marker"), "words"),
        ("remarks", [], ["dont_know"], RefusedAnswer("not_offered", {"marker": "dont_know"}), {"missing": "dont_know"}),
    ],
)
def test_the_marker_beside_a_written_answer(id, given, marker, web, paper):
    assert read_answer(question(id), given, marker) == web
    assert read_answer(question(id), given, marker, lenient=True) == paper


def test_boxes_are_choices_then_dont_know_and_nobody_marks_a_refusal():
    assert [(box.key, box.value) for box in answer_boxes(question("net"))] == [
        ("1", "yes"),
        ("2", "no"),
        ("3", "~dont_know"),
    ]
    assert [box.value for box in answer_boxes(question("sure"))] == ["low", "middle", "high", "~dont_know"]


@pytest.mark.parametrize(
    ("given", "web", "paper"),
    [
        (["a"], ["a"], ["a"]),
        (["c", "a"], ["a", "c"], ["a", "c"]),
        (["a", "b", "c"], RefusedAnswer("too_many", {"most": 2}), {"missing": "two_marks"}),
        (["none"], ["none"], ["none"]),
        (["none", "a"], RefusedAnswer("exclusive", {"code": "none"}), ["a", "none"]),
        (["none", "a", "b"], RefusedAnswer("exclusive", {"code": "none"}), {"missing": "two_marks"}),
    ],
)
def test_at_most_two_choices_may_be_marked(given, web, paper):
    choices = tuple(Choice(code, Words(code), exclusive=code == "none") for code in ("a", "b", "c", "none"))
    two = Question("q", "several", Words("Which?"), Words("Mark up to two."), choices, at_most=2)
    assert read_answer(two, given) == web
    assert read_answer(two, given, lenient=True) == paper


def test_boxes_beside_a_written_answer_leave_the_digits_alone():
    assert [(box.key, box.value) for box in answer_boxes(question("count"))] == [("a", "~dont_know")]
    assert answer_boxes(question("name")) == ()
    assert answer_boxes(question("told")) == ()


@given(st.sampled_from(["net", "places", "sure", "count", "born", "name", "remarks"]), st.lists(st.text(), max_size=3))
def test_paper_is_never_refused(id, given):
    assert not isinstance(read_answer(question(id), given, lenient=True), RefusedAnswer)


@given(st.text())
def test_cleaning_twice_changes_nothing(text):
    for lines in (True, False):
        once = clean_text(text, lines=lines)
        assert clean_text(once, lines=lines) == once
        assert hidden_characters(once) == []
        once.encode()


@given(
    st.recursive(
        st.one_of(st.integers(), st.text(st.characters(exclude_categories=["Cs"]))),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abcdef"), inner),
    )
)
def test_canonical_bytes_read_back_to_the_same_bytes(value):
    once = canonical_answers({"answers": value})
    assert canonical_answers(json.loads(once)) == once


def test_canonical_bytes_do_not_depend_on_order():
    assert (
        canonical_answers({"b": 1, "a": "\u00e9"})
        == canonical_answers({"a": "\u00e9", "b": 1})
        == '{"a":"é","b":1}'.encode()
    )


HIDDEN = ("\u200b", "\u200e", "\u200f", "\u2060", "\u00ad", "\ufeff", "\u2067", "\u061c")


@given(
    st.integers(0, 20),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(HIDDEN))),
    st.sampled_from(["٠", "۰", "０"]),
)
def test_a_number_is_read_as_a_person_sees_it(number, hidden, zero):
    text = "".join(chr(ord(zero) + int(digit)) for digit in str(number))
    for place, mark in hidden:
        text = text[:place] + mark + text[place:]
    question = Question(id="n", kind="number", text=Words("?"), minimum=0, maximum=20)
    assert read_answer(question, [text]) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("2.", 2), ("2.0", 2), ("2,00", 2), ("٢٫٠", 2), ("- 1", -1), ("\u22121.0", -1), ("1.000", None)),
        *(("2.5", None), ("2 3", None), (".", None), ("0.0.0", None)),
    ],
)
def test_a_number_with_an_empty_fraction_is_whole(text, number):
    question = Question(id="n", kind="number", text=Words("?"))
    value = read_answer(question, [text])
    assert value == (RefusedAnswer("not_a_number") if number is None else number)
