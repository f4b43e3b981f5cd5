"""The language of `shown_when`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.questionnaire.rules import (
    DEPTH,
    LENGTH,
    RESERVED,
    And,
    Compare,
    Not,
    Or,
    Rule,
    RuleError,
    evaluate_rule,
    format_rule,
    parse_rule,
    rule_question_ids,
)

word = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True).filter(lambda text: text not in RESERVED)
comparison = st.one_of(
    st.builds(Compare, word, st.sampled_from(["is", "is not", "includes", "does not include"]), word),
    st.builds(Compare, word, st.sampled_from(["<", "<=", ">", ">=", "="]), st.integers(-999, 999)),
    st.builds(Compare, word, st.sampled_from(["is answered", "is not answered"])),
)


def _larger(rules: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
    several = st.lists(rules, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, rules), st.builds(And, several), st.builds(Or, several))


def _depth(rule: Rule) -> int:
    match rule:
        case Not(inner):
            return 1 + _depth(inner)
        case And(parts) | Or(parts):
            return 1 + max(map(_depth, parts))
    return 0


rules = st.recursive(comparison, _larger, max_leaves=6).filter(lambda rule: _depth(rule) <= DEPTH)


@given(rules)
def test_a_rule_can_be_written_and_read_back(rule):
    assert parse_rule(format_rule(rule)) == rule


@given(st.text(max_size=80))
def test_any_text_is_a_rule_or_a_rule_error(text):
    try:
        rule = parse_rule(text)
    except RuleError:
        return
    assert parse_rule(format_rule(rule)) == rule


@given(st.lists(st.sampled_from(["a", "b", "is", "not", "and", "or", "(", ")", "<=", "5", "includes", "answered"])))
def test_any_heap_of_tokens_is_a_rule_or_a_rule_error(tokens):
    try:
        rule = parse_rule(" ".join(tokens))
    except RuleError:
        return
    assert parse_rule(format_rule(rule)) == rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a is b", Compare("a", "is", "b")),
        ("a is not b", Compare("a", "is not", "b")),
        ("a is not answered", Compare("a", "is not answered")),
        ("a>=2", Compare("a", ">=", 2)),
        ("a = -3", Compare("a", "=", -3)),
        (
            "a is b or c is d and e is f",
            Or((Compare("a", "is", "b"), And((Compare("c", "is", "d"), Compare("e", "is", "f"))))),
        ),
        ("not (a is b)", Not(Compare("a", "is", "b"))),
        ("not not a does not include b", Not(Not(Compare("a", "does not include", "b")))),
    ],
)
def test_words_bind_as_one_reads_them(text, rule):
    assert parse_rule(text) == rule


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a question id is missing"),
        ("a", 'after "a" comes'),
        ("a is", "a choice code"),
        ("a is b c", '"c" is not expected'),
        ("a is b and", "a question id is missing"),
        ("(a is b", '")" is missing'),
        ("a is b)", '")" is not expected'),
        ("a does include b", '"not" is missing'),
        ("a < b", "a whole number is missing"),
        ("a = 1.5", "cannot be read"),
        ("a = 1234567890", "cannot be read"),
        ("A is b", "cannot be read"),
        ("a == 1", "a whole number is missing"),
        ("__import__('os')", "cannot be read"),
        ("a is b; c is d", "cannot be read"),
        ("x" * 41 + " is b", "a question id is missing"),
        ("a is b " * LENGTH, "longer than"),
        ("(" * (DEPTH + 1) + "a is b" + ")" * (DEPTH + 1), "more than 10 brackets"),
        ("not " * (DEPTH + 1) + "a is b", "more than 10 brackets"),
        (" or ".join(["a=1"] * 41), "more than 40 comparisons"),
    ],
)
def test_a_wrong_rule_says_what_was_expected(text, says):
    with pytest.raises(RuleError, match="(?i)" + says.replace("(", r"\(").replace(")", r"\)")):
        parse_rule(text)


ANSWERS = {"net": "yes", "places": ["library", "shop"], "count": 3, "gone": {"missing": "dont_know"}, "text": "hello"}


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("net is yes", True),
        ("net is no", False),
        ("net is not no", True),
        ("net is not yes", False),
        ("blank is yes", False),
        ("blank is not yes", False),
        ("gone is yes", False),
        ("gone is not yes", False),
        ("not gone is yes", True),
        ("not blank is yes", True),
        ("places includes shop", True),
        ("places includes car", False),
        ("places does not include car", True),
        ("places does not include shop", False),
        ("blank does not include car", False),
        ("gone does not include car", False),
        ("count >= 3", True),
        ("count > 3", False),
        ("count < 4", True),
        ("count <= 2", False),
        ("count = 3", True),
        ("gone >= 0", False),
        ("blank < 5", False),
        ("text is answered", True),
        ("gone is answered", False),
        ("gone is not answered", True),
        ("blank is not answered", True),
        ("net is not answered", False),
        ("net is no or count = 3", True),
        ("net is yes and count = 2", False),
    ],
)
def test_blank_and_missing_answers_are_not_answers(text, true):
    assert evaluate_rule(parse_rule(text), ANSWERS) is true


def test_a_block_is_asked_before_the_rest():
    rule = parse_rule("device is laptop and net is yes")
    assert evaluate_rule(rule, ANSWERS, {"device": "laptop"})
    assert not evaluate_rule(rule, ANSWERS, {"device": "none"})
    assert not evaluate_rule(rule, ANSWERS)
    assert rule_question_ids(rule) == {"device", "net"}
