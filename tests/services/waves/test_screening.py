from dataclasses import replace
from datetime import date
from gettext import NullTranslations

import pytest

from engage.base.languages import survey_catalogues
from engage.questionnaire.editions import edition_of
from engage.questionnaire.model import Words
from engage.services.waves.screening import (
    AREAS,
    NONE,
    Decision,
    UnknownArea,
    decide,
    decisions,
    item,
    items,
    sentence,
    unscreened,
)
from engage.storage.engine import writing
from tests.makers import a_survey, staff

DAY, LATER = date(2026, 9, 1), date(2026, 9, 2)


def changed(question, **change):
    return item(replace(question, **change))


def test_other_words_choices_or_kinds_need_a_new_decision():
    question = a_survey().question("internet")
    first, *rest = question.choices
    same = item(question)
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
    edition = edition_of(a_survey(), survey_catalogues())
    assert list(items(a_survey())) == list(items(edition.survey("en")))


def test_a_note_asks_nothing():
    kinds = {question.kind for question in items(a_survey()).values()}
    assert "note" not in kinds
    assert "note" in {question.kind for _, question in a_survey().questions()}


def test_a_decision_stays_with_who_made_it_until_it_is_changed(engine):
    digest = item(a_survey().question("internet"))
    with writing(engine) as session:
        one, two = (staff(session, "leader").id for _ in range(2))
        assert decide(session, {digest: Decision("income", "asks who pays")}, one, DAY) == 1
        assert decide(session, {digest: Decision("income", " asks who pays\x00 ")}, two, LATER) == 0
        kept = decisions(session, [digest])[digest]
        assert (kept.area, kept.note, kept.decided_by, kept.decided_on) == ("income", "asks who pays", one, DAY)
        assert decide(session, {digest: Decision(NONE)}, two, LATER) == 1
        kept = decisions(session, [digest])[digest]
        assert (kept.area, kept.note, kept.decided_by, kept.decided_on) == (NONE, "", two, LATER)


def test_an_area_the_law_does_not_name_is_refused(engine):
    with writing(engine) as session, pytest.raises(UnknownArea):
        decide(session, {"a" * 64: Decision("weather")}, None, DAY)


def test_what_nobody_decided_about_is_named_in_order(engine):
    survey = a_survey()
    assert unscreened(survey, set()) == list(items(survey).values())
    with writing(engine) as session:
        decide(session, dict.fromkeys(list(items(survey))[1:], Decision(NONE)), None, DAY)
        assert unscreened(survey, decisions(session, items(survey))) == [next(iter(items(survey).values()))]


def test_there_are_the_eight_areas_of_the_law():
    assert len(AREAS) == 8
    assert all(len(area) <= 20 for area in AREAS)


def test_families_read_a_decision_in_a_sentence():
    words = NullTranslations()
    assert sentence(None, words).startswith("Nobody has checked yet")
    assert sentence(NONE, words).startswith("Checked: this is in none")
    assert "religion" in sentence("religion", words)
