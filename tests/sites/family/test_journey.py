"""A family answers, from the language list to the thanks page."""

import json

import pytest

from engage.domain.intake.group_encryption import ResponseGroup
from engage.storage.models.conversations import Message, Thread
from engage.storage.models.responses import Draft, PendingResponse, Response
from tests.people import Family

ALL_KINDS = {
    "children": "2",
    "internet": "yes",
    "speed": "fairly",
    "where": ["library", "work"],
    "child.1.grade": "third",
    "child.2.grade": "  fifth\ngrade ",
    "moved": "2024-02-29",
    "question": "When does\r\nschool start?",
}


def test_every_kind_of_question_arrives_as_one_canonical_document(family, small, stored, groups):
    family.begins(small).walks(ALL_KINDS).sees("fifth grade", "Fairly well", "The library").sends_answers()
    family.sees("Thank you", "November 20, 2026", "You asked the school a question")
    [response] = stored(Response)
    assert response.answers == json.dumps(
        {
            "child": [{"grade": "third"}, {"grade": "fifth grade"}],
            "children": 2,
            "internet": "yes",
            "moved": "2024-02-29",
            "speed": "fairly",
            "where": ["library", "work"],
        },
        sort_keys=True,
        separators=(",", ":"),
    )
    assert (response.wave_id, response.school_id, response.language, response.mode) == ("fall", None, "mul", "mul")
    assert groups() == [ResponseGroup("lincoln", "en", "web", "en")]
    assert [row.response_id for row in stored(PendingResponse)] == [response.id]
    assert stored(Draft) == []


def test_the_question_opens_a_thread_that_shares_nothing_with_the_response(family, small, stored):
    family.begins(small).walks(ALL_KINDS).sends_answers()
    [response], [thread], [message] = stored(Response), stored(Thread), stored(Message)
    assert (thread.kind, thread.wave_id, thread.school_id, thread.language) == ("question", "fall", "lincoln", "en")
    assert message.text == "When does\nschool start?"
    assert "When does" not in response.answers
    own = {response.id, response.submission}
    assert not own & {thread.id, thread.reply_hash, thread.serial, message.id}


def test_a_family_may_leave_everything_open(family, small, stored):
    family.begins(small).walks({}).sees("You skipped this.").sends_answers().sees("Thank you")
    assert [response.answers for response in stored(Response)] == ["{}"]
    assert stored(Thread) == []


def test_dont_know_and_rather_not_are_answers_too(family, small, stored):
    given = {"internet": "~dont_know", "where": ["~refused"], "children~": ["dont_know"]}
    family.begins(small).walks(given).sees("I don't know", "I don't want to answer").sends_answers()
    kept = json.loads(stored(Response)[0].answers)
    assert kept == {
        "children": {"missing": "dont_know"},
        "internet": {"missing": "dont_know"},
        "where": {"missing": "refused"},
    }


def test_home_access_asks_one_page_for_each_child_and_needs_a_school(family, access, stored):
    family.opens("/en/w/access").sees("Which school", "Private. Only the few people")
    family.sends(status=422).sees("Please choose your school")
    family.sends(school="harbor").sees("Part 1 of 2")
    family.answers(children="3", internet="no").sees("Your child (1 of 3)", "Part 2 of 5")
    family.answers({"child.1.device": "laptop", "child.1.owner": "school"})
    family.sees("Your child (2 of 3)").answers({"child.2.device": "none", "child.2.owner": "family"})
    family.sees("Your child (3 of 3)").answers()
    family.sees("Part 5 of 5").answers(help_wanted=["device", "interpreter"], question="")
    family.sees("A laptop", "This child has no device").sends_answers()
    family.sees("You asked for help", "Would you like to ask the school something?")
    [response], [thread], [message] = stored(Response), stored(Thread), stored(Message)
    assert response.school_id == "harbor"
    assert json.loads(response.answers) == {
        "child": [{"device": "laptop", "owner": "school"}, {"device": "none"}],
        "children": 3,
        "help_wanted": ["device", "interpreter"],
        "internet": "no",
    }
    assert (thread.kind, thread.school_id) == ("help", "harbor")
    assert message.text == "A device for a child, Someone who speaks our language"
    assert message.language == "en"


def test_no_help_now_opens_no_thread(family, access, stored):
    family.begins(access, school="lincoln").walks({"children": "1", "help_wanted": ["none"]}).sends_answers()
    assert stored(Thread) == []


def test_both_a_question_and_help_come_under_one_code(family, access, stored):
    given = {"children": "1", "help_wanted": ["repair"], "question": "Who can I call?"}
    family.begins(access, school="lincoln").walks(given).sends_answers().sees("asked for help", "asked the school")
    threads = stored(Thread)
    assert sorted(thread.kind for thread in threads) == ["help", "question"]
    assert len({thread.reply_hash for thread in threads}) == 2
    kept = json.loads(stored(Response)[0].answers)
    assert kept["question"] == "Who can I call?", "a confidential wave keeps it, so that help can follow"


