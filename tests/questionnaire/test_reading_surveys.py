"""Survey files: a valid one is read completely, an invalid one is refused with all its problems."""

import re

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from engage.cli.survey import survey as survey_command
from engage.questionnaire.parser import FILE, SurveyProblems, parse_survey, read_survey
from engage.questionnaire.rules import Compare

HEAD = 'slug = "s"\ntitle = "T"\npurpose = "P"\nminutes = 3\n'
CHOICES = 'choices = [{code = "yes", text = "Yes"}, {code = "no", text = "No"}]'
NET = f'{{id = "net", kind = "one", text = "Net?", {CHOICES}}}'


def section(*questions, more=""):
    return f'[[sections]]\nid = "home"\ntitle = "Home"\n{more}\nquestions = [{", ".join(questions)}]\n'


def one(more="", *, id="q", kind="one", choices=CHOICES):
    return f'{{id = "{id}", kind = "{kind}", text = "Q?", {choices}{", " if more and choices else ""}{more}}}'


def plain(kind, more="", *, id="q"):
    return one(more, id=id, kind=kind, choices="")[:-1].rstrip(", ") + "}"


def asked(*questions):
    return HEAD + section(*questions)


CHILDREN = plain("number", "minimum = 0, maximum = 2", id="count")
BLOCK = '[[sections]]\nid = "child"\ntitle = "C"\nrepeat = "count"\nmaximum = 2\nquestions = [' + one(id="dev") + "]\n"

LIAISON = 'population = "liaison"\n'

