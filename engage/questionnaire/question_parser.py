"""Parser of the questions of a survey file, with their choices."""

import re
from collections.abc import Iterator

from engage.questionnaire.errors import Table, TableReader, describe_place, suggest_name
from engage.questionnaire.model import ASKS, KINDS, PROFILES, Choice, ImpliedCode, Question
from engage.questionnaire.rules import NAME, RESERVED, Compare, Rule, RuleError, parse_rule
from engage.questionnaire.text_cleaning import quote_value

CHOICES = 33  # with "I don't know" and "I don't want to answer" 35 boxes: one key each, 1-9 and a-z
LARGEST = 999_999_999  # the largest number a question accepts
SHORT, LONG = 200, 1000  # characters
QUESTION_KEYS = (
    "id", "kind", "text", "hint", "note", "choices", "minimum", "maximum", "unit", "shown_when", "dont_know", "refuse",
    "at_most", "element", "implied", "asks", "mirrors", "construct", "source", "needs",
)  # fmt: skip
IMPLIED_KEYS = ("when", "ed_fi")
CHOICE_KEYS = ("code", "text", "exclusive", "write_in", "ed_fi", "profiles", "note")
_WHEN = re.compile(r"([a-z][a-z0-9_]{0,39}) is ([a-z][a-z0-9_]{0,39})\Z")
_MIRROR = re.compile(r"[a-z][a-z0-9-]{0,59}/[a-z][a-z0-9_]{0,39}\Z")


def parse_questions(table: Table, number: int, section: str, pad: TableReader) -> Iterator[Question]:
    """Yield a question, and for each choice with `write_in` a question for the words, shown if it is chosen."""
    question = _parse_question(table, number, section, pad)
    yield question
    place = f"{section}, {describe_place('question', question.id, number)}"
    for choice in pad.tables(table, "choices", place, CHOICES):
        text, code = pad.text(choice, "write_in", place, SHORT), choice.get("code")
        if text and isinstance(code, str) and NAME.match(code):
            operator = "includes" if question.kind == "several" else "is"
            rule = Compare(question.id, operator, code)
            note = f'Below "{question.text}", if "{choice.get("text")}" is chosen. {choice.get("note", "")}'.strip()
            id = f"{question.id}_{code}"[:40]
            yield Question(id, "words", text, shown_when=rule, write_in_of=question.id, note=note)


def _parse_question(table: Table, number: int, section: str, pad: TableReader) -> Question:
    place = f"{section}, {describe_place('question', table.get('id'), number)}"
    pad.known_keys(table, QUESTION_KEYS, place)
    kind = parse_option(table, "kind", KINDS, place, pad) or _guess_kind(table)
    choices = pad.tables(table, "choices", place, CHOICES)
    return Question(
        id=parse_name(table, "id", place, pad),
        kind=kind,
        text=pad.text(table, "text", place, LONG if kind == "note" else 300, required=True),
        hint=pad.text(table, "hint", place, 300),
        choices=tuple(_parse_choice(each, number, place, pad) for number, each in enumerate(choices, 1)),
        minimum=pad.whole(table, "minimum", place, -LARGEST, LARGEST),
        maximum=pad.whole(table, "maximum", place, -LARGEST, LARGEST),
        unit=pad.text(table, "unit", place, 40),
        shown_when=_parse_shown_when(table, place, pad),
        dont_know=pad.truth(table, "dont_know", place, False),
        refuse=pad.truth(table, "refuse", place, False),
        at_most=pad.whole(table, "at_most", place, 2, CHOICES),
        element=pad.text(table, "element", place, 60) or None,
        implied=tuple(_parse_implied(each, place, pad) for each in pad.tables(table, "implied", place, CHOICES)),
        asks=parse_option(table, "asks", ASKS, place, pad),
        mirrors=_parse_mirror(table, place, pad),
        construct=str(pad.text(table, "construct", place, SHORT)),
        source=str(pad.text(table, "source", place, SHORT)),
        needs=pad.texts(table, "needs", place, CHOICES),
        note=str(pad.text(table, "note", place, LONG)),
    )


