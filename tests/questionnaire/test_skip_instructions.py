from gettext import NullTranslations

import pytest

from engage.questionnaire.model import Choice, Question, Section, Survey, Words
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.question_types import answer_boxes
from engage.questionnaire.rules import parse_rule
from engage.questionnaire.skip_instructions import DIRECTIONS, OPPOSITES, STATEMENTS, choice_words, format_direction
from tests.domain.paper.sample import Translated

DEVICES = (Choice("laptop", Words("Laptop")), Choice("tablet", Words("Tablet")), Choice("none", Words("No device")))
SURVEY = Survey(
    "trial",
    Words("Trial"),
    Words(""),
    5,
    (
        Section(
            "a", Words("A"), questions=(Question("hello", "note", Words("Hi")), Question("count", "number", Words()))
        ),
        Section("b", Words("B"), questions=(Question("device", "one", Words("?"), choices=DEVICES),)),
    ),
)


def said(rule: str, keys: bool = True) -> str:
    text = format_direction(parse_rule(rule), SURVEY, NullTranslations(), keys)
    return text.replace("\u2068", "").replace("\u2069", "")


def test_notes_carry_no_number() -> None:
    assert question_numbers(SURVEY) == {"count": 1, "device": 2}


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("device is tablet", "Answer this only if you chose 2 (Tablet) in question 2."),
        ("device includes tablet", "Answer this only if you chose 2 (Tablet) in question 2."),
        ("device is not none", "Answer this only if you chose something other than 3 (No device) in question 2."),
        (
            "device does not include none",
            "Answer this only if you answered question 2 and did not choose 3 (No device).",
        ),
        ("not (device is none)", "Answer this only if you did not choose 3 (No device) in question 2."),
        ("not (device is not none)", "Answer this only if you chose 3 (No device) in question 2."),
        ("device is answered", "Answer this only if you answered question 2."),
        ("not (device is answered)", "Answer this only if you did not answer question 2."),
        ("count < 3", "Answer this only if your number in question 1 is less than 3."),
        ("count <= 3", "Answer this only if your number in question 1 is 3 or less."),
        ("count > 3", "Answer this only if your number in question 1 is more than 3."),
        ("not (count < 3)", "Answer this only if your number in question 1 is 3 or more."),
        ("count = 3", "Answer this only if your number in question 1 is 3."),
        ("not (count = 3)", "Answer this only if your number in question 1 is not 3."),
        (
            "device is laptop or device is tablet",
            "Answer this only if you chose one of these in question 2: 1 (Laptop), 2 (Tablet).",
        ),
        (
            "count > 1 and (device is none or count = 9)",
            "Answer this only if all of these are true:\n"
            "• Your number in question 1 is more than 1.\n"
            "• One or more of these are true:\n"
            "\u2003• You chose 3 (No device) in question 2.\n"
            "\u2003• Your number in question 1 is 9.",
        ),
        (
            "not (count > 1 and device is none)",
            "Answer this only if one or more of these are true:\n"
            "• Your number in question 1 is 1 or less.\n"
            "• You did not choose 3 (No device) in question 2.",
        ),
    ],
)
def test_every_shape_of_rule_is_a_whole_sentence(rule: str, sentence: str) -> None:
    assert said(rule) == sentence


def test_on_a_screen_choices_have_no_numbers() -> None:
    assert said("device is tablet", keys=False) == "Answer this only if you chose “Tablet” in question 2."


def test_it_speaks_the_language_of_the_words() -> None:
    words = Translated({DIRECTIONS["is answered"]: "Chỉ trả lời nếu quý vị đã trả lời câu %(number)s."})
    assert (
        format_direction(parse_rule("count is answered"), SURVEY, words) == "Chỉ trả lời nếu quý vị đã trả lời câu 1."
    )


def test_every_shape_has_both_sentences_and_an_opposite() -> None:
    assert set(DIRECTIONS) == set(STATEMENTS)
    assert set(OPPOSITES.values()) - {"includes"} <= set(DIRECTIONS), "includes is worded as is"


def test_in_a_child_s_block_it_speaks_of_the_number_printed_in_that_block() -> None:
    child = Section("c", Words("Child"), repeat="count", maximum=3, questions=SURVEY.section("b").questions)
    survey = Survey("trial", Words("Trial"), Words(""), 5, (SURVEY.sections[0], child))
    text = format_direction(parse_rule("device is tablet"), survey, NullTranslations())
    assert text == "Answer this only if you chose 2 (\u2068Tablet\u2069) in question 2."


def test_a_box_that_is_no_choice_is_named_by_what_stands_beside_it() -> None:
    question = Question("asked", "one", Words("?"), choices=DEVICES, dont_know=True, refuse=True)
    named = [choice_words(question, box, NullTranslations()) for box in answer_boxes(question)]
    assert [each.replace("\u2068", "").replace("\u2069", "") for each in named] == [
        "1 (Laptop)",
        "2 (Tablet)",
        "3 (No device)",
        "4 (I don't know)",
    ]