HOSTILE = {
    "empty": ("", "title is missing or empty"),
    "not TOML": ("slug = ", "end of document: not TOML: Invalid value;"),
    "same key twice": (HEAD + 'slug = "t"\n' + section(NET), "line 5, column 11: not TOML: Cannot overwrite a value;"),
    "nested too deep": ("a = " + "[" * 100_000, "not TOML"),
    "a number of 5000 digits": ("minutes = " + "9" * 5000, "not TOML"),
    "a date that cannot be": ("minutes = 2026-13-45", "not TOML"),
    "NUL": (HEAD.replace('"T"', '"T\\u0000"') + section(NET), "hidden character U+0000"),
    "bidi override": (HEAD.replace('"T"', '"T\\u202e"') + section(NET), "hidden character U+202E"),
    "bidi isolate in a choice": (asked(one(choices=CHOICES.replace("Yes", "Y\\u2067s"))), "U+2067"),
    "too large": ("#" * (FILE + 1), "larger than 1000 kB"),
    "slug with a slash": (asked(NET).replace('"s"', '"../s"'), 'slug "../s" is not allowed'),
    "minutes as text": (asked(NET).replace("minutes = 3", 'minutes = "3"'), "minutes is not a whole number"),
    "minutes too many": (asked(NET).replace("minutes = 3", "minutes = 999"), "minutes is not a whole number from 1"),
    "minutes absent": (asked(NET).replace("minutes = 3\n", ""), "minutes is missing"),
    "minutes true": (asked(NET).replace("minutes = 3", "minutes = true"), "minutes is not a whole number"),
    "title as number": (asked(NET).replace('title = "T"', "title = 7"), "title is not a text"),
    "no sections": (HEAD, "there are no sections"),
    "sections as text": (HEAD + 'sections = "x"', "sections is not a list of tables"),
    "sections of numbers": (HEAD + "sections = [1, 2]", "sections is not a list of tables"),
    "section without questions": (HEAD + section(), "there are no questions"),
    "unknown key": (HEAD + 'puropse = "x"\n' + section(NET), 'key "puropse" is not known; did you mean "purpose"?'),
    "unknown question key": (asked(one("show_when = 1")), 'did you mean "shown_when"?'),
    "unknown kind": (asked(one(kind="scal")), 'kind "scal" is not known; did you mean "scale"?'),
    "kind far from all": (asked(one(kind="zzzzz")), "use one of one, several, scale"),
    "id with capitals": (asked(one(id="Net")), 'id "Net" is not allowed'),
    "id with script": (asked(one(id="<b>")), 'id "<b>" is not allowed'),
    "id too long": (asked(one(id="a" * 41)), "is not allowed"),
    "id a word of the rules": (asked(one(id="answered")), "is a reserved word"),
    "code that would hide the hint": (asked(one(choices=CHOICES.replace('"yes"', '"hint"'))), "is a reserved word"),
    "id used twice": (asked(one(), one()), 'id "q" is used twice'),
    "question named as its section": (asked(one(id="home")), 'id "home" is used twice'),
    "code used twice": (asked(one(choices=CHOICES.replace('"no"', '"yes"'))), 'choice code "yes" is used twice'),
    "two choices read the same": (asked(one(choices=CHOICES.replace('"No"', '"YES"'))), 'two choices read "yes"'),
    "no choices": (asked(plain("one")), "too few choices"),
    "one choice": (asked(one(choices='choices = [{code = "a", text = "A"}]')), "too few choices"),
    "choices as text": (asked(one(choices='choices = "yes"')), "choices is not a list of tables"),
    "choices of a number": (asked(one(kind="number")), "of kind number has choices"),
    "too many choices": (
        asked(one(choices="choices = [" + ", ".join(f'{{code = "c{n}", text = "{n}"}}' for n in range(61)) + "]")),
        "61 choices are too many",
    ),
    "too many questions": (asked(*(one(id=f"q{n}") for n in range(201))), "201 questions are too many"),
    "too many in all": (
        HEAD + "".join(section(*(one(id=f"q{m}_{n}") for n in range(70))).replace("home", f"h{m}") for m in range(3)),
        "210 questions are too many",
    ),
    "exclusive on a scale": (
        asked(one(kind="scale", choices=CHOICES.replace('"Yes"', '"Yes", exclusive = true'))),
        "exclusive does not fit",
    ),
    "empty text": (asked(one().replace('"Q?"', '"  "')), "text is missing or empty"),
    "text too long": (asked(one().replace("Q?", "Q" * 301)), "text is 301 characters long"),
    "minimum above maximum": (asked(plain("number", "minimum = 5, maximum = 2")), "minimum 5 is above maximum 2"),
    "minimum of words": (asked(plain("words", "minimum = 5")), "minimum does not fit the kind words"),
    "a huge maximum": (asked(plain("number", "maximum = 99999999999999")), "maximum is not a whole number"),
    "only notes": (asked(plain("note")), "no question can be answered"),
    "note that offers don't know": (asked(NET, plain("note", "dont_know = true")), "a note has no answer"),
    "dont_know as text": (asked(one('dont_know = "yes"')), "dont_know is not true or false"),
    "asks something unknown": (asked(plain("words", 'asks = "queston"')), 'did you mean "question"?'),
    "asks on the wrong kind": (asked(one('asks = "question"')), 'asks = "question" does not fit'),
    "asks twice": (
        asked(plain("words", 'asks = "question"'), plain("words", 'asks = "question"', id="r")),
        "two questions have asks",
    ),
    "rule that cannot be read": (asked(NET, one('shown_when = "net = yes"')), "a whole number is missing"),
    "rule that is code": (asked(NET, one("shown_when = \"__import__('os')\"")), "cannot be read"),
    "rule with an odd character": (asked(NET, one('shown_when = "net is \\uE000\\n\\n"')), "cannot be read"),
    "key with an odd character": (asked(one('"a\\nb\\u202e" = 1')), "is not known"),
    "rule as number": (asked(NET, one("shown_when = 1")), "shown_when is not a text"),
    "empty rule": (asked(NET, one('shown_when = ""')), "shown_when is empty"),
    "rule about nothing": (asked(NET, one('shown_when = "nat is yes"')), 'no question "nat"; did you mean "net"?'),
    "rule about no choice": (asked(NET, one('shown_when = "net is yess"')), 'no choice "yess"; did you mean "yes"?'),
    "rule looking forward": (asked(one('shown_when = "net is yes"'), NET), 'looks forward to "net"'),
    "rule about itself": (asked(one('shown_when = "q is yes"')), "looks at its own question"),
    "rules in a circle": (
        asked(one('shown_when = "b is yes"', id="a"), one('shown_when = "a is yes"', id="b")),
        'looks forward to "b"',
    ),
    "rule about a note": (asked(plain("note", id="n"), one('shown_when = "n is answered"')), "is a note"),
    "includes on one choice": (asked(NET, one('shown_when = "net includes yes"')), 'use "is" or "is not"'),
    "is on several": (
        asked(one(kind="several", id="p"), one('shown_when = "p is yes"')),
        'use "includes" or "does not include"',
    ),
    "is on a number": (asked(CHILDREN, one('shown_when = "count is two"')), "use < <= > >= or ="),
    "more than on words": (asked(plain("words", id="w"), one('shown_when = "w > 2"')), 'use "is answered"'),
    "rule into a block": (
        HEAD + section(CHILDREN) + BLOCK + section(one('shown_when = "dev is yes"')).replace("home", "end"),
        'looks into the repeated section "child"',
    ),
    "repeat by a choice": (HEAD + section(NET) + BLOCK.replace("count", "net"), "is not a number question"),
    "repeat by nothing": (HEAD + section(NET) + BLOCK, '"count" is not a question'),
    "repeat by what comes later": (HEAD + BLOCK + section(CHILDREN), '"count" comes later'),
    "repeat by itself": (
        HEAD + BLOCK.replace('repeat = "count"', 'repeat = "own"').replace(one(id="dev"), plain("number", id="own")),
        '"own" comes later',
    ),
    "blocks as many as anybody says": (
        HEAD + section(CHILDREN.replace(", maximum = 2", "")) + BLOCK,
        'repeat: "count" has no maximum',
    ),
    "blocks without end": (HEAD + section(CHILDREN) + BLOCK.replace("maximum = 2", "maximum = 21"), "from 1 to 20"),
    "maximum of a single section": (HEAD + section(NET, more="maximum = 3"), "the section is not repeated"),
    "unknown element": (asked(one('element = "InternetAccess"')), 'element "InternetAccess" is not known'),
    "ed_fi without element": (
        asked(one(choices=CHOICES.replace('"Yes"', '"Yes", ed_fi = "true"'))),
        "without an element",
    ),
    "ed_fi not in the standard": (
        asked(one('element = "InternetAccessInResidence"', choices=CHOICES.replace('"Yes"', '"Yes", ed_fi = "yes"'))),
        '"yes" is not a code of InternetAccessInResidence',
    ),
    "implied answer": (
        asked(
            one(
                'element = "InternetAccessTypeInResidence", implied = [{ when = "q is maybe", ed_fi = "None" }]',
            )
        ),
        '"q is maybe" cannot be answered',
    ),
    "implied unreadable": (
        asked(one('element = "InternetAccessTypeInResidence", implied = [{ when = "q = 3", ed_fi = "None" }]')),
        "cannot be read",
    ),
    "at_most of one choice": (asked(one("at_most = 2")), "at_most = 2 does not fit"),
    "mirror": (asked(one('mirrors = "school_fit"')), "cannot be read"),
    "population": ('population = "parent"\n' + asked(one()), "population"),
    "choices for liaisons": (LIAISON + asked(one()), "the kind one does not fit a survey of liaisons"),
    "a number for liaisons": (LIAISON + asked(plain("number")), "the kind number does not fit a survey of liaisons"),
    "a rule for liaisons": (
        LIAISON + asked(plain("words"), plain("words", 'shown_when = "q is answered"', id="r")),
        "asks every question once",
    ),
    "a conversation for liaisons": (LIAISON + asked(plain("words", 'asks = "question"')), "asks every question once"),
    "version": ("version = 0\n" + asked(one()), "version is not a whole number"),
    "scale of nothing": (asked(one()) + '[[scales]]\nid = "s"\ntitle = "S"\nitems = ["q", "x"]\n', "is not a question"),
    "scale of one": (asked(one()) + '[[scales]]\nid = "s"\ntitle = "S"\nitems = ["q"]\n', "at least two"),
    "profiles": (asked(one(choices=CHOICES.replace('"Yes"', '"Yes", profiles = { tx = "Yes" }'))), '"tx" is not known'),
}


