from dataclasses import replace
from datetime import date
from gettext import NullTranslations

import pytest

from engage.base.catalogs import survey_catalogues
from engage.questionnaire.editions import build_edition
from engage.questionnaire.model import Words
from engage.services.waves.screening import (
    AREAS,
    NONE,
    STATUTE,
    Decision,
    UnknownArea,
    describe_decision,
    find_unscreened_questions,
    item_digest,
    load_decisions,
    screening_items,
    store_decisions,
)
from engage.storage.engine import write_session
from tests.makers import a_survey, staff

DAY, LATER = date(2026, 9, 1), date(2026, 9, 2)


def changed(question, **change):
    return item_digest(replace(question, **change))


def test_other_words_choices_or_kinds_need_a_new_decision():
    question = a_survey().question("internet")
    first, *rest = question.choices
    same = item_digest(question)
    assert changed(question, note="for translators", dont_know=not question.dont_know) == same
    others = {
        changed(question, id="other"),
        changed(question, kind="several"),
        changed(question, text=Words("Is there internet where you sleep?")),
        changed(question, choices=tuple(rest)),
        changed(question, choices=(replace(first, text=Words("Maybe")), *rest)),
        changed(question, choices=(replace(first, code="maybe"), *rest)),
    }
    assert len(others) == 6
    assert same not in others


def test_an_item_is_what_is_asked_in_english_whatever_the_page_speaks():
    edition = build_edition(a_survey(), survey_catalogues())
    assert list(screening_items(a_survey())) == list(screening_items(edition.survey("en")))


def test_a_note_asks_nothing():
    kinds = {question.kind for question in screening_items(a_survey()).values()}
    assert "note" not in kinds
    assert "note" in {question.kind for _, question in a_survey().questions()}


def test_a_decision_stays_with_who_made_it_until_it_is_changed(engine):
    digest = item_digest(a_survey().question("internet"))
    with write_session(engine) as session:
        one, two = (staff(session, "leader").id for _ in range(2))
        assert store_decisions(session, {digest: Decision("income", "asks who pays")}, one, DAY) == 1
        assert store_decisions(session, {digest: Decision("income", " asks who pays\x00 ")}, two, LATER) == 0
        kept = load_decisions(session, [digest])[digest]
        assert (kept.area, kept.note, kept.decided_by, kept.decided_on) == ("income", "asks who pays", one, DAY)
        assert store_decisions(session, {digest: Decision(NONE)}, two, LATER) == 1
        kept = load_decisions(session, [digest])[digest]
        assert (kept.area, kept.note, kept.decided_by, kept.decided_on) == (NONE, "", two, LATER)


def test_an_area_the_law_does_not_name_is_refused(engine):
    with write_session(engine) as session, pytest.raises(UnknownArea):
        store_decisions(session, {"a" * 64: Decision("weather")}, None, DAY)


def test_what_nobody_decided_about_is_named_in_order(engine):
    survey = a_survey()
    assert find_unscreened_questions(survey, set()) == list(screening_items(survey).values())
    with write_session(engine) as session:
        store_decisions(session, dict.fromkeys(list(screening_items(survey))[1:], Decision(NONE)), None, DAY)
        assert find_unscreened_questions(survey, load_decisions(session, screening_items(survey))) == [
            next(iter(screening_items(survey).values()))
        ]


def test_there_are_the_eight_areas_of_the_law():
    assert len(AREAS) == 8
    assert list(STATUTE) == list(AREAS)
    assert STATUTE["family_criticism"] == (
        "critical appraisals of other individuals with whom respondents have close family relationships"
    )
    assert all(len(area) <= 20 for area in AREAS)


def test_families_read_a_decision_in_a_sentence():
    words = NullTranslations()
    assert describe_decision(None, words).startswith("Nobody has checked yet")
    assert describe_decision(NONE, words).startswith("Checked: this is in none")
    assert "religion" in describe_decision("religion", words)
    for area in (None, NONE, "religion"):
        assert "the Protection of Pupil Rights Amendment protects" in describe_decision(area, words)
