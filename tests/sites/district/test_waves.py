import csv
import io
from datetime import date

import pytest
from sqlalchemy import select

from engage.domain.security.access_codes import digest, parse_access_code
from engage.questionnaire.library import shipped_surveys
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.invitations import Invitation
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_wave, screened

pytestmark = pytest.mark.slow

LIST = "/staff/district/waves"
NEW = "/staff/district/waves/new"
WANTED = {
    "survey": "home-access",
    "title": "Home access, fall",
    "schools": ["lincoln", "cedar"],
    "languages": ["en"],
    "opens": "2026-10-01",
    "closes": "2026-10-20",
    "results_on": "2026-11-01",
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


@pytest.fixture
def coded(engine, schools):
    with write_session(engine) as session:
        a_wave(session, "fall", [a_school(session, "lincoln")], entry="code", languages=("en", "es"))
        session.commit()


def test_a_district_without_waves_says_so(leader):
    leader.opens(LIST).sees("There are no surveys yet.")


def test_a_leader_opens_a_wave_and_finds_its_link(leader, schools, engine):
    leader.opens_survey(**WANTED)
    leader.sees("The survey was saved.", "Home access, fall", "Cedar Hill", "Lincoln Elementary", "open")
    leader.sees("http://127.0.0.1:8000/en/c", "October 1, 2026 to October 20, 2026")
    with read_session(engine) as session:
        wave = session.get(Wave, "home-access-fall")
        assert (wave.identity, wave.entry, wave.offered, wave.edition.slug) == (
            "confidential", "code", ["en"], "home-access",
        )  # fmt: skip


def test_opening_is_written_down(leader, schools, engine):
    leader.opens_survey(**WANTED)
    with read_session(engine) as session:
        [event] = [each for each in session.scalars(select(AuditEvent)) if each.deed == "open wave"]
    assert event.about == "home-access-fall"
    assert '"closes":"2026-10-20"' in event.detail


def test_a_wave_is_told_how_and_whom_it_asks(leader, schools, engine):
    choices = {"modes": ["paper", "interview"], "counting": "student", "asked": "english_learners"}
    leader.opens_survey(**WANTED | choices)
    leader.sees("on paper", "in an interview", "Households with an English learner").sees_no("on a phone or computer")
    with read_session(engine) as session:
        wave = session.get(Wave, "home-access-fall")
        assert (wave.modes, wave.counting, wave.asked) == ("paper interview", "student", "english_learners")


def test_a_wave_closes_earlier_or_later(leader, coded, engine):
    leader.opens(LIST).follows("The fall wave").follows("Change dates").sends(
        closes="2026-10-14", results_on="2026-10-20"
    )
    leader.sees("The dates were saved.", "October 1, 2026 to October 14, 2026")
    with read_session(engine) as session:
        assert (session.get(Wave, "fall").closes, session.get(Wave, "fall").results_on) == (
            date(2026, 10, 14), date(2026, 10, 20),
        )  # fmt: skip
        [event] = [each for each in session.scalars(select(AuditEvent)) if each.deed == "change wave"]
        assert event.detail == '{"before":"2026-10-31","closes":"2026-10-14"}'


@pytest.mark.parametrize(
    ("closes", "said"),
    [
        ("2026-10-13", "The last day cannot be in the past."),
        ("2026-11-20", "The results date must be after the last day"),
        ("", "Enter the last day to answer."),
        ("soon", "Enter the date as year, month, and day"),
        ("9" * 5000, "Enter the date as year, month, and day"),
    ],
)
def test_a_last_day_that_cannot_be_is_refused(leader, coded, engine, closes, said):
    leader.opens("/staff/district/waves/fall/days").sends(status=422, closes=closes)
    leader.sees(said)
    with read_session(engine) as session:
        assert session.get(Wave, "fall").closes == date(2026, 10, 31)


def test_a_closed_wave_stays_closed(leader, schools, engine):
    with write_session(engine) as session:
        a_wave(session, "past", closes=date(2026, 10, 13))
        session.commit()
    leader.opens("/staff/district/waves/past/days", status=404)
    leader.opens(LIST).sees_no("Change dates").follows("The past wave").sees_no("Change dates")


def test_hostile_words_stay_words(leader, schools):
    title = '<script>alert(1)</script>"><b>\u202eevil' + "=1+1"
    leader.opens_survey(**WANTED | {"title": title})
    assert "<script>alert" not in leader.response.text
    leader.sees('<script>alert(1)</script>"><b>evil=1+1')


def test_codes_are_handed_over_once_and_only_digests_stay(leader, coded, engine, site):
    leader.opens("/staff/district/waves/fall/codes").sends(school="lincoln", language="es", number=10)
    assert leader.response.mimetype == "text/csv"
    assert leader.response.headers["Content-Disposition"] == 'attachment; filename="codes-fall-lincoln-es.csv"'
    assert leader.response.headers["Cache-Control"] == "no-store"
    heads, *rows = csv.reader(io.StringIO(leader.response.data.decode("utf-8-sig")))
    assert heads == ["School", "Language", "Access code", "Link"]
    assert len(rows) == 10
    key = site.staff.extensions["engage"].secret("access codes")
    with read_session(engine) as session:
        kept = {each.digest for each in session.scalars(select(Invitation))}
    assert kept == {digest(parse_access_code(row[2]), key) for row in rows}
    assert all(row[3] == f"http://127.0.0.1:8000/es/c/{row[2]}" for row in rows)
    leader.opens(f"{LIST}/fall").sees("10 access codes created")


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("0", "Write a number from 1 to 1000."),
        ("1001", "Write a number from 1 to 1000."),
        ("9" * 400, "Write a whole number in digits."),
        ("many", "Write a whole number in digits."),
        ("", "Write a whole number in digits."),
        ("1e3", "Write a whole number in digits."),
    ],
)
def test_a_wrong_number_of_codes_makes_none(leader, coded, engine, number, sentence):
    leader.opens("/staff/district/waves/fall/codes").sends(status=422, number=number)
    assert leader.page.text.count(sentence) == 2, "above the form and at the field, once each"
    assert leader.field("number") == number
    with read_session(engine) as session:
        assert session.scalars(select(Invitation)).all() == []