def problems(document):
    with pytest.raises(SurveyProblems) as found:
        parse_survey(document if isinstance(document, bytes) else document.encode(), "bad.toml")
    return found.value.problems


@pytest.mark.parametrize(("document", "says"), HOSTILE.values(), ids=HOSTILE)
def test_a_bad_file_is_refused_with_a_sentence(document, says):
    lines = [str(problem) for problem in problems(document)]
    assert any(says in line for line in lines), lines
    for line in lines:
        assert re.fullmatch(r"bad\.toml: [^:;\n]+: [^\n]+; [^\n]+", line), line
        assert line.isprintable()


def test_the_good_parts_of_the_table_are_good():
    assert parse_survey(asked(NET, one('shown_when = "net is yes"')).encode(), "good.toml")
    assert parse_survey((HEAD + section(CHILDREN) + BLOCK).encode(), "good.toml")


@pytest.mark.parametrize("document", [b"\xff\xfe", b'title = "caf\xe9"', b"\xed\xa0\x80", b"\x00" * 10, b"PK\x03\x04"])
def test_bytes_that_are_no_text_are_refused(document):
    assert len(problems(document)) == 1


def test_everything_wrong_is_told_at_once():
    found = problems(asked(one("show_when = 1", kind="scal"), one(id="Bad")) + "x = [[")
    assert len(found) == 1  # the TOML itself is invalid
    found = problems(asked(one("show_when = 1", kind="scal"), one(id="Bad"), one('shown_when = "zz is yes"', id="c")))
    assert len(found) == 4
    assert {problem.place for problem in found} >= {'section "home", question 2', 'section "home", question "c"'}


