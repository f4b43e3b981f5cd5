"""Staff read every questionnaire as people see it, and confirm that they did before they open a survey with it."""

from typing import Any

import pytest
from sqlalchemy import select

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.questionnaire.editions import build_edition, replace_texts
from engage.questionnaire.library import shipped_survey, shipped_surveys
from engage.questionnaire.model import Question, Words
from engage.storage.engine import read_session, write_session
from engage.storage.models.wave_drafts import WaveDraft
from engage.storage.models.waves import Wave
from tests.hygiene import Element
from tests.makers import a_school, screened
from tests.people import StaffMember, rows
from tests.sites.district.homes import a_home

pytestmark = pytest.mark.slow

LIST = "/staff/district/questionnaires"
WANTED = {"survey": "home-access", "title": "Fall", "opens": "2026-10-01", "closes": "2026-10-20"}
READ = "I have read the questions as people see them."
ASK = "Read the questions as people see them. Then mark this box, and open the survey."
HOSTILE = '<script>alert("1")</script> & {{ 7 * 7 }} %(num)s </li></article>'
ISOLATES = str.maketrans("", "", "\u2068\u2069")


@pytest.fixture
def schools(engine: Any) -> None:
    with write_session(engine) as session:
        a_school(session, "lincoln", "Lincoln Elementary")
        a_school(session, "cedar", "Cedar Hill")
        screened(session, *shipped_surveys())
        for number, (school, tag) in enumerate([("lincoln", "so")] * 3 + [("cedar", "so")] + [("lincoln", "es")]):
            a_home(session, number + 1, (f"s-{number}", school), language=tag)
        session.commit()


def article(page: Element) -> Element:
    return next(page.all("article"))


def texts(page: Element, *tags: str) -> list[str]:
    return [each.text for each in page.all(*tags)]


def plain(text: str) -> str:
    return " ".join(text.split())


def test_the_list_has_every_questionnaire_with_a_link_for_each_language(leader: StaffMember) -> None:
    leader.opens("/staff/").follows("Surveys").follows("Questionnaires")
    table = next(leader.page.all("table"))
    assert list(rows(table)) == [survey.title for survey in shipped_surveys()]
    access = rows(table)[shipped_survey("home-access").title]
    student = rows(table)[shipped_survey("student-voice").title]
    assert (access[:4], student[:4]) == (["Families", "5", "13", "2"], ["Students", "4", "15", "1"])
    assert access[4].count("■ draft") == len(LANGUAGES) - 1
    links = [link.get("href") for link in table.all("a")]
    assert links == [f"{LIST}/{survey.slug}/{tag}" for survey in shipped_surveys() for tag in LANGUAGES]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_question_and_choice_is_there_in_every_language(leader: StaffMember, tag: str) -> None:
    for shipped in shipped_surveys():
        survey = build_edition(shipped, survey_catalogues()).survey(tag)
        leader.opens(f"{LIST}/{survey.slug}/{tag}")
        shown = article(leader.page)
        assert (shown.get("lang"), shown.get("dir")) == (tag, LANGUAGES[tag].direction)
        asked = [question for _, question in survey.questions() if question.kind != "note"]
        assert texts(shown, "h2") == [plain(section.title) for section in survey.sections]
        assert [text.partition(". ")[2] for text in texts(shown, "h3")] == [plain(each.text) for each in asked]
        choices = [plain(text) for each in asked for text in offered(each, tag)]
        assert [each.text for each in shown.all("li") if each.parent and not each.parent.get("class")] == choices
        leader.sees(*(plain(each.hint) for each in asked if each.hint))
        leader.sees(*(plain(section.intro) for section in survey.sections if section.intro))


def offered(question: Question, tag: str) -> list[str]:
    """The choices of a question, and the boxes for no answer."""
    words = catalogue(tag)
    unknown = [words.gettext("I don't know")] if question.dont_know else []
    refused = [words.gettext("I don't want to answer")] if question.refuse else []
    return [*(choice.text for choice in question.choices), *unknown, *refused]


def test_rules_stand_in_words_and_what_a_question_measures_does_not(leader: StaffMember) -> None:
    leader.opens(f"{LIST}/home-access/en").sees("These questions are asked once for each child.")
    assert "Answer this only if you chose “Yes” in question 2." in leader.page.text.translate(ISOLATES)
    for survey in shipped_surveys():
        leader.opens(f"{LIST}/{survey.slug}/en")
        hidden = {text for _, each in survey.questions() for text in (each.construct, each.source, *each.needs)}
        long = [text for text in hidden if len(text) > 12]
        assert long
        assert not [text for text in long if text in leader.page.text]


