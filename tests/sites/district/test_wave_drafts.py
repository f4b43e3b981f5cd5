"""A survey is prepared in five steps; nothing typed is lost, and every reason against opening it is beside its step."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from engage.base.catalogs import survey_catalogues
from engage.base.languages import LANGUAGES
from engage.questionnaire.library import shipped_surveys
from engage.services.retention.policies import build_policies
from engage.services.waves.wave_drafts import DRAFT_DAYS, STEPS, DraftFields
from engage.storage.engine import read_session, write_session
from engage.storage.models.screening import Screening
from engage.storage.models.wave_drafts import WaveDraft
from engage.storage.models.waves import Wave
from tests.makers import a_school, screened, staff
from tests.people import Leader, rows
from tests.sites.district.homes import a_home

pytestmark = pytest.mark.slow

LIST = "/staff/district/waves"
NEW = f"{LIST}/new"
WANTED = {
    "survey": "home-access",
    "title": "Home access, fall",
    "opens": "2026-10-01",
    "closes": "2026-10-20",
    "identity": "confidential",
    "entry": "code",
}


@pytest.fixture
def schools(engine):
    with write_session(engine) as session:
        a_school(session, "lincoln", "Lincoln Elementary")
        a_school(session, "cedar", "Cedar Hill")
        screened(session, *shipped_surveys())
        session.commit()


def draft(engine) -> WaveDraft:
    with read_session(engine) as session:
        return session.scalars(select(WaveDraft)).one()


def waves(engine) -> list[Wave]:
    with read_session(engine) as session:
        return list(session.scalars(select(Wave)))


def checked(page, name: str) -> list[str]:
    return [
        each.get("value") for each in page.all("input") if each.get("name") == name and "checked" in each.attributes
    ]


def test_all_schools_and_complete_languages_are_chosen_beforehand(leader, schools, engine):
    leader.prepares(**WANTED, stop_at="schools").sees("Cedar Hill", "So far", "2 schools")
    assert checked(leader.page, "schools") == ["cedar", "lincoln"]
    assert checked(leader.page, "languages") == list(LANGUAGES)
    leader.sends(button="Continue").sends(button="Continue", opens="2026-10-01", closes="2026-10-20")
    leader.sends(button="Continue").opens_prepared_survey().sees("The survey was saved.", "Home access, fall")
    leader.opens(LIST).sees_no("Your drafts")
    with read_session(engine) as session:
        wave = session.scalars(select(Wave)).one()
        assert ([each.id for each in wave.schools], wave.offered) == (["cedar", "lincoln"], list(LANGUAGES))
        assert [each.fields for each in session.scalars(select(WaveDraft))] == []


def test_the_languages_show_households_drafts_and_what_is_missing(leader, schools, engine, monkeypatch):
    with write_session(engine) as session:
        for number, tag in enumerate(["es"] * 3 + ["so"] * 2 + ["hmn"]):
            a_home(session, number + 1, (f"s-{number}", "lincoln"), language=tag)
        session.commit()
    monkeypatch.setattr(
        "engage.services.waves.wave_drafts.translation_gaps",
        lambda tags: {"so": ["Go on", "Stop"]} if "so" in tags else {},
    )
    leader.prepares(**WANTED, stop_at="schools")
    table = rows(next(leader.page.all("table")))
    assert table["Español"] == ["3", "■ draft", "■ draft"]
    assert table["Soomaali"] == ["2", "■ draft", "◆ 2 translations are missing"]
    assert table["English"][1:] == ["● Original", "● Original"]
    leader.sees("Households that read another language are asked in English: Hmong (1)")
    assert "so" not in checked(leader.page, "languages")


def test_what_was_typed_is_there_on_another_day(leader, schools, engine):
    leader.prepares(**WANTED, stop_at="dates")
    leader.sends(button="Save and leave", opens="2026-11-02").sees(
        "The draft was saved.", "Your drafts", "Home access, fall"
    )
    leader.follows("Continue Home access, fall").sees("What to ask").sends(button="Continue").sends(button="Continue")
    assert leader.field("opens") == "2026-11-02"
    leader.sends(button="Back", closes="2026-11-01").sees("Schools and languages").sends(button="Continue")
    assert (leader.field("opens"), leader.field("closes")) == ("2026-11-02", "2026-11-01")
    assert waves(engine) == []


def test_a_step_that_does_not_hold_stays_and_is_stored(leader, schools, engine):
    leader.prepares(**WANTED, stop_at="dates").sees("at midnight in the \u200eAmerica/Chicago\u200e time zone")
    leader.sends(button="Continue", opens="2026-10-05", closes="2026-10-01")
    leader.sees("Please check this again", "The last day is before the first day.")
    assert leader.field("closes") == "2026-10-01"
    leader.sends(button="Continue", status=422, closes="soon").sees("Enter the date as year, month, and day")
    assert leader.field("closes") == "soon"
    leader.sends(button="Continue", closes="2026-10-20").sees("How people answer")


@pytest.mark.parametrize(
    ("values", "step", "sentence"),
    [
        ({"title": ""}, "questionnaire", "Enter a title so that staff can tell this survey from others."),
        ({"schools": []}, "schools", "Choose at least one school."),
        ({"languages": []}, "schools", "Choose at least one language."),
        ({"opens": None}, "dates", "Enter the first day to answer."),
        ({"closes": "2026-09-01"}, "dates", "The last day is before the first day."),
        ({"results_on": "2026-10-20"}, "dates", "The results date must be after the last day"),
        ({"modes": []}, "answering", "Choose at least one way to answer."),
        ({"entry": "open", "asked": "disabilities"}, "answering", "Anyone can answer with an open link."),
    ],
)
def test_the_check_says_each_reason_beside_the_step_that_mends_it(leader, schools, engine, values, step, sentence):
    answers = WANTED | values
    leader.opens(NEW)
    for place, names in STEPS.items():
        sent = {name: value for name, value in answers.items() if name in names}
        if place == "questionnaire":
            leader.sends(button="Save and leave", **sent).opens(f"{LIST}/drafts/{draft(engine).id}/schools")
        else:
            leader.sends(button="Save and check", **sent).opens(f"{LIST}/drafts/{draft(engine).id}/{_after(place)}")
    leader.sees("The survey cannot be opened yet.")
    [part] = [each for each in leader.page.all("section") if sentence in each.text and each.get("class") == "part"]
    assert part.get("aria-labelledby") == f"part-{step}"
    assert "Open the survey" not in [each.text for each in leader.page.all("button")]
    address = next(each.get("href") for each in part.all("a"))
    assert address.endswith(f"/{step}")
    leader.opens(address).sends(button="Continue", status=200).sees("Please check this again", sentence)


def _after(step: str) -> str:
    order = [*STEPS, "check"]
    return order[order.index(step) + 1]


def test_questions_that_nobody_screened_can_be_prepared_and_not_opened(leader, schools, engine):
    with write_session(engine) as session:
        session.execute(delete(Screening))
        session.commit()
    leader.prepares(**WANTED).sees(
        "15 questions in this questionnaire have not been screened yet (How many children in your home"
    )
    leader.sees("The survey cannot be opened yet.")
    leader.follows("Screen the questions in this questionnaire").sees("Content screening: Learning at home")
    assert waves(engine) == []


def test_a_language_in_which_the_survey_is_not_whole_is_refused_by_name(leader, schools, monkeypatch):
    monkeypatch.setattr("engage.sites.district.screening.survey_catalogues", lambda: {"es": survey_catalogues()["es"]})
    leader.prepares(**WANTED, stop_at="schools")
    assert checked(leader.page, "languages") == ["en", "es"]
    leader.sends(button="Continue", languages=["en", "es", "so"])
    leader.sees(
        "Soomaali cannot be offered yet: ", "translations are missing from the questionnaire (Learning at home · "
    )
    leader.sees_no("Español cannot be offered yet")


def test_a_language_whose_pages_are_not_whole_is_refused_by_name(leader, schools, monkeypatch):
    monkeypatch.setattr(
        "engage.sites.district.wave_drafts.translation_gaps",
        lambda tags: {tag: ["Go on", "Stop"] for tag in tags if tag == "so"},
    )
    leader.prepares(**WANTED, stop_at="schools").sends(button="Continue", languages=["en", "so"])
    leader.sees("Soomaali cannot be offered yet: 2 translations are missing from the family pages (Go on · Stop).")


def test_all_200_schools_are_chosen_with_one_box(leader, schools, engine):
    leader.prepares(**WANTED, stop_at="schools").sees_no("All 2 schools")
    with write_session(engine) as session:
        for number in range(198):
            a_school(session, f"school-{number:04}", f"School {number:04}")
        session.commit()
    leader.prepares(**WANTED, stop_at="schools").sees("All 200 schools")
    assert (checked(leader.page, "all_schools"), checked(leader.page, "schools")) == (["yes"], [])
    leader.opens_survey(**WANTED).sees("The survey was saved.")
    leader.opens_survey(**WANTED, all_schools=None, schools=["cedar", "school-0007"])
    assert sorted(len(_schools(engine, each.id)) for each in waves(engine)) == [2, 200]


def _schools(engine, wave_id: str) -> list[str]:
    with read_session(engine) as session:
        return [each.id for each in session.get_one(Wave, wave_id).schools]


def test_a_school_that_leaves_the_roster_is_refused_by_the_check(leader, schools, engine):
    leader.prepares(**WANTED, schools=["lincoln", "cedar"])
    check = leader.path
    with write_session(engine) as session:
        a_school(session, "cedar").active = False
        session.commit()
    leader.opens_prepared_survey(422).sees("One of these schools is not recognized.")
    leader.opens(check.replace("check", "schools")).sees("Lincoln Elementary").sees_no("Cedar Hill")
    leader.sends(button="Save and check").opens_prepared_survey().sees("The survey was saved.")


def test_two_windows_lose_nothing(leader, schools, engine):
    leader.prepares(**WANTED, stop_at="dates")
    step = leader.path
    other = Leader(leader.client.application)
    other.client = leader.client
    other.opens(step).sends(button="Save and leave", closes="2026-11-05")
    leader.sends(button="Continue", status=409, closes="2026-10-30").sees("changed this to “November 5, 2026”")
    leader.sends(button="Continue").sees("How people answer")
    assert DraftFields.from_json(draft(engine).fields).closes == date(2026, 10, 30)


def test_the_check_opens_only_what_it_showed(leader, schools, engine):
    leader.prepares(**WANTED)
    other = Leader(leader.client.application)
    other.client = leader.client
    other.opens(leader.path.replace("check", "answering")).sends(button="Save and leave", identity="anonymous")
    leader.opens_prepared_survey(409).sees("This draft was changed in another window.", "Anonymous")
    assert waves(engine) == []
    leader.opens_prepared_survey().sees("The survey was saved.")
    assert [each.identity for each in waves(engine)] == ["anonymous"]
    leader.opens(f"{LIST}/drafts/{'0' * 32}/check", status=404)


def test_a_draft_is_its_authors_alone(leader, signs_in, schools, engine):
    leader.prepares(**WANTED)
    other = signs_in("administrator").opens(LIST).sees_no("Home access, fall")
    for step in (*STEPS, "check"):
        other.opens(f"{LIST}/drafts/{draft(engine).id}/{step}", status=404)
    leader.opens(f"{LIST}/drafts/%00/dates", status=404).opens(f"{LIST}/drafts/{draft(engine).id}/other", status=404)


def test_a_draft_is_deleted_by_its_author(leader, schools, engine):
    leader.prepares(**WANTED).follows("Leave as a draft").sends(button="Delete draft Home access, fall")
    leader.sees("The draft was deleted.").sees_no("Your drafts")
    with read_session(engine) as session:
        assert session.scalars(select(WaveDraft)).all() == []


def test_a_draft_is_deleted_30_days_after_its_last_change(engine, settings, clock):
    today = clock().date()
    with write_session(engine) as session:
        author = staff(session, "leader").id
        for name, days in (("kept", DRAFT_DAYS), ("due", DRAFT_DAYS + 1)):
            changed = today - timedelta(days=days)
            session.add(WaveDraft(id=f"{name:0>32}", staff_id=author, fields="{}", changed_on=changed))
        session.flush()
        [policy] = [each for each in build_policies(settings, today, clock()) if "drafts of surveys" in each.what]
        assert policy.due(session) == 1
        policy.destroy(session)
        assert [each.id for each in session.scalars(select(WaveDraft))] == [f"{'kept':0>32}"]


def test_in_arabic_the_steps_are_right_to_left(signs_in, schools):
    someone = signs_in("leader", language="ar").opens(NEW)
    assert someone.language == "ar"
    assert 'dir="rtl"' in someone.response.text


def test_a_form_without_its_token_stores_nothing(leader, schools, engine):
    assert leader.client.post(NEW, data=WANTED).status_code == 400
    with read_session(engine) as session:
        assert session.scalars(select(WaveDraft)).all() == []


def test_a_line_that_is_too_long_is_refused_and_shown(leader, schools, engine):
    leader.opens(NEW).sends(status=422, title="x" * 1_000_000).sees("This is too long.")


texts, days = st.text(max_size=20), st.none() | st.dates()
names = st.none() | st.lists(texts, max_size=3).map(tuple)


@given(texts, texts, names, st.booleans(), names, days, days, days, texts)
def test_a_stored_draft_has_what_was_chosen(survey, title, schools, every, languages, opens, closes, results, asked):
    fields = DraftFields(survey, title, schools, every, languages, opens, closes, results, asked=asked)
    assert DraftFields.from_json(fields.to_json()) == fields


def test_a_draft_of_an_earlier_version_has_defaults(engine):
    assert DraftFields.from_json('{"title": "Home", "unknown": 1}') == DraftFields(title="Home")