def test_a_byte_order_mark_and_odd_spacing_are_forgiven():
    survey = parse_survey(b"\xef\xbb\xbf" + asked(one()).replace('"Q?"', '"  Cafe\\u0301?\\n"').encode(), "s.toml")
    assert survey.question("q").text == "Caf\u00e9?"


def test_defaults_by_kind():
    document = asked(one(id="a"), plain("number", id="b"), plain("words", id="c"), plain("date", id="d"))
    survey = parse_survey(document.encode(), "s.toml")
    assert {each.id: (each.dont_know, each.refuse) for _, each in survey.questions()} == {
        "a": (False, False),
        "b": (False, False),
        "c": (False, False),
        "d": (False, False),
    }


def test_a_rule_is_read_into_a_tree():
    survey = parse_survey(asked(NET, one('shown_when = "net is not no"')).encode(), "s.toml")
    assert survey.question("q").shown_when == Compare("net", "is not", "no")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(document):
    with pytest.raises(SurveyProblems):
        parse_survey(document, "any.toml")


_value = st.recursive(
    st.one_of(
        st.integers(), st.booleans(), st.just("one"), st.sampled_from(['"one"', '"q"', '"is"', '""', "1.5", "inf"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["id", "kind", "text", "choices", "code", "shown_when"]), inner, max_size=4),
    ),
    max_leaves=8,
)


def _toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if value == "one" else str(value)


@given(st.lists(_value, max_size=3), st.sampled_from(["sections", "minutes", "title", "slug"]))
def test_any_shape_of_table_is_read_or_refused(values, key):
    document = f"{key} = {_toml(values)}\n" + "[[sections]]\nquestions = 1\n" * (key != "sections")
    with pytest.raises(SurveyProblems):
        parse_survey(document.encode(), "any.toml")


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path):
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(SurveyProblems, match="cannot be read"):
            read_survey(path)


def test_the_command_says_all_problems_of_all_files(tmp_path):
    (tmp_path / "good.toml").write_text(asked(NET))
    (tmp_path / "bad.toml").write_text(asked(one(kind="scal")))
    good, bad = str(tmp_path / "good.toml"), str(tmp_path / "bad.toml")
    run = CliRunner()
    assert run.invoke(survey_command, ["check", good]).exit_code == 0
    result = run.invoke(survey_command, ["check", good, bad, str(tmp_path / "none.toml")])
    assert result.exit_code == 1
    assert result.output.splitlines()[0] == (
        f'{bad}: section "home", question "q": kind "scal" is not known; did you mean "scale"?'
    )
    assert "none.toml: whole file: cannot be read (No such file or directory); look at its name" in result.output
