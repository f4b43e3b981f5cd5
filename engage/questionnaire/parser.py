"""Parser of survey files (TOML). Any invalid or malicious file raises SurveyProblems and never another error."""

import re
import tomllib
from pathlib import Path

from engage.questionnaire.errors import Problem, SurveyProblems, Table, TableReader, describe_place
from engage.questionnaire.model import (
    IDENTITIES,
    POPULATIONS,
    Choice,
    MeasurementScale,
    Question,
    Section,
    Survey,
    Words,
)
from engage.questionnaire.question_parser import LONG, SHORT, parse_name, parse_option, parse_questions
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
BLOCKS = 20
MINUTES = 60

VERSIONS = 99
SURVEY_KEYS = (
    "slug", "title", "purpose", "minutes", "version", "population", "identity", "sensitive", "note", "scales",
    "sections",
)  # fmt: skip
SCALE_KEYS = ("id", "title", "items", "reversed")
SECTION_KEYS = ("id", "title", "intro", "note", "repeat", "maximum", "questions")
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
        version=pad.whole(table, "version", "survey", 1, VERSIONS) or 1,
        population=parse_option(table, "population", POPULATIONS, "survey", pad) or "family",
        identity=parse_option(table, "identity", IDENTITIES, "survey", pad),
        sensitive=pad.truth(table, "sensitive", "survey", False),
        scales=tuple(
            _parse_scale(each, number, pad)
            for number, each in enumerate(pad.tables(table, "scales", "survey", SECTIONS), 1)
        ),
        note=str(pad.text(table, "note", "survey", LONG)),
    )


def _parse_scale(table: Table, number: int, pad: TableReader) -> MeasurementScale:
    place = describe_place("scale", table.get("id"), number)
    pad.known_keys(table, SCALE_KEYS, place)
    return MeasurementScale(
        id=parse_name(table, "id", place, pad),
        title=str(pad.text(table, "title", place, SHORT, required=True)),
        items=pad.texts(table, "items", place, QUESTIONS),
        reversed=pad.texts(table, "reversed", place, QUESTIONS),
    )


def _parse_section(table: Table, number: int, pad: TableReader) -> Section:
    place = describe_place("section", table.get("id"), number)
    pad.known_keys(table, SECTION_KEYS, place)
    if "maximum" in table and "repeat" not in table:
        pad.say(place, "maximum is given but the section is not repeated", "add repeat, or take maximum out")
    questions = pad.tables(table, "questions", place, QUESTIONS)
    return Section(
        id=parse_name(table, "id", place, pad),
        title=pad.text(table, "title", place, SHORT, required=True),
        intro=pad.text(table, "intro", place, LONG),
        questions=tuple(
            question
            for number, each in enumerate(questions, 1)
            for question in parse_questions(each, number, place, pad)
        ),
        repeat=parse_name(table, "repeat", place, pad) if "repeat" in table else None,
        maximum=pad.whole(table, "maximum", place, 1, BLOCKS) or 1,
        note=str(pad.text(table, "note", place, LONG)),
    )