def _parse_implied(table: Table, place: str, pad: TableReader) -> ImpliedCode:
    pad.known_keys(table, IMPLIED_KEYS, place)
    when, ed_fi = (
        pad.text(table, "when", place, SHORT, required=True),
        pad.text(table, "ed_fi", place, 60, required=True),
    )
    match = _WHEN.match(when)
    if when and not match:
        pad.say(place, f"when {quote_value(when)} cannot be read", 'write it like "internet is no"')
    return ImpliedCode(match[1] if match else "", match[2] if match else "", str(ed_fi))


def _parse_mirror(table: Table, place: str, pad: TableReader) -> str | None:
    mirror = pad.text(table, "mirrors", place, SHORT)
    if mirror and not _MIRROR.match(mirror):
        pad.say(place, f"mirrors {quote_value(mirror)} cannot be read", 'write it like "family-beliefs/school_fit"')
    return str(mirror) or None


def _guess_kind(table: Table) -> str:
    """Return the probable kind of a question whose kind is invalid, so that one mistake is not reported several
    times."""
    if "choices" in table:
        return "several" if "exclusive" in str(table["choices"]) else "one"
    return "number" if table.keys() & {"minimum", "maximum", "unit"} else "words"


def _parse_choice(table: Table, number: int, question: str, pad: TableReader) -> Choice:
    place = f"{question}, {describe_place('choice', table.get('code'), number)}"
    pad.known_keys(table, CHOICE_KEYS, place)
    return Choice(
        code=parse_name(table, "code", place, pad),
        text=pad.text(table, "text", place, SHORT, required=True),
        exclusive=pad.truth(table, "exclusive", place, False),
        ed_fi=pad.text(table, "ed_fi", place, 60) or None,
        profiles=_parse_profiles(table, place, pad),
        note=str(pad.text(table, "note", place, LONG)),
    )


def _parse_profiles(table: Table, place: str, pad: TableReader) -> tuple[tuple[str, str], ...]:
    values = table.get("profiles", {})
    if not isinstance(values, dict):
        pad.say(place, "profiles is not a table", 'write profiles = { mn = "...", ny = "..." }')
        return ()
    pad.known_keys(values, PROFILES, f"{place}, profiles")
    return tuple((state, str(pad.text(values, state, place, SHORT))) for state in PROFILES if state in values)


def _parse_shown_when(table: Table, place: str, pad: TableReader) -> Rule | None:
    text = pad.text(table, "shown_when", place, 10_000)
    if "shown_when" not in table or not text:
        if table.get("shown_when") == "":
            pad.say(place, "shown_when is empty", "take it out, or write a rule")
        return None
    try:
        return parse_rule(text)
    except RuleError as error:
        pad.say(
            place, f"shown_when {quote_value(text)}: {error}", 'write it like "internet is yes and device is not none"'
        )
        return None


def parse_name(table: Table, key: str, place: str, pad: TableReader) -> str:
    name = str(pad.text(table, key, place, 40, required=True))
    if name in RESERVED or name == "hint":  # "survey/question/hint" is the translation context of the hint
        pad.say(place, f'{key} "{name}" is a reserved word', "choose another")
    elif name and not NAME.match(name):
        pad.say(
            place, f"{key} {quote_value(name)} is not allowed", "use small letters a-z, digits and _, a letter first"
        )
    return name


def parse_option(table: Table, key: str, options: tuple[str, ...], place: str, pad: TableReader) -> str | None:
    """The value of a key with fixed values; None if it is invalid, or missing (only `kind` is required)."""
    if key not in table and key != "kind":
        return None
    value = pad.text(table, key, place, 1000, required=True)
    if value and value not in options:
        pad.say(place, f"{key} {quote_value(value)} is not known", suggest_name(value, options))
    return str(value) if value in options else None