def test_codes_are_for_the_waves_own_schools_and_languages(leader, coded, engine):
    page = leader.opens("/staff/district/waves/fall/codes")
    page.sends(status=422, school="cedar", language="so")
    assert [link.get("href") for link in page.page.all("a") if link.text == "Choose an option from the list."] == [
        "#school",
        "#language",
    ]


def test_an_open_wave_has_no_codes(leader, schools, engine):
    with write_session(engine) as session:
        a_wave(session, "open", [a_school(session, "lincoln")])
        session.commit()
    leader.opens("/staff/district/waves/open/codes", status=404)
    leader.opens("/staff/district/waves/none/codes", status=404)


def test_a_liaison_sees_the_waves_of_their_own_schools_only(signs_in, coded):
    signs_in("liaison", ("lincoln",)).opens(LIST).sees("The fall wave").sees_no(
        "Open a new survey", ("Create access codes")
    )
    signs_in("liaison", ("cedar",)).opens(LIST).sees_no("The fall wave")


@pytest.mark.parametrize(
    ("role", "status"), [("liaison", 403), ("translator", 403), ("administrator", 200), ("leader", 200)]
)
def test_only_leaders_and_administrators_open_waves(signs_in, coded, role, status):
    someone = signs_in(role, ("lincoln",) if role == "liaison" else ())
    someone.opens(NEW, status=status)
    someone.opens("/staff/district/waves/fall/codes", status=status)


def test_the_list_is_right_to_left_for_a_leader_who_reads_arabic(signs_in, coded):
    someone = signs_in("leader", language="ar").opens(LIST)
    assert someone.language == "ar"
    assert 'dir="rtl"' in someone.response.text
