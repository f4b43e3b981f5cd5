"""Anyone can read the whole survey, before and without answering."""

from datetime import date

import pytest

from engage.questionnaire.library import shipped_survey
from engage.services.waves.screening import NONE, Decision, item_digest, store_decisions
from engage.storage.models.responses import Draft
from tests.makers import a_wave, screened

pytestmark = pytest.mark.slow


def test_every_question_and_choice_stands_on_the_page(family, access):
    family.opens("/en/w/access/read")
    for _, question in shipped_survey("home-access", version=1).questions():
        family.sees(str(question.text), *(str(choice.text) for choice in question.choices))


def test_it_says_when_a_question_is_asked(family, access):
    family.opens("/en/w/access/read")
    family.sees("Answer this only if you chose \u2068“Yes”\u2069 in question 2.")
    family.sees("These questions are asked once for each child.")


@pytest.mark.parametrize("language", ["es", "ar"])
def test_it_is_in_the_language_of_its_address(family, access, language):
    family.opens(f"/{language}/w/access/read")
    assert family.language == language
    family.sees_no("Is there internet at home?")


def test_nothing_on_it_is_a_form_and_reading_keeps_nothing(family, access, stored):
    family.opens("/en/w/access/read")
    assert not list(family.page.all("form", "input", "select", "textarea"))
    assert "Set-Cookie" not in family.response.headers
    assert stored(Draft) == []


@pytest.mark.parametrize(
    ("opens", "closes"),
    [(date(2026, 12, 1), date(2026, 12, 2)), (date(2026, 9, 1), date(2026, 9, 2))],
)
def test_it_can_be_read_before_and_after_the_wave(family, arrange, opens, closes):
    arrange(lambda session: a_wave(session, opens=opens, closes=closes, results_on=None))
    family.opens("/en/w/fall/read").sees("Is there internet at home?")


def test_a_wave_with_codes_can_be_read_without_one(family, arrange):
    arrange(lambda session: a_wave(session, entry="code"))
    family.opens("/en/w/fall/read").sees("Is there internet at home?")


def test_each_decision_is_told(family, arrange):
    survey = shipped_survey("home-access", version=1)
    arrange(lambda session: a_wave(session, survey=survey))
    waiting = "Nobody has checked yet"
    family.opens("/en/w/fall/read").sees(waiting)
    arrange(lambda session: screened(session, survey))
    family.opens("/en/w/fall/read").sees("this is in none of the eight areas").sees_no(waiting, "religion")
    question = survey.question("internet")
    arrange(
        lambda session: store_decisions(
            session, {item_digest(question): Decision("religion", "secret note")}, None, date(2026, 9, 1)
        )
    )
    family.opens("/en/w/fall/read").sees("religion: what the child or a parent believes").sees_no("secret note")
    arrange(lambda session: store_decisions(session, {item_digest(question): Decision(NONE)}, None, date(2026, 9, 1)))
    family.opens("/en/w/fall/read").sees_no("religion: what the child or a parent believes")


@pytest.mark.parametrize("wave", ["none", "%00", "%E2%80%AE", "x" * 3000])
def test_an_unknown_wave_is_kindly_refused(family, access, wave):
    family.opens(f"/en/w/{wave}/read", status=404).sees("We cannot find this survey")


def test_a_language_that_is_not_asked_leads_to_those_that_are(family, access):
    family.opens("/vi/w/access/read", status=404)


def test_the_first_page_leads_to_it_and_it_leads_back(family, access):
    family.opens("/en/w/access").follows("Read all the questions first").follows("Go to the first page of this survey")
    assert family.path == "/en/w/access"


def test_before_the_first_day_it_can_be_read(family, arrange):
    arrange(lambda session: a_wave(session, opens=date(2026, 12, 1), closes=date(2026, 12, 2), results_on=None))
    family.opens("/en/w/fall", status=403).follows("Read all questions").sees("Is there internet at home?")


def test_a_survey_on_paper_takes_no_answers_from_a_phone_but_can_be_read(family, arrange, stored):
    def make(session):
        a_wave(session).modes = "paper interview"

    arrange(make)
    family.opens("/en/").sees("There is no survey to answer right now.")
    family.opens("/en/w/fall", status=403).sees("You can answer this survey only at your school")
    assert family.client.post("/en/w/fall", data={"school": "lincoln"}).status_code == 403
    assert stored(Draft) == []
    family.follows("Read all questions").sees("Is there internet at home?")
