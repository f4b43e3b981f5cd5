"""Educators and students answer with a code from a slip: what they read, and what stays on a shared device."""

import re
from datetime import date
from random import Random

import pytest
from sqlalchemy import delete
from werkzeug.test import Client

from engage.base.catalogs import survey_catalogues
from engage.domain.security.access_codes import ACCESS_KEY, digest, generate_access_code
from engage.questionnaire.editions import build_edition, translatable_texts
from engage.questionnaire.library import shipped_survey
from engage.sites.family.device_secret import cookie_name
from engage.storage.models.conversations import Message
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import Draft, Response
from engage.storage.models.waves import Wave
from tests.makers import a_slip_wave, a_survey, a_wave
from tests.people import Family

SLUGS = {"educator": "educator-beliefs", "student": "student-voice"}
LANGUAGES = ("en", "es", "ar", "zh-Hans")
OF_FAMILIES = {  # words for families, homes, and children of somebody, and for what only families are offered
    "en": r"famil|househol|\bhome\b|your child|children|immigra|letter(?!s| and digit| or slip)|paper|interpreter|"
    r"reply code",
    "es": r"famili|hogar|hij[oa]|niñ[oa]|su casa|inmigra|carta(?! o papeleta)|en papel|intérprete|leer la respuesta",
    "ar": r"عائل|الأسر|أسرة|أطفال|طفل|بيتكم|الهجرة|ورقي|مترجم|رمز الرد",
    "zh-Hans": r"家庭|家里|家长|孩子|移民|纸质|口译|回复码",
}
WRONG_CODE, UNKNOWN_CODE = "AAAAA-AAAAA", generate_access_code(Random(99))


@pytest.fixture
def pile(arrange, site):
    """Opens a wave of educators or students, and returns the codes of its pile."""
    key = site.family.extensions["engage"].secret(ACCESS_KEY)

    def opened(population, **more):
        codes = [generate_access_code(Random(seed)) for seed in range(70, 82)]
        digests = [digest(each, key) for each in codes]
        arrange(lambda session: a_slip_wave(session, population, digests, languages=LANGUAGES, **more))
        return codes

    return opened


class Answerer(Family):
    """A person with a slip, whose pages are kept as text: of the main part, and of the whole page."""

    def __init__(self, site):
        super().__init__(site)
        self.read = []
        self.whole = []

    def _goes(self, method, path, data, status):
        super()._goes(method, path, data, status)
        if self.response.mimetype == "text/html":
            main = next(self.page.all("main"))
            for_families = [link.text for link in main.all("a") if (link.get("href") or "").endswith("/notice")]
            self.read.append(main.text.replace("".join(for_families), ""))
            self.whole.append(self.page.text)
            assert self.response.headers["Cache-Control"] == "no-store"


def own_words(survey, text):
    """A text without the words of the survey itself."""
    for each in sorted((str(text) for _, text, _ in translatable_texts(survey)), key=len, reverse=True):
        text = text.replace(" ".join(each.split()), "")
    return text


def in_words(population, language):
    """The shipped survey of a population in a language."""
    return build_edition(shipped_survey(SLUGS[population]), survey_catalogues()).survey(language)


def walk_everywhere(person, site, population, language, codes):
    """Open every page that a person with a slip can meet."""
    person.opens(f"/{language}/c")
    for typed, status in (("", 422), (WRONG_CODE, 422), (UNKNOWN_CODE, 404)):
        person.opens(f"/{language}/c").sends(code=typed, status=status)
    person.opens(f"/{language}/c").sends(code=codes[0])
    person.opens(f"/{language}/w/{population}/read")
    person.begins_with(codes[0], language)
    path = f"/{language}/w/{population}"
    person.sends(**({} if population == "student" else {"stop": "1"}))
    person.opens(f"{path}/saved").opens(f"{path}/clear").opens(f"/{language}/c/{codes[0]}")
    person.opens(f"{path}/1").walks({"change_or_keep": "More trees", "school_change": "More time"})
    person.sends()
    person.opens(f"/{language}/c/{codes[0]}", 410)
    person.begins_with(codes[1], language).opens(f"{path}/clear").sends()
    cookieless = Client(site, use_cookies=False)
    begun = cookieless.post(f"/{language}/c/{codes[2]}")
    person.read.append(re.sub(r"<[^>]+>", " ", cookieless.get(begun.location).text.partition("<main")[2]))


@pytest.mark.parametrize(
    ("population", "language"),
    [("educator", "en"), ("educator", "es"), ("student", "en"), ("student", "ar"), ("student", "zh-Hans")],
)
def test_no_page_speaks_to_a_family(site, pile, population, language, stored):
    person = Answerer(site)
    walk_everywhere(person, site, population, language, pile(population))
    survey = in_words(population, language)
    found = {one for text in person.read for one in re.findall(OF_FAMILIES[language], own_words(survey, text), re.I)}
    assert found == set()
    assert len(person.read) > 15
    assert [each.wave_id for each in stored(Response)] == [population]


