"""Which pages are shown to a family, compared with the questionnaire's routing."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.pages import build_plan, evaluate_partially
from engage.questionnaire.parser import parse_survey
from engage.questionnaire.routing import slots_on_route
from engage.questionnaire.rules import And, Compare, Not, Or, evaluate_rule, parse_rule

pytestmark = pytest.mark.slow

CROSSING = """
slug = "crossing"
title = "Crossing"
purpose = "Rules over pages."
minutes = 1
[[sections]]
id = "a"
title = "A"
[[sections.questions]]
id = "one"
kind = "one"
dont_know = true
refuse = true
text = "One?"
choices = [{code = "x", text = "X"}, {code = "y", text = "Y"}]
[[sections.questions]]
id = "many"
kind = "several"
dont_know = true
refuse = true
shown_when = "one is x"
text = "Many?"
choices = [{code = "p", text = "P"}, {code = "q", text = "Q"}]
[[sections.questions]]
id = "count"
kind = "number"
dont_know = true
refuse = true
shown_when = "one is not answered or many includes p"
text = "Count?"
minimum = 0
maximum = 3
[[sections]]
id = "b"
title = "B"
[[sections.questions]]
id = "late"
kind = "words"
shown_when = "many includes q and one is x"
text = "Late?"
[[sections]]
id = "kid"
title = "Kid"
repeat = "count"
maximum = 3
[[sections.questions]]
id = "thing"
kind = "one"
dont_know = true
refuse = true
shown_when = "many is answered"
text = "Thing?"
choices = [{code = "s", text = "S"}, {code = "t", text = "T"}]
[[sections.questions]]
id = "more"
kind = "words"
shown_when = "thing is s"
text = "More?"
"""


def plan(survey):
    return build_plan(build_edition(survey, {}))


raws = st.fixed_dictionaries(
    {},
    optional={
        "one": st.sampled_from([["x"], ["y"], ["~refused"], ["wrong"], ["x", "y"]]),
        "many": st.sampled_from([["p"], ["q"], ["p", "q"], ["~dont_know"]]),
        "count": st.sampled_from([["0"], ["1"], ["2"], ["3"], ["9"], ["x"]]),
        "late": st.just(["text"]),
        "kid.1.thing": st.sampled_from([["s"], ["t"]]),
    },
)


@given(raws)
@settings(max_examples=300)
def test_pages_are_those_with_a_question_on_the_route_or_undecided_on_the_page(raw):
    survey = parse_survey(CROSSING.encode(), "crossing")
    answers, _ = assemble_answers(survey, raw)
    on_route = {slot.key for slot in slots_on_route(survey, answers)}
    steps = plan(survey).steps(raw)
    met = {
        slot.key
        for step in steps
        for slot, rule in zip(step.page.slots, step.rules, strict=True)
        if rule is True or (rule is not False and slot.key in on_route)
    }
    assert on_route == met
    assert [step.place for step in steps] == list(range(1, len(steps) + 1))
    assert {step.total for step in steps} == {len(steps)}


def test_an_address_always_means_the_same_questions():
    pages = plan(shipped_survey("home-access", version=1)).pages
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert [(page.section.id, page.block) for page in pages[:3]] == [("home", None), ("child", 1), ("child", 2)]
    assert len({key for page in pages for key in page.keys}) == sum(len(page.slots) for page in pages)


@pytest.mark.parametrize(
    ("children", "pages"), [("1", 3), ("3", 5), ("8", 10), ("", 2), ("0", 2), ("9", 10), ("20", 10), ("21", 2)]
)
def test_one_page_for_each_child(children, pages):
    assert len(plan(shipped_survey("home-access", version=1)).steps({"children": [children]})) == pages


rules = st.recursive(
    st.sampled_from(["a is x", "a is not x", "b includes y", "b is answered", "c > 1", "c is not answered"]).map(
        parse_rule
    ),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=6,
)
WORLD = {"a": [None, "x", "z"], "b": [None, ["y"], ["z"]], "c": [None, 1, 2]}


@given(rules, st.sets(st.sampled_from("abc")))
def test_a_settled_rule_says_what_the_whole_rule_says(rule, undecided):
    for values in product(*WORLD.values()):
        answers = {name: value for name, value in zip(WORLD, values, strict=True) if value is not None}
        known = {name: value for name, value in answers.items() if name not in undecided}
        left = evaluate_partially(rule, known, frozenset(undecided))
        assert (left if isinstance(left, bool) else evaluate_rule(left, answers)) == evaluate_rule(rule, answers)
        if not isinstance(left, bool):
            assert all(each.name in undecided for each in _leaves(left))


def _leaves(rule):
    if isinstance(rule, Compare):
        return [rule]
    parts = [rule.rule] if isinstance(rule, Not) else rule.rules
    return [leaf for part in parts for leaf in _leaves(part)]
