"""A debrief after an event: a liaison writes it on a phone, leaders and the liaisons of that school read it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engage import create_app
from engage.questionnaire.library import shipped_surveys
from engage.storage.engine import read_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.paper import Keying
from engage.storage.models.responses import Response
from engage.storage.models.waves import Wave
from tests.conftest import close
from tests.hygiene import Element
from tests.makers import PASSWORD, a_school, screened, staff
from tests.people import StaffMember
from tests.populations import a_wave_of

pytestmark = pytest.mark.slow

NEW = "/staff/liaison/debriefs/new"
READ = "/staff/liaison/debriefs"
REACH, GAPS, TOPICS, OBJECTIONS, URGENT = (
    f"line-{name}" for name in ("reach", "reach_gaps", "new_topics", "objections", "urgent_questions")
)
HOSTILE = "<script>alert('&amp;')</script> \u202egnirts {{ 7 * 7 }} %(num)s"
CLEANED = "<script>alert('&amp;')</script> gnirts {{ 7 * 7 }} %(num)s"
LINCOLN, CEDAR = ("lincoln", "Lincoln Elementary"), ("cedar", "Cedar Middle School")
Sign = Callable[..., StaffMember]


@pytest.fixture
def debriefs(arrange: Any) -> None:
    """A wave of debriefs at two schools, until October 31."""
    arrange(lambda session: a_wave_of(session, "liaison", "debriefs", schools_of(session)))


def schools_of(session: Session) -> list[Any]:
    return [a_school(session, *each) for each in (LINCOLN, CEDAR)]


@pytest.fixture
def signs_in(site: Any, arrange: Any) -> Sign:
    """Someone with a role, signed in; a liaison works with these schools."""

    def sign(role: str, *schools: tuple[str, str], language: str = "en") -> StaffMember:
        def make(session: Session) -> str:
            return staff(session, role, [a_school(session, *each) for each in schools], language=language).email

        return StaffMember(site).signs_in(arrange(make), PASSWORD)

    return sign


@pytest.fixture
def liaison(debriefs: None, signs_in: Sign) -> StaffMember:
    """The liaison of Lincoln."""
    return signs_in("liaison", LINCOLN)


@pytest.fixture
def answers(stored: Any) -> Callable[[], list[dict[str, str]]]:
    """The stored debriefs, in no particular order."""
    return lambda: [json.loads(response.answers) for response in stored(Response)]


@pytest.fixture
def events(engine: Engine) -> Callable[[], list[tuple[str, str, str]]]:
    """The events of the audit log about debriefs: deed, about, detail."""

    def read() -> list[tuple[str, str, str]]:
        with read_session(engine) as session:
            rows = session.scalars(select(AuditEvent).where(AuditEvent.deed == "write debrief"))
            return [(each.deed, each.about, each.detail) for each in rows]

    return read


def cards(page: Element) -> list[str]:
    """The texts of the debriefs on the page."""
    return [each.text for each in page.all("article")]


def labels(page: Element) -> list[str]:
    return [each.text for each in page.all("label")]


def test_a_liaison_writes_after_an_event_and_a_leader_reads_it(liaison, signs_in, stored, answers, events):
    liaison.opens("/staff/").sees("After an event").follows("Write a debrief")
    liaison.sees(
        "After an event",
        "Please write no names",
        "Your name is not stored with it; the school and the day are.",
        "Where a school has one liaison, readers know who wrote it.",
        "The audit log records that you saved a debrief, not what it says.",
    )
    assert labels(liaison.page)[-6:] == [
        "School",
        "Which families did you reach?",
        "Which families are still missing?",
        "What did people say that no question asks about?",
        "What did people say against our plans?",
        "What must be answered within a week?",
    ]
    lines = {REACH: "About 30 Somali families, at the mosque.", URGENT: "Is there a bus in January?\nThe office."}
    liaison.sends(button="Save", **lines).sees("Saved. District leaders can read it.")
    assert answers() == [
        {
            "reach": "About 30 Somali families, at the mosque.",
            "urgent_questions": "Is there a bus in January? The office.",
        }
    ]
    [response] = stored(Response)
    kept = (response.wave_id, response.school_id, response.language, response.answered_in, response.mode, response.day)
    assert kept == ("debriefs", "lincoln", "en", "en", "interview", date(2026, 10, 14))
    assert (response.provenance, stored(Keying)) == (None, [])  # nothing leads to the liaison
    assert events() == [("write debrief", "debriefs", "{}")]

    leader = signs_in("leader")
    leader.opens("/staff/").sees("1 debrief names something that must be answered within a week.").follows("Read")
    leader.sees("To be answered within a week", "Is there a bus in January? The office.", "Answer by October 21, 2026")
    [card] = cards(leader.page)
    for words in ("October 14, 2026 · Lincoln Elementary", "Which families did you reach?", "at the mosque."):
        assert words in card
    assert card.count("Nothing written") == 3
    liaison.follows("Write another").sees("Which families did you reach?").sends(button="Save", **{GAPS: "Karen."})
    liaison.follows("Read your school's debriefs").sees("at the mosque.", "Karen.")
    leader.opens("/staff/district/waves").sees("Community liaisons · 2 schools").sees_no("open link")
    leader.follows("The debriefs wave").sees("2 debriefs were written.")
    leader.sees_no("access code", "Reminders", "How families", "/w/debriefs", "Print", "School events")
    leader.follows("Read the debriefs").sees("Karen.")


def test_it_is_opened_like_any_other_survey(arrange, signs_in, stored):
    arrange(lambda session: (schools_of(session), screened(session, *shipped_surveys())))
    days = {"opens": "2026-10-14", "closes": "2027-06-04"}
    leader = signs_in("leader").opens_survey(survey="broker-debrief", title="Debriefs, this year", **days)
    leader.sees(
        "The survey was saved.", "There are no debriefs yet. Liaisons find “After an event” on their home page."
    )
    [wave] = stored(Wave)
    design = (wave.population, wave.identity, wave.entry, wave.modes, wave.counting)
    assert design == ("liaison", "confidential", "open", "interview", "event")
    liaison = signs_in("liaison", CEDAR).opens("/staff/").follows("Write a debrief")
    liaison.sends(button="Save", **{REACH: "Twelve families."}).sees("Saved.")
    leader.opens("/staff/district/waves").follows("Debriefs, this year").follows("Read the debriefs")
    leader.sees("Cedar Middle School", "Twelve families.")


def test_nothing_typed_is_lost_when_something_is_wrong(debriefs, signs_in, answers, events):
    liaison = signs_in("liaison", LINCOLN, CEDAR).opens(NEW)
    assert liaison.field("school") == ""
    liaison.sends(button="Save", status=422).sees("Choose the school.", "Write at least one line.")
    long = "a" * 203
    liaison.sends(button="Save", status=422, **{REACH: long, TOPICS: "One.\nTwo."})
    liaison.sees("Choose the school.", "This text is 3 characters too long.").sees_no("Write at least one line.")
    assert (liaison.field(REACH), liaison.field(TOPICS)) == (long, "One.\nTwo.")
    liaison.sends(button="Save", school="elsewhere", status=422).sees("Choose an option from the list.")
    assert liaison.field(TOPICS) == "One.\nTwo."
    assert (answers(), events()) == ([], [])
    liaison.sends(button="Save", school="cedar", **{REACH: "a" * 200}).sees("Saved.")
    assert answers() == [{"reach": "a" * 200, "new_topics": "One.\nTwo."}]


def test_a_form_sent_twice_is_stored_once_and_a_changed_one_is_another(liaison, answers, events):
    token = liaison.opens(NEW).field("token")
    liaison.sends(button="Save", **{REACH: "Bus drivers."})
    for _ in range(2):
        liaison.opens(NEW).sends(button="Save", token=token, **{REACH: "Bus drivers. "}).sees("Saved.")
    assert (answers(), len(events())) == ([{"reach": "Bus drivers."}], 1)
    liaison.opens(NEW).sends(button="Save", token=token, **{REACH: "Bus drivers and cooks."}).sees("Saved.")
    liaison.opens(NEW).sends(button="Save", **{REACH: "Bus drivers."}).sees("Saved.")  # another event
    assert len(answers()) == 3


def test_a_school_of_somebody_else_is_refused(liaison, signs_in, answers):
    """Also one that is not in the wave: the list has only what may be chosen."""
    liaison.opens(NEW).sends(button="Save", school="cedar", status=422, **{REACH: "x"})
    liaison.sees("Choose an option from the list.")
    other = signs_in("liaison", ("high", "River High"))
    other.opens("/staff/").sees_no("After an event")
    other.opens(NEW).sees("No debrief is open at your schools right now.")
    other.opens(f"{NEW}?wave=debriefs", status=404)
    assert answers() == []


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ({"closes": date(2026, 10, 13)}, "Debriefs could be written until October 13, 2026."),
        ({"opens": date(2026, 10, 15)}, "You can write debriefs from October 15, 2026."),
    ],
)
def test_before_and_after_its_days_nothing_is_saved(arrange, signs_in, answers, days, sentence):
    arrange(lambda session: a_wave_of(session, "liaison", "debriefs", schools_of(session), **days))
    liaison = signs_in("liaison", LINCOLN)
    liaison.opens("/staff/").sees_no("After an event")
    liaison.opens(NEW).sees("No debrief is open at your schools right now.")
    liaison.opens(f"{NEW}?wave=debriefs").sees(sentence).sees_no("Which families did you reach?")
    assert answers() == []


def test_a_form_that_was_open_when_the_survey_closed_keeps_its_text(liaison, arrange, answers, today):
    liaison.opens(f"{NEW}?wave=debriefs")

    def close(session: Session) -> None:
        session.get_one(Wave, "debriefs").closes = today - timedelta(days=1)

    arrange(close)
    liaison.sends(button="Save", status=409, **{REACH: "Twelve families."})
    liaison.sees("Debriefs could be written until October 13, 2026.", "so that you can copy it.", "Twelve families.")
    assert "Save" not in buttons(liaison)
    assert answers() == []


def test_what_was_written_is_data_on_every_page(liaison, signs_in, answers):
    lines = dict.fromkeys((REACH, GAPS, TOPICS, OBJECTIONS, URGENT), HOSTILE)
    liaison.opens(NEW).sends(button="Save", **lines)
    [document] = answers()
    assert set(document.values()) == {CLEANED}
    leader = signs_in("leader").opens(READ)
    assert leader.page.text.count(CLEANED) == 6  # five lines, and what is urgent
    assert "<script>alert" not in leader.response.text
    said = [each for each in leader.page.all("p", "div") if each.get("class") == "said"]
    assert [(each.get("dir"), each.get("lang")) for each in said] == [("auto", "en")] * 6
    liaison.opens(NEW).sends(button="Save", school="cedar", status=422, **{REACH: HOSTILE})
    assert (liaison.field(REACH), "<script>alert" in liaison.response.text) == (CLEANED, False)


def test_the_spanish_page_asks_in_spanish_and_says_so(debriefs, signs_in, stored):
    liaison = signs_in("liaison", LINCOLN, language="es").opens("/staff/").sees("Después de un evento")
    liaison.follows("Escribir un informe").sees("¿A qué familias logró llegar?", "Su nombre no se guarda")
    assert liaison.language == "es"
    liaison.sends(button="Guardar", **{REACH: "Unas 20 familias."}).sees("Guardado.")
    [response] = stored(Response)
    assert (response.language, response.answered_in) == ("es", "es")
    leader = signs_in("leader").opens(READ).sees("Which families did you reach?", "Unas 20 familias.")
    assert [each.get("lang") for each in leader.page.all("div") if each.get("class") == "said"] == ["es"]


def test_an_arabic_page_runs_from_right_to_left_and_marks_the_questions(debriefs, signs_in, stored):
    """The survey is offered in English and Spanish, so the questions are in English, from left to right."""
    liaison = signs_in("liaison", LINCOLN, language="ar").opens(NEW)
    assert [each.get("dir") for each in liaison.page.all("html")] == ["rtl"]
    assert {"Which families did you reach?"} <= {
        each.text for each in liaison.page.all("span") if (each.get("lang"), each.get("dir")) == ("en", "ltr")
    }
    liaison.sends(button=buttons(liaison)[-1], **{REACH: "عائلات من السودان"})
    [response] = stored(Response)
    assert (response.language, json.loads(response.answers)) == ("en", {"reach": "عائلات من السودان"})
    reader = signs_in("leader", language="ar").opens(READ).sees("عائلات من السودان")
    assert [each.get("dir") for each in reader.page.all("html")] == ["rtl"]


def buttons(person: StaffMember) -> list[str]:
    return [button.text for button in next(person.page.all("main")).all("button")]


@pytest.fixture
def many(arrange: Any) -> None:
    """25 debriefs of Lincoln on different days of September, and three of Cedar: 8 days old, 7 days old, and new."""

    def make(session: Session) -> None:
        wave = a_wave_of(session, "liaison", "debriefs", schools_of(session), opens=date(2026, 8, 1))
        for number in range(25):
            a_debrief(session, wave.id, "lincoln", date(2026, 9, 1) + timedelta(days=number), f"Fair {number:02}.")
        for day, words in ((6, "Too old."), (7, "The last day."), (14, "Today.")):
            a_debrief(session, wave.id, "cedar", date(2026, 10, day), "Cedar fair.", words)

    arrange(make)


def a_debrief(session: Session, wave: str, school: str, day: date, reach: str, urgent: str = "") -> None:
    answers = {"reach": reach} | ({"urgent_questions": urgent} if urgent else {})
    id = f"{session.query(Response).count() + 1:032x}"
    place = {"wave_id": wave, "school_id": school, "language": "en", "answered_in": "en", "mode": "interview"}
    session.add(Response(id=id, day=day, answers=json.dumps(answers), submission=id, **place))
    session.flush()


def test_the_newest_stand_first_on_pages_of_twenty(many, signs_in):
    leader = signs_in("leader").opens(READ)
    first = cards(leader.page)
    assert [card.partition(" · ")[0] for card in first[:4]] == [
        "October 14, 2026",
        "October 7, 2026",
        "October 6, 2026",
        "September 25, 2026",
    ]
    leader.follows("Next page")
    second = cards(leader.page)
    assert (len(first), len(second)) == (20, 8)
    assert "Fair 00." in second[-1]


def test_what_must_be_answered_is_listed_for_a_week_that_due_first_at_the_top(many, signs_in):
    leader = signs_in("leader").opens(READ)
    [urgent] = [each for each in leader.page.all("section") if each.get("aria-labelledby") == "urgent"]
    lines = [line.text for line in urgent.all("li")]
    assert lines == [
        "The last day. Cedar Middle School · Answer by October 14, 2026",
        "Today. Cedar Middle School · Answer by October 21, 2026",
    ]


def test_the_list_is_filtered_by_school(many, signs_in):
    leader = signs_in("leader").opens(f"{READ}?school=cedar")
    assert len(cards(leader.page)) == 3
    leader.opens(f"{READ}?school=lincoln").sees("Fair 24.").sees_no("Cedar fair.", "To be answered within a week")
    leader.follows("Next page").sees("Fair 04.").sees_no("Cedar fair.")
    leader.opens(f"{READ}?school=nowhere").sees("There are no debriefs.")


def test_a_liaison_reads_those_of_their_own_schools_only(many, signs_in):
    liaison = signs_in("liaison", LINCOLN).opens(READ).sees("Fair 24.").sees_no("Cedar")
    liaison.opens(f"{READ}?school=cedar").sees("There are no debriefs.").sees_no("Cedar fair.", "Today.")
    liaison.opens("/staff/").sees_no("must be answered within a week")
    liaison.opens("/staff/district/waves/debriefs").sees("25 debriefs were written.", "25 at your schools")
    liaison.follows("Read the debriefs").sees("Fair 24.").sees_no("Cedar")
    signs_in("leader").opens("/staff/district/waves/debriefs").sees("28 debriefs were written.").sees_no(
        "at your schools"
    )


@pytest.mark.parametrize(
    ("role", "may_write", "may_read"),
    [
        ("liaison", True, True),
        ("leader", False, True),
        ("administrator", False, False),
        ("support_coordinator", False, False),
        ("translator", False, False),
    ],
)
def test_who_may_write_and_who_may_read(debriefs, signs_in, role, may_write, may_read):
    someone = signs_in(role, *([LINCOLN] if role == "liaison" else []))
    someone.opens(NEW, status=200 if may_write else 403)
    someone.opens(READ, status=200 if may_read else 403)
    someone.opens("/staff/")
    assert ("Write a debrief" in someone.page.text) == may_write


def test_where_a_second_step_is_required_writing_needs_none_and_reading_does(
    debriefs, signs_in, settings, clock, arrange
):
    site = create_app(replace(settings, second_factor="required"), clock)
    email = arrange(lambda session: staff(session, "liaison", [a_school(session, *LINCOLN)]).email)
    liaison = StaffMember(site).signs_in(email, PASSWORD)
    liaison.opens("/staff/").follows("Write a debrief").sends(button="Save", **{URGENT: "The bus."}).sees("Saved.")
    liaison.opens("/staff/").sees_no("must be answered within a week")
    liaison.opens(READ)
    assert liaison.path.startswith("/staff/me/second-factor")
    close(site)