def test_the_words_for_families_are_found_where_families_answer(site, private):
    for language in ("en", "es", "ar"):
        family = Answerer(site)
        family.begins_with(private[0], language).opens(f"/{language}/c/{private[0]}")
        assert any(re.search(OF_FAMILIES[language], text) for text in family.read), language


def test_an_interpreter_is_offered_to_families_only(site, pile, private):
    codes = pile("student")
    assert "ask for an interpreter" in Answerer(site).opens(f"/en/c/{private[0]}").page.text
    student = Answerer(site).begins_with(codes[0]).walks({}).sends_answers()
    assert not [text for text in student.whole if "interpreter" in text]


@pytest.mark.parametrize(
    ("day", "wave", "says", "status"),
    [
        ((date(2026, 11, 1), date(2026, 11, 30)), "student", "This survey has not started yet", 403),
        ((date(2026, 9, 1), date(2026, 9, 30)), "student", "This survey has ended", 410),
        ((date(2026, 11, 1), date(2026, 11, 30)), "educator", "This survey has not started yet", 403),
        ((date(2026, 9, 1), date(2026, 9, 30)), "educator", "This survey has ended", 410),
    ],
)
def test_before_and_after_its_days_a_code_leads_back_to_the_page_for_codes(
    site, pile, arrange, day, wave, says, status
):
    codes = pile(wave)

    def move(session):
        row = session.get(Wave, wave)
        row.opens, row.closes = day
        row.results_on = None

    arrange(move)
    person = Answerer(site).opens(f"/en/c/{codes[0]}", status).sees(says).follows("Go to the page for codes")
    assert person.path == "/en/c"
    assert not [text for text in person.read if re.search(OF_FAMILIES["en"], text, re.I)]


def test_when_too_many_answer_nobody_is_sent_for_paper_that_is_not_there(site, pile, monkeypatch):
    codes = pile("student")
    Family(site).begins_with(codes[0]).answers(grade_band="grades_3_to_5")
    monkeypatch.setattr("engage.sites.family.draft_limit.max_draft_bytes", lambda: 10)
    site.family.extensions["engage.sites.family"].room_at = float("-inf")
    late = Family(site).opens(f"/en/c/{codes[1]}").sends(status=503)
    late.sees("Nobody's answers are lost. Please come back tomorrow.").sees_no("paper")


# What is said about privacy


@pytest.mark.parametrize(
    ("population", "says"),
    [
        (
            "educator",
            (
                "No names. We do not store your code with your answers.",
                "No one at work can see which answers are yours.",
                "no list says who took which slip",
                "or after 30 days if you choose to keep your answers here.",
            ),
        ),
        (
            "student",
            (
                "No names. We do not store your code with your answers.",
                "Can I get in trouble for an answer?",
                "This is not a test. It does not change your grades.",
                "Do you have a question? Ask your teacher.",
                "One random number. It is gone when you close the browser.",
            ),
        ),
    ],
)
def test_each_reads_about_what_it_could_fear(site, pile, population, says):
    Family(site).opens(f"/en/c/{pile(population)[0]}").sees(*says).sees_no("immigration")


# Stopping


def attributes(response):
    return [part.strip().lower() for one in response.headers.getlist("Set-Cookie") for part in one.split(";")]


def test_an_educator_keeps_answers_and_comes_back_with_the_code(site, pile):
    codes = pile("educator")
    educator = Family(site).opens(f"/en/c/{codes[0]}").sends(keep="1").sends(stop="1", ready_english="very")
    educator.sees("Saved. Come back any time.", "On this phone or computer: type your code again.")
    educator.opens("/en/c").sends(code=codes[0]).sees("Welcome back.").sends(button="Continue where I stopped")
    assert educator.path.startswith("/en/w/educator/1")
    assert [one.get("value") for one in educator.page.all("input") if "checked" in one.attributes] == ["very"]


def test_a_student_keeps_nothing_on_the_device(site, pile, stored):
    codes = pile("student")
    student = Family(site).opens(f"/en/c/{codes[0]}").sees("If you close the browser, you begin again.")
    student.sees_no("Keep my answers")
    begun = student.client.post(f"/en/c/{codes[0]}", data={"keep": "1"})
    asked = student.client.post("/en/w/student/saved")
    assert not [each for each in attributes(begun) + attributes(asked) if each.startswith(("max-age", "expires"))]
    student.opens("/en/w/student/1").sees_no("Save and stop").answers(grade_band="grades_3_to_5")
    student.follows("Stop and clear my answers").sends(button="Clear my answers").sees("Your answers are cleared")
    assert (student.cookie("student"), stored(Draft)) == (None, [])
    student.follows("Go to the page for codes")
    assert student.path == "/en/c"


def test_whoever_stops_without_the_button_is_asked_to_clear(site, pile):
    student = Family(site).begins_with(pile("student")[0])
    student._goes("POST", "/en/w/student/1", {"grade_band": "grades_3_to_5", "stop": "1"}, 200)
    assert student.path == "/en/w/student/clear"


