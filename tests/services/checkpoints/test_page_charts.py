"""Which breakdowns have a chart, in which language, and what is hidden there."""

from datetime import date
from xml.etree import ElementTree

import pytest

from engage.base.catalogs import catalogue
from engage.questionnaire.model import Choice, Question, Words
from engage.services.checkpoints.figure_rows import FigureRow
from engage.services.checkpoints.findings import Finding, FindingGroup, FindingLine
from engage.services.checkpoints.page_charts import render_chart
from engage.services.checkpoints.report import Report
from engage.services.checkpoints.wording import FigureWording

NAME = "{http://www.w3.org/2000/svg}"
STEPS = (Words("قليلًا", "ar"), Words("Some", "en"), Words("كثيرًا", "ar"))
SCHOOLS = {"oak": 'Oak & "<Elm>"', "ash": "Ash", "fir": "Fir"}


def group(code, counts, answered):
    """Return a group. A count of None is hidden; a share is known if the count and the number who answered are."""
    shares = [count / answered if count is not None and answered else None for count in counts]
    rows = [
        FigureRow("w", "s", "q", "scale", None, "school", code, "c", 9, answered, count, share, share, share)
        for count, share in zip(counts, shares, strict=True)
    ]
    return FindingGroup(
        code, 9, answered, tuple(FindingLine(text, row) for text, row in zip(STEPS, rows, strict=True)), ()
    )


def drawn(*groups, kind="scale", dimension="school", language="en"):
    question = Question("q", kind, Words("How <much>?", "en"), choices=tuple(Choice("c", text) for text in STEPS))
    finding = Finding(question, False, groups[0], {dimension: groups})
    day = date(2026, 10, 1)
    shown = Report("r", "R", day, day, None, None, "leaders", 5, language, SCHOOLS, (), ())
    made = render_chart(finding, dimension, shown, FigureWording(language, catalogue(language)), "w1-q")
    return ElementTree.fromstring(made) if made else None


def texts(root):
    return [each.text for each in root.findall(f"{NAME}text")]


OPEN = group("oak", [2, 3, 5], 10)


def test_a_group_is_drawn_with_how_many_answered():
    root = drawn(OPEN)
    assert texts(root) == [SCHOOLS["oak"], "Answered: 10", *STEPS]
    assert len(root.findall(f"{NAME}rect")) == 6  # three steps, and three of the legend
    assert root.find(f"{NAME}title").text == "Chart of the answers by school: How <much>?"


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        (group("ash", [None, 3, 7], 10), ["Answered: 10", "hidden to protect families"]),
        (group("ash", [2, 3, None], None), ["hidden to protect families"]),
        (group("ash", [0, 0, 0], 0), ["Answered: 0"]),
    ],
)
def test_a_group_that_is_not_wholly_shown_has_no_length(hidden, said):
    root = drawn(OPEN, hidden)
    assert texts(root) == [SCHOOLS["oak"], "Answered: 10", "Ash", *said, *STEPS]
    assert len(root.findall(f"{NAME}rect")) == 6
    assert drawn(hidden) is None


def test_only_scales_by_school_and_language_are_drawn():
    assert drawn(OPEN, kind="one") is None
    assert drawn(group("web", [2, 3, 5], 10), dimension="mode") is None
    assert texts(drawn(group("so", [2, 3, 5], 10), dimension="language"))[0] == "Somali"


def test_each_word_keeps_its_own_language_and_direction():
    found = {each.text: each for each in drawn(OPEN, language="ar").findall(f"{NAME}text")}
    said = {text: (each.get("lang"), each.get("direction")) for text, each in found.items()}
    assert said[SCHOOLS["oak"]] == (None, "rtl")  # a name whose language is unknown
    assert found[SCHOOLS["oak"]].get("unicode-bidi") == "plaintext"
    assert said["Some"] == ("en", "ltr")
    assert said[STEPS[0]] == ("ar", "rtl")
