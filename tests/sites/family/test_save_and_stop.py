"""Stopping, returning, and leaving nothing on a shared phone; and questions that decide which pages are shown."""

import json
from datetime import timedelta

import pytest

from engage.sites.family.device_secret import cookie_name
from engage.storage.models.responses import Draft, Response
from tests.people import Family

pytestmark = pytest.mark.slow

GO_ON = "Continue without the children's part"


def attributes(response):
    [cookie] = response.headers.getlist("Set-Cookie")
    return [part.strip().lower() for part in cookie.split(";")]


def test_the_secret_ends_with_the_browser_unless_the_family_chooses_otherwise(family, small):
    family.opens("/en/w/fall").sees("If you close the browser, you begin again.")
    begun = family.client.post("/en/w/fall")
    assert not [each for each in attributes(begun) if each.startswith(("max-age", "expires"))]
    kept = family.client.post("/en/w/fall", data={"keep": "1"})
    assert "max-age=2592000" in attributes(kept), "30 days"
    family.opens("/en/w/fall/1").answers(internet="no")
    on = family.client.post("/en/w/fall", data={"go": "1"})
    assert "max-age=2592000" in attributes(on), "going on takes nothing away"
    family.opens("/en/w/fall").sees_no("If you close the browser", "Keep my answers")


@pytest.mark.parametrize("chosen", [False, True])
def test_whoever_stops_reads_how_to_come_back(family, small, today, chosen):
    family.begins(small, **({"keep": "1"} if chosen else {})).sends(stop="1", children="2")
    if not chosen:
        family.sees("Do you want to come back later?", "If you close the browser, you begin again.")
        family.sends(button="Keep my answers on this phone or computer for 30 days")
    family.sees("Saved. Come back any time.", "We keep your answers until October 31, 2026.", "open the same link")
    family.sees_no("type the code", "Close on this phone").sees("Do others use this phone or computer?")
    family.opens("/en/w/fall").sends(button="Continue with those answers")
    assert family.path.startswith("/en/w/fall/1"), "the page that was not finished"
    assert family.field("children") == "2"


def test_the_day_named_is_never_after_the_answers_are_destroyed(site, small, engine, settings, clock):
    from engage.storage.engine import write_session
    from engage.storage.models.waves import Wave

    with write_session(engine) as session:
        session.get(Wave, small).closes += timedelta(days=300)
        session.commit()
    family = Family(site).begins(small, keep="1").sends(stop="1")
    until = clock().date() + timedelta(days=settings.keep_drafts_days)
    family.sees(f"We keep your answers until {until:%B} {until.day}, {until.year}.")


def test_clearing_asks_once_and_destroys_the_draft(family, small, stored):
    family.begins(small).answers(children="2").follows("Clear my answers")
    family.sees("This erases what you answered here. It cannot be undone.").sees_no("another phone")
    family.follows("Go back without clearing")
    assert family.path.startswith("/en/w/fall/2")
    family.follows("Clear my answers").sends(button="Clear my answers")
    family.sees("Your answers are cleared", "None of them were sent")
    assert stored(Draft) == []
    assert family.cookie(small) is None
    assert family.response.headers["Clear-Site-Data"] == '"cache"'


def test_an_anonymous_wave_cannot_be_closed_only_cleared(family, small, stored):
    family.begins(small).answers(children="2")
    family._goes("POST", "/en/w/fall/close", {}, 200)
    family.sees("It cannot be undone")
    assert len(stored(Draft)) == 1


def test_every_page_of_questions_says_how_to_stop_and_to_clear(family, small):
    family.begins(small)
    for page in (1, 2, 6):
        family.opens(f"/en/w/fall/{page}").sees("Save and stop for now", "Clear my answers")
        family.answers(children="1") if page == 1 else None


# A secret that someone else put on the phone


def test_a_secret_planted_on_a_shared_phone_reads_nothing(site, small):
    """Someone who knows the secret of a prepared phone finds no answers with it, before a draft begins and after."""
    for begun_by_stranger in (False, True):
        stranger = Family(site)
        stranger.begins(small)
        planted = stranger.cookie(small)
        if not begun_by_stranger:
            stranger.sends(button="Clear my answers") if False else None
        family = Family(site)
        family.client.set_cookie(cookie_name(small, secure=False), planted)
        family.begins(small).answers(internet="no")
        assert family.cookie(small) != planted
        spy = Family(site)
        spy.client.set_cookie(cookie_name(small, secure=False), planted)
        assert spy.client.get("/en/w/fall/check").status_code == 303
        family.walks({}).sends_answers()
        assert "reply-code" not in spy.client.get("/en/w/fall/thanks").text


