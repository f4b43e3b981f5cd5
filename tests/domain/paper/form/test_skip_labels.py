"""Skip instructions, compared with the routing rules: `routing.walk_slots` is the oracle for the questions of a
route."""

from collections.abc import Iterator
from dataclasses import replace
from gettext import NullTranslations
from itertools import product
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from engage.domain.paper.form.skip_labels import ONE, SEVERAL, find_jumps, jump_lines
from engage.questionnaire.library import earlier_surveys, shipped_survey
from engage.questionnaire.model import Choice, Question, Section, Survey, Words
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.question_types import RefusedAnswer, answer_boxes, read_answer
from engage.questionnaire.routing import printed_slots, walk_slots
from engage.questionnaire.rules import And, Compare, Not, Or, Rule, parse_rule
from tests.domain.paper.sample import Translated

pytestmark = pytest.mark.slow

SURVEYS = {survey.slug: survey for survey in earlier_surveys()}


def asked(id: str, kind: str = "one", rule: str = "", choices: str = "yes no", **more: Any) -> Question:
    options = tuple(Choice(code, Words(code.title()), code == "none") for code in choices.split())
    options = options if kind in ("one", "several", "scale") else ()
    return Question(id, kind, Words(id), choices=options, shown_when=parse_rule(rule) if rule else None, **more)


def survey_of(*questions: Question) -> Survey:
    return Survey("trial", Words("Trial"), Words(), 5, (Section("only", Words("Only"), questions=questions),))


def lines(survey: Survey, id: str, blocks: int = 2, words: NullTranslations | None = None) -> list[str]:
    slot = next(slot for slot in printed_slots(survey, blocks) if slot.key == id)
    said = jump_lines(survey, words or NullTranslations(), "en_US", slot)
    return [line.replace("\u2068", "").replace("\u2069", "") for line in said]


def test_the_shipped_survey_sends_families_past_what_is_not_for_them() -> None:
    survey = SURVEYS["home-access"]
    assert lines(survey, "internet") == [
        "If you chose 2 (No), go to question 5.",
        "If you chose 3 (I don't know), go to question 6.",
    ]
    assert lines(survey, "child.2.device") == [
        "If you chose 7 (This child has no device) or 8 (I don't know), skip the other questions in “Your child · 2”."
    ]
    leading = {slot.question.id for slot in printed_slots(survey, 1) if lines(survey, slot.key)}
    assert leading == {"internet", "device"}


def test_no_skip_is_printed_for_the_words_of_something_else() -> None:
    """The words are below the question, and say for which choice they are."""
    access, beliefs = shipped_survey("home-access"), shipped_survey("family-beliefs")
    assert lines(access, "no_internet_main") == lines(access, "homework_barriers") == []
    assert lines(beliefs, "trusted_people") == lines(beliefs, "reach_language") == []
    assert lines(access, "internet") == ["If you chose 2 (No) or 3 (I don't know), go to question 5."]


