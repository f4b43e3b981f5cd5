"""Families read what their child would be asked, and how to say no."""

from dataclasses import replace
from datetime import date
from io import BytesIO

import pypdfium2
import pytest

from engage import create_app
from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.domain.paper.typesetting.fonts import MissingFont
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey, shipped_surveys
from engage.services.waves.screening import AREAS, Decision, item_digest, store_decisions
from engage.sites.family import student_survey_notice as module
from engage.sites.family.code_attempts import Tries
from engage.storage.models.responses import Draft
from tests.axe import in_both_languages, look
from tests.conftest import close
from tests.makers import a_school, a_wave, screened
from tests.people import Family

pytestmark = pytest.mark.slow

ALL = tuple(LANGUAGES)
LINK = "Notice to families about this survey, and how to say no"
HOSTILE = '<script>alert("x")</script> & {{ 7*7 }} %(day)s'


def a_student_wave(session, id="voice", schools=(), opens=date(2026, 11, 2), closes=date(2026, 11, 20)):
    """Add a wave that asks students, with codes."""
    survey = shipped_survey("student-voice")
    wave = a_wave(session, id, schools, survey, opens=opens, closes=closes, entry="code", languages=ALL)
    wave.modes, wave.counting = "web", "student"
    screened(session, survey)
    return wave


def decide(session, question, area):
    """Store another screening decision about a question."""
    item = item_digest(shipped_survey("student-voice").question(question))
    store_decisions(session, {item: Decision(area)}, None, date(2026, 9, 1))


@pytest.fixture
def voice(arrange):
    """A survey of students at one of two schools, three weeks before its first day."""

    def make(session):
        a_school(session, "harbor", "Harbor Middle School")
        a_student_wave(session)

    arrange(make)
    return "voice"


def pdf_link(family):
    return next((link for link in family.page.all("a") if (link.get("href") or "").endswith("/notice.pdf")), None)


def words(pdf):
    document = pypdfium2.PdfDocument(BytesIO(pdf))
    text = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return " ".join(text.split())


@pytest.mark.parametrize("language", ALL)
def test_every_question_and_choice_is_on_it_in_the_language_of_its_address(family, voice, language):
    family.opens(f"/{language}/w/voice/notice")
    assert family.language == language
    survey = build_edition(shipped_survey("student-voice"), survey_catalogues()).survey(language)
    family.sees(survey.title, survey.purpose)
    for _, question in survey.questions():
        family.sees(question.text, *(choice.text for choice in question.choices))
    if language != "en":
        family.sees_no("How to say no", "Students choose one")
        family.sees("I do not want my child to take part")  # the office reads it


def test_it_says_when_where_and_how_to_say_no(family, voice):
    family.opens("/en/w/voice/notice")
    family.sees("Students can answer from November 2, 2026 to November 20, 2026. It takes about 4 minutes.")
    family.sees("Students of these schools are asked: Lincoln Elementary.")
    family.sees("tell your school's office by October 30, 2026, or call 555 0100.")
    family.sees("Saying no has no effect on your child's grades or services.")
    family.sees("None of them is about one of these areas.")


def test_all_schools_of_the_district_are_not_listed(family, arrange):
    def make(session):
        closed = a_school(session, "old", "Old School")
        closed.active = False
        a_student_wave(session, schools=[a_school(session), a_school(session, "harbor", "Harbor Middle School")])

    arrange(make)
    family.opens("/en/w/voice/notice").sees("Students of all schools of the district are asked.").sees_no("Harbor")


def test_a_decision_changes_the_page_and_the_file(family, voice, arrange):
    before = family.opens("/en/w/voice/notice.pdf").response.data
    arrange(lambda session: decide(session, "listening", "religion"))
    family.opens("/en/w/voice/notice").sees(f"Question 6: {AREAS['religion']}").sees_no("None of them is about")
    family.opens("/ar/w/voice/notice").sees(catalogue("ar").gettext(AREAS["religion"]))
    after = family.opens("/en/w/voice/notice.pdf").response.data
    assert AREAS["religion"] not in words(before)
    assert words(after).count(AREAS["religion"]) == 2


def test_the_file_is_offered_with_its_size(family, voice):
    family.opens("/en/w/voice/notice")
    link = pdf_link(family)
    family.opens(link.get("href"))
    pdf = family.response.data
    assert link.text == f"This notice to print (PDF, {round(len(pdf) / 1000)} kB)"
    assert family.response.headers["Content-Type"] == "application/pdf"
    assert family.response.headers["Content-Disposition"] == 'attachment; filename="voice-notice-en.pdf"'
    assert "Set-Cookie" not in family.response.headers
    for text in ("Lincoln Elementary", "October 30, 2026", "I do not want my child to take part in the survey"):
        assert text in words(pdf)