def test_answers_that_somebody_began_are_gone_on_with_only_when_asked(site, family, small):
    planted = Family(site).begins(small).answers(children="2").cookie(small)
    family.client.set_cookie(cookie_name(small, secure=False), planted)
    family._goes("POST", "/en/w/fall", {}, 200)
    family.sees("Someone began to answer on this phone.")
    assert family.cookie(small) == planted
    family.sends(button="Start with new answers")
    assert family.cookie(small) != planted
    assert family.field("children") == ""


def test_a_phone_begins_each_survey_with_a_secret_of_its_own(family, small, beliefs):
    family.begins(small).walks({}).sends_answers()
    code = family.reply_code
    family.begins(beliefs)
    assert family.cookie(small) != family.cookie(beliefs)
    family.opens("/en/w/fall/thanks")
    assert family.reply_code == code, "the second survey does not take the first one's reply code away"
    family.sends(button="Clear my information from this phone")
    assert (family.cookie(small), family.cookie(beliefs)) == (None, None)


def test_going_on_does_not_ask_for_the_school_again(family, access):
    family.begins(access, school="harbor").sends(children="1").opens("/en/w/access").sends(
        button="Continue with those answers"
    )
    assert family.path.startswith("/en/w/access/2")


# Questions that decide which pages are shown


def test_a_blank_number_is_asked_for_once_and_never_dropped_in_silence(family, access, stored):
    family.begins(access, school="lincoln").sends(internet="no")
    family.sees("One thing is missing", "Please write a number. We need it to ask about each child.", GO_ON)
    assert family.field("internet") == "no", "what was answered stays"
    family.sends().sees("Other places, and help")
    family.opens("/en/w/access/1").sends()
    family.sees("One thing is missing").sends(children="2").sees("(1 of 2)")


def test_going_on_without_the_part_says_so_by_its_own_button(family, access):
    family.begins(access, school="lincoln").sends().sees("One thing is missing")
    family.sends(button=GO_ON, children="3").sees("Other places, and help")
    assert family.opens("/en/w/access/1").field("children") == ""


def test_asking_from_the_last_look_leads_back_to_it(family, access):
    family.begins(access, school="lincoln").walks({"children": "1"})
    family.opens("/en/w/access/1?check").sends(children=None).sees("One thing is missing").sends()
    assert family.path == "/en/w/access/check"


def test_a_language_chosen_while_asked_asks_in_that_language(family, access):
    family.begins(access, school="lincoln").sends().speaks("es")
    assert family.path.startswith("/es/w/access/1?blank")
    assert "without" in [one.get("name") for one in family.page.all("button")]


@pytest.mark.parametrize(("said", "pages"), [("0", 0), ("1", 1), ("8", 8), ("9", 8), ("20", 8)])
def test_no_to_twenty_children_are_accepted_and_eight_are_asked_about(family, access, stored, said, pages):
    family.begins(access, school="lincoln").answers(children=said)
    if pages:
        family.sees(f"(1 of {pages})")
    (family.sees if int(said) > 8 else family.sees_no)("We ask about 8 children only.")
    family.walks({"child.8.device": "phone"}).sends_answers()
    answers = json.loads(stored(Response)[0].answers)
    assert answers["children"] == int(said)
    assert len(answers.get("child", [])) in (0, 8)


def test_twenty_one_children_are_a_slip(family, access):
    family.begins(access, school="lincoln").sends(children="21").sees("Please write 20 or a smaller number.")


def test_what_is_typed_is_restored_by_the_browser(family, small):
    """Browsers do not restore fields with autocomplete="off" after a failed load and Back."""
    family.begins(small)
    for page in (1, 2):
        family.opens(f"/en/w/fall/{page}")
        fields = [one for one in next(family.page.all("main")).all("input", "textarea") if one.get("type") != "radio"]
        assert not [one.get("name") for one in fields if one.get("autocomplete") == "off"]
        family.answers(children="1") if page == 1 else None