def test_changing_the_language_keeps_place_and_answers(family, small):
    family.begins(small)
    fields = next(family.page.all("form"))
    assert fields.get("action") == "/en/w/fall/1"
    family.answers(children="1", internet="yes").speaks("es")
    assert (family.path, family.language) == ("/es/w/fall/2", "es")
    family.opens("/es/w/fall/1").speaks("ar")
    assert (family.path, family.language) == ("/ar/w/fall/1", "ar")
    assert family.field("children") == "1"
    assert family.field("internet") == "yes"


def test_what_was_typed_but_not_sent_is_kept_when_the_language_changes(family, small):
    family.begins(small)
    form = next(one for one in family.page.all("form") if one.get("id") == "answers")
    family._goes("POST", form.attributes["action"], {"children": "3", "internet": "no", "to": "es"}, 200)
    assert family.language == "es"
    assert family.field("children") == "3"
    assert family.field("internet") == "no"


def test_the_response_carries_the_language_it_was_sent_in(family, small, groups):
    family.begins(small).walks({"internet": "no"}).speaks("es").sends(status=200)
    assert [(group.language, group.answered_in) for group in groups()] == [("es", "es")]


def test_going_back_and_changing_an_answer_leads_back_to_the_last_look(family, small):
    family.begins(small).walks({"internet": "yes", "speed": "well", "children": "0"})
    family.opens("/en/w/fall/1?check").answers(internet="no")
    assert family.path == "/en/w/fall/check"
    family.sees("No").sees_no("How well does it work?")


def test_more_children_lead_through_the_pages_not_seen_yet(family, small):
    family.begins(small).walks({"children": "1", "child.1.grade": "K"})
    family.opens("/en/w/fall/1?check").answers(children="2")
    assert family.path == "/en/w/fall/3?check"
    family.answers({"child.2.grade": "4"})
    assert family.path == "/en/w/fall/check"


def test_someone_who_comes_back_goes_on_where_they_stopped(family, small):
    family.begins(small).answers(children="2").answers({"child.1.grade": "K"})
    family.opens("/en/w/fall").sees("Someone began to answer on this phone").sends(
        button=("Continue with those answers")
    )
    assert family.path.startswith("/en/w/fall/3")


def test_starting_again_begins_with_empty_pages(family, small, stored):
    family.begins(small).answers(children="2").opens("/en/w/fall")
    family.sends(button="Start with new answers")
    assert family.field("children") == ""


def test_only_english_and_the_offered_languages_are_asked(family, small):
    family.opens("/so/w/fall", 404).sees("Español", "العربية").sees_no("Tiếng")


def test_the_first_pages_lead_to_the_survey(family, small):
    family.opens("/").sees("English", "Español", "العربية", "Soomaali", "Tiếng Việt", "简体中文")
    family.opens("/es/")
    assert family.language == "es"
    family.opens("/en/").sees("A small survey", "about 2 minutes")
    links = [link.get("href") for link in family.page.all("a")]
    assert {"/en/w/fall", "/en/c", "/en/reply"} <= set(links)


def test_the_phone_s_language_is_marked_and_nothing_is_chosen(site):
    family = Family(site)
    response = family.client.get("/", headers={"Accept-Language": "ar,en;q=0.5"})
    assert response.text.count('class="yours"') == 1
    assert 'href="/ar/" lang="ar" hreflang="ar" dir="rtl" class="yours"' in response.text
    assert [tag for tag in ("/en/", "/es/", "/ar/") if tag in response.text] == ["/en/", "/es/", "/ar/"]


@pytest.mark.parametrize(
    ("opens", "status", "words"), [("2026-11-01", 403, "not started"), ("2026-09-01", 410, "ended")]
)
def test_a_wave_that_is_not_open_says_so_kindly(site, arrange, opens, status, words):
    from datetime import date, timedelta

    from tests.makers import a_wave

    first = date.fromisoformat(opens)
    arrange(lambda session: a_wave(session, "other", opens=first, closes=first + timedelta(days=20)))
    Family(site).opens("/en/w/other", status).sees(words)


def test_an_unknown_wave_says_so_kindly(family, small):
    family.opens("/en/w/none", 404).sees("We cannot find this survey")
    family.opens("/xx/w/fall", 404)
    family.begins(small).opens("/en/w/fall/99", 404)


def test_a_page_that_this_family_does_not_meet_leads_on(family, small):
    family.begins(small).answers(children="1").opens("/en/w/fall/4")
    assert family.path == "/en/w/fall/6"


def test_many_schools_are_a_list(site, arrange, groups):
    from tests.makers import a_school, a_wave

    arrange(lambda session: a_wave(session, "wide", [a_school(session, f"s{n}", f"School {n}") for n in range(20)]))
    family = Family(site).opens("/en/w/wide").sends(status=422).sees("Please choose your school")
    family.sends(school="s7").walks({}).sends_answers()
    assert [group.school for group in groups()] == ["s7"]


def test_a_school_that_is_not_asked_cannot_be_chosen(family, access):
    family.opens("/en/w/access").sends(school="elsewhere", status=422).sees("Please choose your school")


def test_a_personal_link_in_a_language_that_is_not_offered_keeps_its_code(family, code):
    family.opens(f"/so/c/{code}", 404)
    assert f"/es/c/{code}" in [link.get("href") for link in family.page.all("a")]