FIRST = asked("q")
SEVERAL_OF = asked("q", "several", choices="a b none")
JUMPS = [
    # questions, and the skips of the first: {keys: target}
    ([FIRST, asked("x", rule="q is yes")], {"2": "end"}),
    ([FIRST, asked("x", rule="q is yes"), asked("y")], {"2": 3}),
    ([FIRST, asked("x", rule="q is no"), asked("y", rule="q is no"), asked("z")], {"1": 4}),
    ([FIRST, asked("x", rule="q is yes"), asked("y", rule="q is no"), asked("z")], {"2": 3}),
    ([FIRST, asked("x", rule="q is yes"), asked("y", rule="x is yes"), asked("z")], {"2": 4}),
    ([FIRST, asked("x", rule="q is yes"), asked("y", rule="x is not answered"), asked("z")], {"2": 3}),
    ([FIRST, asked("x", rule="q is yes"), asked("y", rule="x is not yes"), asked("z")], {"2": 4}),
    ([FIRST, asked("x"), asked("y", rule="q is yes")], {}),
    ([FIRST, asked("x", rule="not (q is no)"), asked("z")], {"2": 3}),
    ([replace(FIRST, dont_know=True), asked("x", rule="q is yes"), asked("z")], {"2 3": 3}),
    ([replace(FIRST, dont_know=True), asked("x", rule="q is not yes"), asked("z")], {"1 3": 3}),
    ([replace(FIRST, dont_know=True), asked("x", rule="q is answered"), asked("z")], {"3": 3}),
    ([replace(FIRST, dont_know=True), asked("x", rule="q is not answered"), asked("z")], {"1 2": 3}),
    ([FIRST, asked("hi", "note"), asked("x", rule="q is yes"), asked("z")], {}),
    ([FIRST, asked("x", rule="q is yes"), asked("hi", "note"), asked("z")], {}),
    ([FIRST, asked("hi", "note", rule="q is yes"), asked("z")], {}),
    ([FIRST, asked("hi", "note", rule="q is yes"), asked("x", rule="q is yes"), asked("z")], {"2": 3}),
    ([SEVERAL_OF, asked("x", rule="q includes b"), asked("z")], {"3": 3}),
    ([SEVERAL_OF, asked("x", rule="q does not include b"), asked("z")], {"2": 3}),
    ([SEVERAL_OF, asked("x", rule="q does not include none"), asked("z")], {"3": 3}),
    ([SEVERAL_OF, asked("x", rule="q includes none"), asked("z")], {"1 2": 3}),
    ([SEVERAL_OF, asked("x", rule="q is not answered"), asked("z")], {"1 2 3": 3}),
    ([asked("q", "number", dont_know=True), asked("x", rule="q > 2"), asked("z")], {"a": 3}),
    ([asked("q", "number"), asked("x", rule="q > 2"), asked("z")], {}),
    ([FIRST, asked("x", rule="q is yes and z is yes")], {"2": "end"}),
    ([FIRST, asked("x", rule="q is yes or z is yes")], {}),
    ([FIRST], {}),
]


@pytest.mark.parametrize(("questions", "expected"), JUMPS)
def test_a_jump_is_said_where_it_is_certain(questions: list[Question], expected: dict[str, int | str]) -> None:
    found = find_jumps(survey_of(*questions), questions[0])
    said = {" ".join(box.key for box in jump.boxes): jump.number or jump.where for jump in found}
    assert said == expected


def test_it_leads_across_sections_and_past_blocks_nobody_is_counted_for() -> None:
    kids, many = (
        asked("kids"),
        Question("many", "number", Words("many"), shown_when=parse_rule("kids is yes"), maximum=3),
    )
    home = Section("home", Words("Home"), questions=(kids, many))
    child = Section("child", Words("Child"), questions=(asked("device"),), repeat="many", maximum=3)
    last = Section("last", Words("Last"), questions=(asked("end"),))
    survey = Survey("trial", Words("Trial"), Words(), 5, (home, child, last))
    assert lines(survey, "kids") == ["If you chose 2 (No), go to question 4."]


def test_a_block_is_never_left_by_a_number_that_stands_in_every_block() -> None:
    survey = SURVEYS["home-access"]
    (jump,) = find_jumps(survey, survey.question("device"))
    assert (jump.where, jump.number) == ("part", 0)


def test_many_choices_are_named_by_their_keys_alone() -> None:
    choices = " ".join(f"c{number}" for number in range(1, 7))
    rule = "q is c6"
    assert lines(survey_of(asked("q", choices=choices), asked("x", rule=rule), asked("z")), "q") == [
        "If you chose 1, 2, 3, 4, or 5, go to question 3."
    ]


def test_the_end_is_a_sentence_of_its_own() -> None:
    assert lines(survey_of(FIRST, asked("x", rule="q is yes")), "q") == [
        "If you chose 2 (No), you are done with the questions: go to the end."
    ]


