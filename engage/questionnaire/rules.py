"""The language of `shown_when`: parsing to a small immutable tree, formatting, and evaluation.

    internet is yes and (device is not none or where_else includes library)
    children >= 2 and not (video is no)

The precedence of or / and / not / ( ) is the usual one. A question answered "I don't know", refused, or unclear counts
as not answered: `is`, `is not`, `includes`, `does not include`, and `< <= > >= =` are then false, and only `is not
answered` is true. `not (q is yes)` is plain negation, so it is true for a blank; write `q is not yes` for "answered,
but not yes".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engage.questionnaire.text_cleaning import quote_value

LENGTH = 500  # characters in one rule
DEPTH = 10  # nesting of parentheses and "not"
TERMS = 40  # comparisons in one rule

AnswerValue = str | int | list[str] | Mapping[str, str]
"""One answer: a code, a text, an ISO date, a number, a list of codes, or {"missing": code} (`question_types`)."""
Answers = Mapping[str, AnswerValue | Sequence[Mapping[str, AnswerValue]]]
"""Answers by question id. Those of a repeated section are one mapping per block, under the section's id."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
RESERVED = frozenset({"and", "or", "not", "is", "includes", "does", "include", "answered"})
CHOICE_OPERATORS = frozenset({"is", "is not"})
LIST_OPERATORS = frozenset({"includes", "does not include"})
NUMBER_OPERATORS = frozenset({"<", "<=", ">", ">=", "="})
_TOKEN = re.compile(r"\s*(?:([a-z][a-z0-9_]*)|(<=|>=|[<>=()])|(-?[0-9]{1,9})(?![0-9A-Za-z_]))")


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison. `operator` is in one of the sets above, or "is answered" or "is not answered" (value None)."""

    name: str
    operator: str
    value: str | int | None = None


@dataclass(frozen=True, slots=True)
class Not:
    rule: "Rule"


@dataclass(frozen=True, slots=True)
class And:
    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Or:
    rules: tuple["Rule", ...]


Rule = Compare | Not | And | Or


class RuleError(ValueError):
    """An invalid rule. The message names the position and what was expected."""


def parse_rule(text: str) -> Rule:
    """Return the tree of a rule. Raises RuleError if it is invalid."""
    if len(text) > LENGTH:
        raise RuleError(f"the rule is longer than {LENGTH} characters")
    reader = _RuleParser(_tokenize(text))
    rule = reader.any_of(0)
    if reader.next is not None:
        raise RuleError(f'"{reader.next}" is not expected here')
    return rule


def comparisons(rule: Rule) -> Iterator[Compare]:
    """Yield every comparison in a rule, left to right."""
    match rule:
        case Compare():
            yield rule
        case Not(inner):
            yield from comparisons(inner)
        case And(rules) | Or(rules):
            for part in rules:
                yield from comparisons(part)


def rule_question_ids(rule: Rule) -> frozenset[str]:
    """Return the ids of the questions that a rule refers to."""
    return frozenset(each.name for each in comparisons(rule))


def evaluate_rule(rule: Rule, answers: Answers, block: Answers | None = None) -> bool:
    """Whether a rule is true. Names are looked up in the block first, then outside it."""
    match rule:
        case Compare():
            return _evaluate_comparison(rule, answers, block or {})
        case Not(inner):
            return not evaluate_rule(inner, answers, block)
        case And(rules):
            return all(evaluate_rule(part, answers, block) for part in rules)
        case Or(rules):
            return any(evaluate_rule(part, answers, block) for part in rules)


def format_rule(rule: Rule) -> str:
    """Return the text of a rule, with only the parentheses it needs: `parse_rule(format_rule(rule)) == rule`."""
    match rule:
        case Compare(name, operator, value):
            return f"{name} {operator}" if value is None else f"{name} {operator} {value}"
        case Not(inner):
            return f"not {format_rule(inner)}" if isinstance(inner, Compare | Not) else f"not ({format_rule(inner)})"
        case And(rules):
            return " and ".join(
                f"({format_rule(part)})" if isinstance(part, And | Or) else format_rule(part) for part in rules
            )
        case Or(rules):
            return " or ".join(
                f"({format_rule(part)})" if isinstance(part, Or) else format_rule(part) for part in rules
            )


def _evaluate_comparison(rule: Compare, answers: Answers, block: Answers) -> bool:
    value = block.get(rule.name, answers.get(rule.name))
    if value is None or isinstance(value, Mapping) or value == []:
        return rule.operator == "is not answered"
    match rule.operator:
        case "is answered":
            return True
        case "is":
            return bool(value == rule.value)
        case "is not":
            return bool(value != rule.value)
        case "includes":
            return isinstance(value, list) and rule.value in value
        case "does not include":
            return isinstance(value, list) and rule.value not in value
        case _:
            return (
                isinstance(value, int)
                and isinstance(rule.value, int)
                and _compare_numbers(rule.operator, value, rule.value)
            )


def _compare_numbers(operator: str, left: int, right: int) -> bool:
    match operator:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "=":
            return left == right
    return False


def _tokenize(text: str) -> list[str]:
    tokens, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise RuleError(f"{quote_value(text[at:].strip()[:12])} cannot be read")
        tokens.append(match.group().strip())
        at = match.end()
    if sum(token in ("is", "includes", "does") or token in NUMBER_OPERATORS for token in tokens) > TERMS:
        raise RuleError(f"the rule has more than {TERMS} comparisons")
    return tokens


class _RuleParser:
    """Recursive descent parser: any_of > all_of > term > comparison."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    @property
    def next(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *expected: str) -> bool:
        if self.next not in expected:
            return False
        self.at += 1
        return True

    def expect(self, expected: str) -> None:
        if not self.take(expected):
            raise RuleError(f'"{expected}" is missing' + (f' before "{self.next}"' if self.next else " at the end"))

    def any_of(self, depth: int) -> Rule:
        rules = [self.all_of(depth)]
        while self.take("or"):
            rules.append(self.all_of(depth))
        return rules[0] if len(rules) == 1 else Or(tuple(rules))

    def all_of(self, depth: int) -> Rule:
        rules = [self.term(depth)]
        while self.take("and"):
            rules.append(self.term(depth))
        return rules[0] if len(rules) == 1 else And(tuple(rules))

    def term(self, depth: int) -> Rule:
        if depth > DEPTH:
            raise RuleError(f"the rule has more than {DEPTH} brackets inside each other")
        if self.take("not"):
            return Not(self.term(depth + 1))
        if self.take("("):
            rule = self.any_of(depth + 1)
            self.expect(")")
            return rule
        return self.comparison()

    def comparison(self) -> Compare:
        name = self.word("a question id")
        operator = self.operator(name)
        if operator in ("is answered", "is not answered"):
            return Compare(name, operator)
        if operator in NUMBER_OPERATORS:
            return Compare(name, operator, self.number(operator))
        return Compare(name, operator, self.word(f'a choice code after "{operator}"'))

    def operator(self, name: str) -> str:
        if self.take("is"):
            operator = "is not" if self.take("not") else "is"
            return f"{operator} answered" if self.take("answered") else operator
        if self.take("does"):
            self.expect("not")
            self.expect("include")
            return "does not include"
        for operator in ("includes", *NUMBER_OPERATORS):
            if self.take(operator):
                return operator
        raise RuleError(f'after "{name}" comes "is", "is not", "includes", "does not include" or one of < <= > >= =')

    def word(self, what: str) -> str:
        token = self.next
        if token is None or token in RESERVED or not NAME.match(token):
            raise RuleError(f"{what} is missing" + (f' before "{token}"' if token else " at the end"))
        self.at += 1
        return token

    def number(self, operator: str) -> int:
        token = self.next
        if token is None or not token.lstrip("-").isdecimal():
            raise RuleError(f'a whole number is missing after "{operator}"')
        self.at += 1
        return int(token)
