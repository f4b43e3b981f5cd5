"""Parser of survey files (TOML). Any invalid or malicious file raises SurveyProblems and never another error."""

import re
import tomllib
from pathlib import Path

from engage.questionnaire.errors import Problem, SurveyProblems, Table, TableReader, describe_place, suggest_name
from engage.questionnaire.model import ASKS, CHOICE_KINDS, KINDS, Choice, Question, Section, Survey, Words
from engage.questionnaire.rules import NAME, RESERVED, Rule, RuleError, parse_rule
from engage.questionnaire.text_cleaning import quote_value
from engage.questionnaire.validation import check_survey

__all__ = [
    "Choice",
    "Problem",
    "Question",
    "Section",
    "Survey",
    "SurveyProblems",
    "Words",
    "parse_survey",
    "read_survey",
]

FILE = 1_000_000  # bytes
SECTIONS = 40
QUESTIONS = 200
CHOICES = 33  # with "I don't know" and "I don't want to answer" 35 boxes: one key each, 1-9 and a-z
BLOCKS = 20
MINUTES = 60
LARGEST = 999_999_999  # the largest number a question accepts
SHORT, LONG = 200, 1000  # characters

SURVEY_KEYS = ("slug", "title", "purpose", "minutes", "note", "sections")
SECTION_KEYS = ("id", "title", "intro", "note", "repeat", "maximum", "questions")
QUESTION_KEYS = (
    "id", "kind", "text", "hint", "note", "choices", "minimum", "maximum", "unit", "shown_when", "dont_know", "refuse",
    "element", "dont_know_ed_fi", "skipped_ed_fi", "asks",
)  # fmt: skip
CHOICE_KEYS = ("code", "text", "exclusive", "ed_fi", "note")
_SLUG = re.compile(r"[a-z][a-z0-9-]{0,59}\Z")