def test_it_speaks_the_language_of_the_words_and_joins_lists_as_it_does() -> None:
    survey = survey_of(replace(FIRST, dont_know=True), asked("x", rule="q is yes"), asked("z"))
    words = Translated({SEVERAL["question"]: "Si marcó %(choices)s, pase a %(number)s.", "I don't know": "No sé"})
    said = jump_lines(survey, words, "es_US", printed_slots(survey, 1)[0])
    assert said == ["Si marcó 2 (\u2068No\u2069) o 3 (\u2068No sé\u2069), pase a 3."]


def test_both_numbers_of_choices_have_every_sentence() -> None:
    assert set(ONE) == set(SEVERAL)


# --- Any survey: a skip never omits a question that is on the route of an answer document, and is as long as possible.
# All possible documents are generated, so only small surveys are tested.

ANSWERS: dict[str, list[Any]] = {  # in every rule, a blank counts like "I don't know"
    "one": [{"missing": "dont_know"}, "a", "b"],
    "several": [None, ["a"], ["b"], ["a", "b"], ["none"]],
    "number": [None, 0, 1, 2],
}
CODES = {"one": "a b", "several": "a b none", "number": ""}


@st.composite
def comparisons(draw: st.DrawFn, question: Question) -> Compare:
    operators = {
        "one": ["is", "is not"],
        "several": ["includes", "does not include"],
        "number": ["<", "<=", ">", ">=", "="],
    }
    operator = draw(st.sampled_from([*operators[question.kind], "is answered", "is not answered"]))
    if operator.endswith("answered"):
        return Compare(question.id, operator)
    values = [1] if question.kind == "number" else [choice.code for choice in question.choices]
    return Compare(question.id, operator, draw(st.sampled_from(values)))


@st.composite
def rules(draw: st.DrawFn, earlier: list[Question], once: bool) -> Rule:
    """A rule over earlier questions. With `once` each of them occurs only once."""
    many = st.lists(
        st.sampled_from(earlier), min_size=1, max_size=3, unique_by=(lambda each: each.id) if once else None
    )
    parts: list[Rule] = [draw(comparisons(each)) for each in draw(many)]
    parts = [Not(part) if draw(st.booleans()) else part for part in parts]
    whole = parts[0] if len(parts) == 1 else draw(st.sampled_from([And, Or]))(tuple(parts))
    return Not(whole) if draw(st.booleans()) else whole


@st.composite
def trials(draw: st.DrawFn, once: bool = False) -> Survey:
    """A first section, a section asked once or twice per child, and a last section."""
    many = Question("many", "number", Words("many"), minimum=0, maximum=2, dont_know=True)
    met, sections = [many], []
    for name, most, repeat in (("home", 2, None), ("child", 1 if once else 2, "many"), ("last", 2, None)):
        own, questions = list(met), [many] if name == "home" else []
        for number in range(draw(st.integers(0, most))):
            # Rules of which every part can be true independently of the others: then no skip may be too short.
            looked = [each for each in own if not (once and (each.shown_when or (repeat and each is many)))]
            rule = draw(rules(looked, once)) if looked and draw(st.integers(0, 3)) else None
            kind = draw(st.sampled_from(["one", "several"]))
            question = asked(f"{name}_{number}", kind, choices=CODES[kind], dont_know=True)
            questions.append(replace(question, shown_when=rule))
            own.append(questions[-1])
        met += [each for each in questions if repeat is None and each is not many]
        if questions:
            sections.append(Section(name, Words(name), questions=tuple(questions), repeat=repeat, maximum=2))
    return Survey("random", Words("Random"), Words(), 5, tuple(sections))


