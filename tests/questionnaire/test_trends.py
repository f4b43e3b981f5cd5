"""A trend is shown only where two editions ask the same."""

from dataclasses import replace

import pytest

from engage.base.catalogs import survey_catalogues
from engage.questionnaire.editions import (
    build_edition,
    comparable_questions,
    load_edition,
    question_digest,
    question_digests,
)
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.model import Words


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("family-beliefs", {"easy_to_ask": True, "school_fit": True, "question": True}),
        ("home-access", {"children": True, "internet": True, "owner": True, "question": True}),
    ],
)
def test_version_2_continues_the_questions_with_the_same_words_and_no_other(slug, expected):
    first = build_edition(shipped_survey(slug, version=1), survey_catalogues())
    second = build_edition(shipped_survey(slug), survey_catalogues())
    assert comparable_questions(first, second) == expected


def test_changed_words_or_choices_end_a_trend():
    survey = shipped_survey("family-beliefs")
    edition = build_edition(survey, {})
    section = survey.section("heard")
    asks, *others = section.questions
    for changed in (
        replace(asks, text=Words("How often does the school ask families?")),
        replace(asks, choices=asks.choices[:-1]),
        replace(asks, choices=(replace(asks.choices[0], text=Words("At no time")), *asks.choices[1:])),
        replace(asks, hint=Words("This year.")),
    ):
        sections = (replace(section, questions=(changed, *others)), *survey.sections[1:])
        found = comparable_questions(edition, build_edition(replace(survey, sections=sections), {}))
        assert [id for id, is_same in found.items() if not is_same] == ["asks_first"]


def test_notes_translations_and_the_place_in_the_survey_end_no_trend():
    survey = shipped_survey("family-beliefs")
    turned = replace(survey, sections=survey.sections[::-1], title=Words("Another title"))
    found = comparable_questions(build_edition(survey, survey_catalogues()), build_edition(turned, {}))
    assert all(found.values())
    question = survey.question("asks_first")
    assert question_digest(replace(question, note="other", needs=(), construct="")) == question_digest(question)


def test_the_digests_of_a_stored_edition_stay():
    edition = build_edition(shipped_survey("pulse"), survey_catalogues())
    assert question_digests(load_edition(edition.document)) == question_digests(edition)