def read_survey(path: Path) -> Survey:
    """Return the survey in a TOML file. Raises SurveyProblems with all problems of the file."""
    try:
        with path.open("rb") as opened:
            document = opened.read(FILE + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise _single_problem(
            str(path), "whole file", f"cannot be read ({why})", "look at its name and its permissions"
        ) from None
    return parse_survey(document, str(path))


def parse_survey(document: bytes, file: str) -> Survey:
    """Return the survey in the content of a TOML file. `file` is its name in messages. Raises SurveyProblems."""
    pad = TableReader(file)
    survey = _parse_survey_table(_parse_toml(document, file), pad)
    check_survey(survey, pad)
    if pad.problems:
        raise SurveyProblems(pad.problems)
    return survey


def _parse_toml(document: bytes, file: str) -> Table:
    if len(document) > FILE:
        raise _single_problem(
            file, "whole file", f"larger than {FILE // 1000} kB", "a survey is never that long: make it shorter"
        )
    try:
        return tomllib.loads(document.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _single_problem(file, f"byte {error.start + 1}", "not UTF-8", "save the file as UTF-8") from None
    except (ValueError, RecursionError, OverflowError) as error:
        what = "nested too deep" if isinstance(error, RecursionError) else str(error)
        what, at, where = what.partition(" (at ")
        place = where.rstrip(")") if at else "whole file"
        raise _single_problem(file, place, f"not TOML: {what}", "see the shipped surveys for the form") from None


def _single_problem(file: str, place: str, what: str, do: str) -> SurveyProblems:
    return SurveyProblems([Problem(file, place, what, do)])


def _parse_survey_table(table: Table, pad: TableReader) -> Survey:
    pad.known_keys(table, SURVEY_KEYS, "survey")
    slug = pad.text(table, "slug", "survey", 60, required=True)
    if slug and not _SLUG.match(slug):
        pad.say(
            "survey", f"slug {quote_value(slug)} is not allowed", "use small letters a-z, digits and -, a letter first"
        )
    minutes = pad.whole(table, "minutes", "survey", 1, MINUTES)
    if "minutes" not in table:
        pad.say("survey", "minutes is missing", "write minutes = 5")
    sections = pad.tables(table, "sections", "survey", SECTIONS)
    return Survey(
        slug=str(slug),
        title=pad.text(table, "title", "survey", SHORT, required=True),
        purpose=pad.text(table, "purpose", "survey", LONG, required=True),
        minutes=minutes or 1,
        sections=tuple(_parse_section(each, number, pad) for number, each in enumerate(sections, 1)),
        note=str(pad.text(table, "note", "survey", LONG)),
    )


def _parse_section(table: Table, number: int, pad: TableReader) -> Section:
    place = describe_place("section", table.get("id"), number)
    pad.known_keys(table, SECTION_KEYS, place)
    if "maximum" in table and "repeat" not in table:
        pad.say(place, "maximum is given but the section is not repeated", "add repeat, or take maximum out")
    questions = pad.tables(table, "questions", place, QUESTIONS)
    return Section(
        id=_parse_name(table, "id", place, pad),
        title=pad.text(table, "title", place, SHORT, required=True),
        intro=pad.text(table, "intro", place, LONG),
        questions=tuple(_parse_question(each, number, place, pad) for number, each in enumerate(questions, 1)),
        repeat=_parse_name(table, "repeat", place, pad) if "repeat" in table else None,
        maximum=pad.whole(table, "maximum", place, 1, BLOCKS) or 1,
        note=str(pad.text(table, "note", place, LONG)),
    )


def _parse_question(table: Table, number: int, section: str, pad: TableReader) -> Question:
    place = f"{section}, {describe_place('question', table.get('id'), number)}"
    pad.known_keys(table, QUESTION_KEYS, place)
    kind = _parse_option(table, "kind", KINDS, place, pad) or _guess_kind(table)
    offered = kind in CHOICE_KINDS or kind == "number"
    choices = pad.tables(table, "choices", place, CHOICES)
    return Question(
        id=_parse_name(table, "id", place, pad),
        kind=kind,
        text=pad.text(table, "text", place, LONG if kind == "note" else 300, required=True),
        hint=pad.text(table, "hint", place, 300),
        choices=tuple(_parse_choice(each, number, place, pad) for number, each in enumerate(choices, 1)),
        minimum=pad.whole(table, "minimum", place, -LARGEST, LARGEST),
        maximum=pad.whole(table, "maximum", place, -LARGEST, LARGEST),
        unit=pad.text(table, "unit", place, 40),
        shown_when=_parse_shown_when(table, place, pad),
        dont_know=pad.truth(table, "dont_know", place, offered),
        refuse=pad.truth(table, "refuse", place, offered),
        element=pad.text(table, "element", place, 60) or None,
        dont_know_ed_fi=pad.text(table, "dont_know_ed_fi", place, 60) or None,
        skipped_ed_fi=pad.text(table, "skipped_ed_fi", place, 60) or None,
        asks=_parse_option(table, "asks", ASKS, place, pad) if "asks" in table else None,
        note=str(pad.text(table, "note", place, LONG)),
    )


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
        code=_parse_name(table, "code", place, pad),
        text=pad.text(table, "text", place, SHORT, required=True),
        exclusive=pad.truth(table, "exclusive", place, False),
        ed_fi=pad.text(table, "ed_fi", place, 60) or None,
        note=str(pad.text(table, "note", place, LONG)),
    )


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


def _parse_name(table: Table, key: str, place: str, pad: TableReader) -> str:
    name = str(pad.text(table, key, place, 40, required=True))
    if name in RESERVED or name == "hint":  # "survey/question/hint" is the translation context of the hint
        pad.say(place, f'{key} "{name}" is a reserved word', "choose another")
    elif name and not NAME.match(name):
        pad.say(
            place, f"{key} {quote_value(name)} is not allowed", "use small letters a-z, digits and _, a letter first"
        )
    return name


def _parse_option(table: Table, key: str, options: tuple[str, ...], place: str, pad: TableReader) -> str | None:
    value = pad.text(table, key, place, 1000, required=True)
    if value and value not in options:
        pad.say(place, f"{key} {quote_value(value)} is not known", suggest_name(value, options))
    return str(value) if value in options else None
