"""Texts of answers and missing answers."""

import ast
import re

import pytest

from engage.base.catalogs import catalogue
from engage.questionnaire.answer_text import (
    AnswerText,
    answer_text,
    box_text,
    chosen_choices,
    missing_text,
    offered_missing_texts,
    own_blank_text,
)
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.model import Question, Words
from engage.questionnaire.question_types import MISSING, answer_boxes
from tests.makers import a_survey
from tests.paths import ENGAGE, modules

SMALL, ACCESS = a_survey(), shipped_survey("home-access", version=1)
TEXTS = {
    "dont_know": "I don't know",
    "refused": "I don't want to answer",
    "unclear": "Could not be read",
    "two_marks": "Two answers marked",
    "blank": "Left blank",
    "not_asked": "Did not get this question",
    "answered": "Wrote an answer",
}


def plain(text: str) -> str:
    return text


@pytest.mark.parametrize(("code", "text"), TEXTS.items())
def test_the_text_of_each_code(code: str, text: str) -> None:
    assert missing_text(code, plain) == text
    assert missing_text(code, catalogue("es").gettext) == catalogue("es").gettext(text) != text


def test_every_missing_answer_has_a_text_and_what_is_none_stays() -> None:
    assert set(MISSING) <= TEXTS.keys()
    assert missing_text("dance", plain) == "dance"


@pytest.mark.parametrize(
    ("question", "value", "text"),
    [
        ("internet", None, AnswerText(())),
        ("internet", "no", AnswerText(("No",))),
        ("internet", {"missing": "refused"}, AnswerText(("I don't want to answer",))),
        ("internet", "perhaps", AnswerText(())),
        ("where", ["work", "library"], AnswerText(("The library", "At work"))),
        ("children", 3, AnswerText(("3",), is_own=True)),
        ("children", {"missing": "two_marks"}, AnswerText(("Two answers marked",))),
        ("moved", "2020-08-01", AnswerText(("2020-08-01",), is_own=True)),
        ("question", "<b>When?</b>", AnswerText(("<b>When?</b>",), is_own=True)),
    ],
)
def test_the_text_of_an_answer(question: str, value: object, text: AnswerText) -> None:
    assert answer_text(SMALL.question(question), value, plain) == text


def test_choices_keep_their_own_language_and_their_order() -> None:
    question = SMALL.question("where")
    assert [each.code for each in chosen_choices(question, ["work", "library"])] == ["library", "work"]
    assert all(isinstance(text, Words) for text in answer_text(question, ["library"], plain).texts)


@pytest.mark.parametrize("question", [question for _, question in ACCESS.questions()], ids=lambda one: one.id)
def test_every_box_of_a_question_has_a_text(question: Question) -> None:
    texts = [box_text(question, box.value, plain) for box in answer_boxes(question)]
    assert all(texts)
    offered = [text for code, text in offered_missing_texts(question, plain) if code != "refused"]
    assert texts[len(question.choices) :] == offered, "nobody marks a refusal on paper"


def test_an_own_answer_left_open_is_spoken_of_to_the_reader() -> None:
    assert own_blank_text(plain) == "You skipped this."


def test_no_other_file_has_these_texts() -> None:
    here = {missing_text(code, plain) for code in TEXTS} | {own_blank_text(plain)}
    for path in modules():
        if path.name != "answer_text.py":
            tree = ast.parse(path.read_text("utf-8"))
            strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            assert not here & {each for each in strings if isinstance(each, str)}, path
    for path in ENGAGE.rglob("*.html"):
        assert not here & set(re.findall(r'_\("([^"]*)"\)', path.read_text("utf-8"))), path