def test_a_pile_names_nobody(pile, stored):
    codes = pile("student")
    rows = stored(Invitation)
    assert len(rows) == len(codes)
    assert {(row.household_id, row.student_id, row.language, row.used_on) for row in rows} == {
        (None, None, "und", None)
    }


# The next person on the same device


@pytest.mark.parametrize("population", ["educator", "student"])
def test_after_sending_no_page_of_the_browser_leads_to_the_answers(site, pile, stored, population):
    codes = pile(population)
    typed = {"change_or_keep": "More trees please", "school_change": "More trees please"}
    person = Family(site).begins_with(codes[0]).walks(typed)
    assert "More trees please" in person.page.text
    person.sends_answers().sees("Thank you. We received your answers.", "Nobody can open your answers here.")
    person.sees_no("reply code", "ask the school", "What families said")
    assert person.response.headers["Clear-Site-Data"] == '"cache"'
    assert person.cookie(population) is None
    assert (stored(Draft), len(stored(Response))) == ([], 1)
    for page in ("1", "4", "check", "saved", "clear", "thanks", "thanks?sent"):
        person.opens(f"/en/w/{population}/{page}")
        assert person.path == "/en/c"
        assert "More trees" not in person.response.text
    person.opens(f"/en/c/{codes[0]}", 410).sees(
        "This code has been used", "If you did not send them, tell your school."
    )


def test_the_next_student_gets_empty_pages_also_if_the_one_before_left_in_the_middle(site, pile, stored):
    codes = pile("student")
    device = Family(site).begins_with(codes[0]).answers(grade_band="grades_3_to_5")
    left = device.cookie("student")
    device.opens("/en/c").sends(code=codes[1]).sees_no("Welcome back").sends()
    assert device.cookie("student") != left
    for number in (1, 2):
        device.opens(f"/en/w/student/{number}")
        assert not [one for one in device.page.all("input") if "checked" in one.attributes]
    device.walks({}).sends_answers().follows("Go to the page for codes")
    assert device.path == "/en/c"
    assert [response.answers for response in stored(Response)] == ["{}"]


@pytest.mark.parametrize("population", ["educator", "student"])
def test_a_browser_is_told_to_put_back_nothing_that_was_typed(site, pile, population):
    """What browsers do with it is tested in tests/journeys/test_shared_device.py."""
    person = Family(site).begins_with(pile(population)[0])
    [form] = [one for one in person.page.all("form") if one.get("id") == "answers"]
    assert form.get("autocomplete") == "off"
    assert "?" not in person.path, "the address after Start stands in the history"


def test_a_code_that_replaced_another_does_not_open_the_draft_on_a_shared_device(site, pile, arrange):
    codes = pile("student")
    device = Family(site).begins_with(codes[0]).answers(grade_band="grades_3_to_5")
    gone = digest(codes[0], site.family.extensions["engage"].secret(ACCESS_KEY))
    arrange(lambda session: session.execute(delete(Invitation).where(Invitation.digest == gone)))
    device.opens(f"/en/c/{codes[1]}").sees_no("Welcome back")


def test_a_cookie_that_someone_kept_opens_no_answers_after_sending(site, pile):
    student = Family(site).begins_with(pile("student")[0]).walks({"change_or_keep": "More trees please"})
    kept = student.cookie("student")
    student.sends_answers()
    other = Family(site)
    other.client.set_cookie(cookie_name("student", secure=False), kept)
    for page in ("1", "check", "saved"):
        other.opens(f"/en/w/student/{page}").sees_no("More trees")


# A survey that asks for questions to the school


def test_a_survey_with_a_question_to_the_school_shows_the_reply_code_once_and_asks_no_more(site, pile, stored):
    codes = pile("educator", survey=a_survey())
    educator = Family(site).begins_with(codes[0]).walks({"question": "When is the meeting?"}).sends_answers()
    educator.sees("You asked the school a question.").sees_no("Would you like to ask the school something?")
    code = educator.reply_code
    assert [message.text for message in stored(Message)] == ["When is the meeting?"]
    assert educator.cookie("educator") is None
    educator.comes_back_with(code).sees("There is no answer for this code yet")


def test_nothing_is_asked_after_sending(site, pile, stored):
    educator = Family(site).begins_with(pile("educator")[0]).walks({})
    kept = educator.cookie("educator")
    educator.sends_answers()
    educator.client.set_cookie(cookie_name("educator", secure=False), kept)
    assert educator.client.post("/en/w/educator/thanks", data={"question": "Why?"}).status_code == 404
    assert stored(Message) == []


def test_a_family_still_gets_its_reply_code(family, arrange):
    arrange(a_wave)
    family.begins("fall").walks({}).sends_answers().sees("Would you like to ask the school something?")
    assert len(family.reply_code.replace(" ", "")) == 16
    assert family.cookie("fall")