def documents(survey: Survey, fixed: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every answer document with these answers outside blocks, where all child blocks are equal or one is
    empty."""
    outside = [each for section, each in survey.questions() if section.repeat is None and each.id not in fixed]
    inside = [each for section, each in survey.questions() if section.repeat is not None]
    for given_ in product(*(ANSWERS[each.kind] for each in outside)):
        document = {**fixed, **{each.id: value for each, value in zip(outside, given_, strict=True)}}
        document = {name: value for name, value in document.items() if value is not None}
        number = document.get("many")
        blocks = number if isinstance(number, int) else 0
        for child in product(*(ANSWERS[each.kind] for each in inside)) if blocks else [()]:
            block = {each.id: value for each, value in zip(inside, child, strict=False) if value is not None}
            yield {**document, "child": [dict(block) for _ in range(blocks)]} if blocks else document


def answers_with(question: Question, key: str) -> list[Any]:
    """Return every valid value that has this box marked."""
    value = next(box.value for box in answer_boxes(question) if box.key == key)
    if value.startswith("~"):
        return [{"missing": value[1:]}]
    codes = [choice.code for choice in question.choices]
    raws = [[value]] if question.kind == "one" else [[value, *more] for more in ([], *([each] for each in codes))]
    found = [read_answer(question, raw) for raw in raws]
    return [each for each in found if not isinstance(each, RefusedAnswer)]


def passed(survey: Survey, question: Question, where: str, number: int) -> set[str]:
    """Return the ids of the questions between a question and the target of a skip from it."""
    home = next(section for section, each in survey.questions() if each.id == question.id)
    numbered = question_numbers(survey)
    last = number - 1 if where == "question" else len(numbered)
    inside = {each.id for each in home.questions} if where == "part" else set(numbered)
    return {id for id, each in numbered.items() if numbered[question.id] < each <= last and id in inside}


def met_in(survey: Survey, document: dict[str, Any]) -> set[str]:
    return {slot.question.id for slot, on_route in walk_slots(survey, document) if on_route}


@settings(max_examples=50, deadline=None)
@given(survey=trials())
def test_no_answer_document_meets_a_question_that_a_jump_passes_over(survey: Survey) -> None:
    check_what_jumps_pass_over(survey)


@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(survey=trials())
def test_no_answer_document_of_many_surveys_meets_a_question_passed_over(survey: Survey) -> None:
    check_what_jumps_pass_over(survey)


def check_what_jumps_pass_over(survey: Survey) -> None:
    for section, question in survey.questions():
        for jump in find_jumps(survey, question):
            event(f"{'block' if section.repeat else 'home'}: {jump.where}")
            over = passed(survey, question, jump.where, jump.number)
            assert over, "it passes over something"
            for box in jump.boxes:
                for value in answers_with(question, box.key):
                    for document in with_answer(survey, section, question, value):
                        met = met_in(survey, document)
                        assert question.id not in met or not met & over, (question.id, box, jump, document)


def with_answer(survey: Survey, section: Section, question: Question, value: Any) -> Iterator[dict[str, Any]]:
    if section.repeat is None:
        yield from documents(survey, {question.id: value})
        return
    for document in documents(survey, {}):
        if "child" in document:
            yield {**document, "child": [{**block, question.id: value} for block in document["child"]]}


@settings(max_examples=150, deadline=None)
@given(survey=trials(once=True))
def test_a_jump_goes_as_far_as_it_can(survey: Survey) -> None:
    """The target of a box (the next question, if there is no skip) is on the route of at least one document with that
    answer."""
    numbered = question_numbers(survey)
    for section, question in survey.questions():
        leads = {box.key: jump for jump in find_jumps(survey, question) for box in jump.boxes}
        for box in answer_boxes(question):
            jump = leads.get(box.key)
            number = jump.number if jump else numbered[question.id] + 1
            target = next((id for id, each in numbered.items() if each == number), None)
            if (
                target is None
                or question.shown_when
                or (section.repeat and target not in {each.id for each in section.questions})
            ):
                continue
            event("jump" if jump else "no jump")
            given_ = answers_with(question, box.key)
            tried = (each for value in given_ for each in with_answer(survey, section, question, value))
            assert any({question.id, target} <= met_in(survey, each) for each in tried), (question.id, box, target)