def test_the_language_is_chosen_by_links_and_the_page_stays_in_that_of_the_reader(signs_in: Any) -> None:
    someone = signs_in("leader", language="es").opens(f"{LIST}/pulse/ar")
    assert (someone.language, article(someone.page).get("dir")) == ("es", "rtl")
    someone.follows("Soomaali")
    assert (someone.path, article(someone.page).get("lang")) == (f"{LIST}/pulse/so", "so")


def test_a_text_without_translation_is_marked_as_english(leader: StaffMember, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engage.sites.district.screening.survey_catalogues", dict)
    leader.opens(f"{LIST}/pulse/ar")
    heading = next(article(leader.page).all("h3"))
    assert [(each.get("lang"), each.get("dir")) for each in heading.all("span")] == [("en", "ltr")]


@pytest.mark.parametrize("address", [f"{LIST}/nothing/en", f"{LIST}/pulse/xx", f"{LIST}/%00/en"])
def test_what_is_not_there_is_not_found(leader: StaffMember, address: str) -> None:
    leader.opens(address, status=404)


def test_hostile_texts_of_an_own_questionnaire_stay_text(leader: StaffMember, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = replace_texts(shipped_survey("home-access"), lambda _context, _english: Words(HOSTILE))
    monkeypatch.setattr("engage.sites.district.screening.shipped_surveys", lambda: [odd])
    for address in (LIST, f"{LIST}/home-access/en", f"{LIST}/home-access/ar"):
        leader.opens(address).sees(HOSTILE)
        assert "<script>alert" not in leader.response.text
    assert texts(article(leader.page), "h2") == [HOSTILE] * len(odd.sections)


def test_a_survey_is_not_opened_before_somebody_has_read_it(leader: StaffMember, schools: None, engine: Any) -> None:
    leader.prepares(**WANTED).sees(READ).sends(button="Open the survey", status=422)
    box = next(each for each in leader.page.all("input") if each.get("name") == "has_read")
    beside = next(each for each in leader.page.all("p") if each.get("id") == "has_read-wrong")
    assert (beside.text, box.get("aria-invalid"), box.get("aria-describedby")) == (ASK, "true", " has_read-wrong")
    [summary] = [each for each in leader.page.all("div") if each.get("class") == "problems"]
    assert [(each.text, each.get("href")) for each in summary.all("a")] == [(ASK, "#has_read")]
    assert waves(engine) == []
    leader.opens_prepared_survey().sees("The survey was saved.")
    assert len(waves(engine)) == 1


def test_the_check_leads_to_the_questions_and_back(leader: StaffMember, schools: None, engine: Any) -> None:
    leader.prepares(**WANTED, languages=["so", "ar"])
    check = leader.path
    leader.follows("Read the questions")
    assert (leader.path.partition("?")[0], article(leader.page).get("lang")) == (f"{LIST}/home-access/ar", "ar")
    leader.follows("Soomaali").follows("Check before you open")
    assert leader.path == check
    leader.opens_prepared_survey().sees("The survey was saved.")


def test_the_draft_of_another_person_is_not_led_to(
    leader: StaffMember, signs_in: Any, schools: None, engine: Any
) -> None:
    leader.prepares(**WANTED)
    with read_session(engine) as session:
        draft = session.scalars(select(WaveDraft.id)).one()
    for visitor in (signs_in("administrator"), signs_in("liaison", ("lincoln",))):
        visitor.opens(f"{LIST}/pulse/en?draft={draft}").sees_no("Check before you open")
    leader.opens(f"{LIST}/pulse/en?draft=%00").sees_no("Check before you open")


def test_a_draft_that_changed_meanwhile_must_be_read_again(leader: StaffMember, schools: None, engine: Any) -> None:
    leader.prepares(**WANTED)
    with write_session(engine) as session:
        draft = session.scalars(select(WaveDraft)).one()
        draft.fields = draft.fields.replace("home-access", "pulse")
        session.commit()
    leader.opens_prepared_survey(409).sees(READ)
    assert leader.field("has_read") is None
    leader.sends(button="Open the survey", status=422)
    assert waves(engine) == []


def waves(engine: Any) -> list[Wave]:
    with read_session(engine) as session:
        return list(session.scalars(select(Wave)))


def test_each_draft_language_is_named_with_its_households(leader: StaffMember, schools: None) -> None:
    leader.prepares(**WANTED, languages=["en", "es", "so", "ar"]).sees(
        "Somali is a draft translation. 4 households read it.",
        "Spanish is a draft translation. 1 household reads it.",
        "Arabic is a draft translation. The roster lists no household that reads it.",
    ).sees_no("Vietnamese is", "English is")
    leader.prepares(**WANTED, languages=["so"], schools=["lincoln"]).sees("3 households read it.")


def test_only_families_have_households(leader: StaffMember, schools: None) -> None:
    leader.prepares(**WANTED | {"survey": "educator-beliefs"}).sees(READ).sees_no("is a draft translation")