def test_the_same_file_is_drawn_once(family, voice, monkeypatch):
    drawn, draw = [], module.render_family_notice_pdf

    def counted(notice, language, *rest):
        drawn.append(language)
        return draw(notice, language, *rest)

    monkeypatch.setattr(module, "render_family_notice_pdf", counted)
    for language in ("en", "en", "es"):
        family.opens(f"/{language}/w/voice/notice").opens(f"/{language}/w/voice/notice.pdf")
    assert drawn == ["en", "es"]


def test_a_file_that_cannot_be_printed_is_not_offered(family, voice, monkeypatch):
    def broken(*_):
        raise MissingFont("Noto Sans")

    monkeypatch.setattr("engage.sites.family.student_survey_notice.render_family_notice_pdf", broken)
    family.opens("/en/w/voice/notice").sees("How to say no")
    assert pdf_link(family) is None
    family.opens("/en/w/voice/notice.pdf", status=404).sees("Please ask your school for the notice on paper.")
    family.follows("Read all questions").follows(LINK)


def test_one_address_cannot_have_file_after_file_drawn(family, site, voice):
    site.family.extensions["engage.sites.family"].forms = Tries(each=1, together=9)
    family.opens("/en/w/voice/notice.pdf").opens("/es/w/voice/notice.pdf", status=429)
    family.opens("/es/w/voice/notice")
    assert pdf_link(family) is None


def test_the_reading_copy_leads_to_it_and_speaks_of_students(family, voice):
    family.opens("/en/w/voice/read").sees("This survey is open from", "ask for an interpreter").sees_no("Families")
    family.follows(LINK).sees("How to say no").follows("Read all questions")
    assert family.path == "/en/w/voice/read"


def test_it_names_the_address_of_the_reading_copy(family, voice):
    family.opens("/ar/w/voice/notice").follows("http://127.0.0.1:8000/ar/w/voice/read")
    assert family.path == "/ar/w/voice/read"


def test_the_language_can_be_changed_on_it(family, voice):
    family.opens("/en/w/voice/notice").speaks("ar")
    assert family.path == "/ar/w/voice/notice"


OTHERS = {each.slug: each for each in shipped_surveys() if each.population in ("family", "educator")}


@pytest.mark.parametrize("survey", OTHERS.values(), ids=OTHERS)
def test_other_surveys_have_none(family, arrange, survey):
    arrange(lambda session: a_wave(session, survey=survey, identity=survey.identity or "anonymous"))
    family.opens("/en/w/fall/read").sees_no(LINK)
    for name in ("notice", "notice.pdf"):
        family.opens(f"/en/w/fall/{name}", status=404).sees("We cannot find this page")


@pytest.mark.parametrize(
    ("opens", "closes"),
    [(date(2026, 12, 1), date(2026, 12, 2)), (date(2026, 10, 1), date(2026, 10, 31)), (date(2026, 9, 1),) * 2],
)
def test_it_can_be_read_before_during_and_after_the_survey(family, arrange, opens, closes):
    arrange(lambda session: a_student_wave(session, opens=opens, closes=closes))
    family.opens("/en/w/voice/notice").opens("/en/w/voice/notice.pdf")


@pytest.mark.parametrize("wave", ["none", "%00", "x" * 3000])
def test_an_unknown_survey_is_kindly_refused(family, voice, wave):
    family.opens(f"/en/w/{wave}/notice", status=404).sees("We cannot find this survey")
    family.opens(f"/en/w/{wave}/notice.pdf", status=404).sees("We cannot find this survey")


def test_nothing_on_it_is_a_form_or_a_script_and_reading_stores_nothing(family, voice, stored):
    family.opens("/en/w/voice/notice")
    assert not list(family.page.all("form", "input", "select", "textarea", "script"))
    assert "Set-Cookie" not in family.response.headers
    assert stored(Draft) == []


@pytest.mark.parametrize("phone", ["", "555 0100"])
def test_the_names_of_a_district_and_a_school_are_data(settings, clock, arrange, phone):
    arrange(lambda session: a_student_wave(session, schools=[a_school(session, "lincoln", "<b>Lincoln</b>\u202e")]))
    site = create_app(replace(settings, district_name=HOSTILE, district_phone=phone), clock)
    family = Family(site).opens("/ar/w/voice/notice").opens("/en/w/voice/notice")
    family.sees(f"{HOSTILE} plans to ask students", "these schools are asked: <b>Lincoln</b>.")
    assert ("or call" in family.page.text) == bool(phone)
    assert not list(family.page.all("script"))
    assert HOSTILE in words(family.opens("/en/w/voice/notice.pdf").response.data)
    close(site)


@in_both_languages
def test_it_fits_a_phone_and_large_text(page, live, voice, language, screen):
    look(page, f"{live.url}/{language}/w/voice/notice", (360, 1280), screen)
