"""The groups with the lowest coverage are listed first, and the terms for coverage."""

from datetime import date
from gettext import NullTranslations
from types import SimpleNamespace

import pytest

from engage.base.catalogs import catalogue
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.model import Question, Words
from engage.services.checkpoints.coverage_wording import households_text, participation_text, share_text
from engage.services.checkpoints.figure_rows import FigureRow
from engage.services.checkpoints.findings import Finding, FindingGroup, FindingLine
from engage.services.checkpoints.least_heard import least_heard_prompts
from engage.services.checkpoints.meeting_packet import coverage_table
from engage.services.checkpoints.report_parts import GroupCoverage, ReportPart
from engage.services.checkpoints.wording import FigureWording

SAID = FigureWording("en", NullTranslations())
REPORT = SimpleNamespace(minimum=5, schools={}, minimum_of=lambda part: 5)


def part(languages, everybody=None, counting="family"):
    """Return a wave for which these numbers (answers, households) of each language are published; None is hidden."""
    groups = tuple(GroupCoverage(code, *told) for code, told in languages.items())
    if everybody is None:
        everybody = tuple(sum(each[at] or 0 for each in languages.values()) for at in (0, 1))
    coverage = {"all": (GroupCoverage(None, *everybody),), "language": groups}
    day = date(2026, 9, 1)
    return ReportPart("w", shipped_survey("home-access", version=1), day, day, None, counting, "everyone", coverage, ())


def prompts(*args, **more):
    return list(least_heard_prompts(part(*args, **more), REPORT, SAID))


def test_languages_from_which_nobody_answered_come_first():
    said = prompts({"ar": (0, 30), "en": (300, 400), "es": (50, 80), "so": (0, 40), "vi": (0, 9)})
    assert "no family that reads one of these languages answered: Somali (0 of 40) and Arabic (0 of 30)." in said[0]
    assert "of the households that read Spanish, 63% answered (50 of 80)." in said[1]
    assert len(said) == 2


def test_hidden_languages_are_named_together_with_what_follows_from_the_rest():
    said = prompts({"ar": (None, 30), "en": (300, 400), "so": (None, 40)}, everybody=(305, 470))
    together = "these languages are counted together: Arabic and Somali. In all, 5 of 70 answered."
    assert f"{together} At least one of these languages has fewer than 5 answers." in said[0]
    assert "English, 75% answered" in said[1]


def test_hidden_households_are_counted_by_what_follows_from_the_rest():
    said = prompts({"ar": (None, None), "en": (300, 400), "so": (None, None)}, everybody=(305, 470))
    assert "these languages are counted together: Arabic and Somali. In all, 5 of 70 answered." in said[0]


def test_nothing_is_said_of_a_wave_without_roster_or_that_is_hidden():
    assert prompts({"ar": (None, None), "en": (300, None), "so": (None, None)}, everybody=(305, None)) == []
    assert prompts({"ar": (None, 30), "en": (None, 400)}, everybody=(None, 430)) == []


def test_more_answers_than_households_are_explained():
    overfull = GroupCoverage("en", 431, 402)
    assert (overfull.share, overfull.percent, overfull.overfull) == (None, None, True)
    assert share_text(overfull, SAID) == "Over 100%: more answers than the roster lists"
    assert share_text(GroupCoverage("en", 402, 402), SAID) == "100%"
    assert share_text(GroupCoverage("en", 5, None), SAID) == "–"
    assert share_text(GroupCoverage("my", 3, 0), SAID).startswith("Over 100%")
    *_, lines, _ = coverage_table("language", (overfull,), REPORT, SAID)
    assert lines == [["English", "431", "402", "Over 100%: more answers than the roster lists"]]


@pytest.mark.parametrize(
    ("band", "text"),
    [({"below": 10}, "fewer than 10"), ({"least": 10}, "10 or more"), ({}, "hidden to protect families"), (None, "–")],
)
def test_households_that_are_not_told_exactly(band, text):
    assert households_text(GroupCoverage("my", None, None, band), SAID) == text


@pytest.mark.parametrize(
    ("everybody", "counting", "text"),
    [
        ((198, 402), "family", "198 of 402 families took part."),
        ((198, None), "", "198 families took part."),
        ((1, None), "", "1 family took part."),
        ((410, 402), "family", "410 families took part."),
        ((198, 402), "student", "We got answers for 198 of 402 students."),
        (
            (198, 402),
            "family_school",
            "We got 198 of 402 possible answers. Each family could answer once for each of its schools.",
        ),
        ((None, 402), "family", "We do not show how many families took part, to protect them."),
    ],
)
def test_families_read_how_many_took_part_of_how_many(everybody, counting, text):
    assert participation_text(part({}, everybody=everybody, counting=counting), REPORT, SAID) == text


def finding(base, answered, children=False, rule=None, apart=("blank",)):
    def line(answer):
        place = ("w", "s", "q", "one", "child" if children else None, "all", None, answer)
        return FindingLine(None, FigureRow(*place, base, answered, 0, None, None, None))

    whole = FindingGroup(None, base, answered, (line("yes"),), tuple(map(line, apart)))
    return Finding(Question("q", "one", Words("Q?"), shown_when=rule), children, whole, {})


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((198, 178), "178 of the 198 families who took part answered this."),
        ((40, 35, False, object()), "This question was for 40 families. 35 of them answered it."),
        ((198, 35, False, object(), ("not_asked",)), "35 of the 198 families who took part answered this."),
        ((300, 280, True), "Answered for 280 of the 300 children that families told us about."),
        ((90, 80, True, object()), "This question was for 90 children. Families answered it for 80 of them."),
        ((None, None), "We do not show how many answered, to protect families."),
    ],
)
def test_those_who_took_part_are_not_called_those_who_were_asked(args, text):
    assert SAID.answered(finding(*args)) == text


@pytest.mark.parametrize("language", ["en", "es", "ar", "so", "vi", "zh-Hans"])
def test_every_language_says_it_with_both_numbers(language):
    said = FigureWording(language, catalogue(language))
    for base in (0, 2, 7, 11, 100, 198):
        for args in ((base, 0), (base, 0, False, object()), (base, 0, True), (base, 0, True, object())):
            text = said.answered(finding(*args))
            assert said.number(base) in text
            assert said.number(0) in text
