"""A survey of educators and one of students, from opening to figures: a leader with a computer, an administrator, and
people with slips."""

import io
import re
from datetime import UTC, date, datetime, time

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from engage.cli.editions import shipped_edition
from engage.domain.security.access_codes import parse_access_code
from engage.storage.engine import read_session, write_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.roster import OptOut
from engage.storage.models.waves import Wave
from tests.makers import PASSWORD, a_school, screened, staff
from tests.people import Family, Leader, StaffMember, rows
from tests.sites.district.homes import a_home

pytestmark = pytest.mark.slow

WAVES = "/staff/district/waves"
READY = {"partly": 10, "very": 10}  # answers of the educators of Lincoln


@pytest.fixture
def calendar() -> list[date]:
    """The day, which tests move."""
    return [date(2026, 9, 1)]


@pytest.fixture
def clock(calendar):
    """A clock at noon of the day."""
    return lambda: datetime.combine(calendar[0], time(18), UTC)


@pytest.fixture
def schools(engine):
    """Lincoln with 24 teachers and two classes of grade 5, Harbor with 12 teachers, Cedar with 11 teachers and one
    class; three families have said no to surveys, and grade 2 is too young."""
    with write_session(engine) as session:
        lincoln, cedar = a_school(session, "lincoln", "Lincoln Elementary"), a_school(session, "cedar", "Cedar Hill")
        harbor = a_school(session, "harbor", "Harbor Middle")
        lincoln.teachers, harbor.teachers, cedar.teachers = 24, 12, 11
        session.flush()
        for number in range(46):
            school = "lincoln" if number < 32 else "cedar"
            about = {"grade": "05" if number < 28 else "02" if number < 32 else "04"}
            a_home(session, number + 1, (f"s{number:02}", school), class_name=f"Room {number % 2 + 1}", **about)
        session.flush()
        for number in (1, 2, 40):
            session.add(OptOut(household_id=f"{number:032x}", recorded_on=date(2026, 8, 20)))
        for slug in ("educator-beliefs", "student-voice"):
            screened(session, shipped_edition(slug).survey("en"))
        session.commit()


def someone(engine, role, kind, site):
    with write_session(engine) as session:
        staff(session, role, email=f"{role}@district.example")
        session.commit()
    return kind(site.staff).signs_in(f"{role}@district.example", PASSWORD)


@pytest.fixture
def leader(site, engine, schools):
    return someone(engine, "leader", Leader, site)


def slip_codes(visitor) -> list[str]:
    """The codes on the slips that were downloaded."""
    assert visitor.response.mimetype == "application/pdf"
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(visitor.response.data)).pages)
    return list(
        dict.fromkeys(code for code in re.findall(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}\b", text) if parse_access_code(code))
    )


def answer(site, code, answers, language="en"):
    person = Family(site.family)
    person.begins_with(code, language).walks(answers).sends()
    return person


def test_educators_from_opening_to_figures(site, engine, leader, calendar):
    leader.opens_survey(
        survey="educator-beliefs",
        title="Educators, fall",
        languages=["en", "es"],
        opens="2026-09-02",
        closes="2026-09-30",
    )
    leader.sees("Educators", "47 slips are missing").sees_no("household")
    leader.follows("Print slips").sees("Lincoln Elementary", "24", "12", "11")
    leader.sends(button="Create codes and download the slips (PDF)", school="lincoln", number="26")
    codes = slip_codes(leader)
    assert len(codes) == 26
    leader.opens(f"{WAVES}/educators-fall/slips")
    leader.sends(button="Create codes and download the slips (PDF)", status=422, school="cedar", number="9")
    leader.sees("Print at least 10")
    leader.sends(button="Create codes and download the slips (PDF)", school="cedar", number="12")
    cedar = slip_codes(leader)
    leader.opens(f"{WAVES}/educators-fall/slips")
    leader.sends(button="Create codes and download the slips (PDF)", school="harbor", number="12")
    harbor = slip_codes(leader)
    with read_session(engine) as session:
        wave = session.get_one(Wave, "educators-fall")
        assert (wave.population, wave.identity, wave.entry, wave.modes, wave.counting) == (
            "educator", "anonymous", "code", "web", "educator",
        )  # fmt: skip
        stored = session.scalars(select(Invitation)).all()
        assert {(each.household_id, each.student_id, each.language) for each in stored} == {(None, None, "und")}

    calendar[0] = date(2026, 9, 15)
    given = [ready for ready, number in READY.items() for _ in range(number)]
    for code, ready in zip(codes, given, strict=False):
        answer(site, code, {"ready_english": ready, "easy_to_ask": "easy"})
    for code in cedar[:9]:
        answer(site, code, {"ready_english": "very"}, "es")
    for code in harbor[:10]:
        answer(site, code, {"ready_english": "very"})
    Family(site.family).opens(f"/en/c/{codes[0]}", status=410)

    calendar[0] = date(2026, 10, 5)
    leader.signs_in("leader@district.example", PASSWORD)
    leader.plans("Fall review", "2026-10-20", "educators-fall")
    assert answered(leader) == ["39", "47", "83%"]
    leader.sees_no("ousehold")
    table = leader.finding("How ready are you to teach students who are learning English?")
    assert (table["Very ready"][0], table["Partly ready"][0]) == ("29", "10"), table
    assert_no_small_school(leader)
    leader.freezes("fall-review")
    assert_no_small_school(leader.looks_at("fall-review"))


def answered(leader) -> list[str]:
    """How many answered, and of how many on the roster."""
    return next(rows(table)["All"] for table in leader.page.all("table") if "All" in rows(table))


def assert_no_small_school(leader):
    """Cedar Hill, where 9 educators answered, is in no table of the page; there is no group below the school."""
    assert "Cedar Hill" not in leader.page.text
    for one in leader.page.all("table"):
        heads = [each.text for each in one.all("th")]
        assert not {"English", "Español", "On a phone or computer"} & set(heads), heads


@pytest.fixture
def administrator(site, engine, schools):
    return someone(engine, "administrator", StaffMember, site)


def test_students_from_opening_to_figures(site, engine, leader, administrator, calendar):
    wanted = {"survey": "student-voice", "title": "Students, fall", "opens": "2026-09-20", "closes": "2026-10-10"}
    leader.prepares(**wanted, stop_at="answering").sends(button="Save and check")
    leader.sees("Surveys of students are switched off", "Choose whether federal education funds pay")
    administrator.opens("/staff/administration/student-surveys").sends(button="Save", is_on="y")
    leader.opens_survey(**wanted, federal_funds="no")
    slips = f"{WAVES}/students-fall/slips"
    leader.opens(slips).sees("Give every family the notice by September 6, 2026", "Slips can be printed after")
    leader.sends(button="Save the day", status=422, notice_on="2026-09-02").sees("not in the future")
    leader.opens(slips).sends(button="Save the day", notice_on="2026-09-01").sees(
        "Families can say no until September 17"
    )
    leader.opens(f"{WAVES}/students-fall").sees_no("Print slips")

    calendar[0] = date(2026, 9, 18)
    leader.signs_in("leader@district.example", PASSWORD)
    with write_session(engine) as session:
        session.add(OptOut(household_id=f"{5:032x}", recorded_on=date(2026, 9, 16)))
        session.commit()
    leader.opens(slips).sees("25", "13")
    leader.sends(button="Create codes and download the slips (PDF)", school="lincoln")
    codes = slip_codes(leader)
    assert len(codes) == 25  # 28 in grade 5, without three whose families said no
    leader.opens(f"{slips}/lincoln/students.csv")
    listed = leader.response.get_data(as_text=True)
    assert len(listed.strip().splitlines()) == 26
    assert not any(f",s{number:02}," in listed for number in (0, 1, 4, 28, 29))
    leader.opens(slips).sends(button="Create codes and download the slips (PDF)", school="cedar")
    cedar = slip_codes(leader)
    assert len(cedar) == 13
    with read_session(engine) as session:
        stored = session.scalars(select(Invitation)).all()
        assert {(each.household_id, each.student_id, each.language) for each in stored} == {(None, None, "und")}
        assert "class" not in " ".join(Invitation.__table__.columns.keys())

    calendar[0] = date(2026, 9, 25)
    for code in codes[:20]:
        answer(site, code, {"choose_what": "often"})
    for code in cedar[:3]:
        answer(site, code, {"choose_what": "often"})
    calendar[0] = date(2026, 10, 12)
    leader.signs_in("leader@district.example", PASSWORD)
    leader.plans("Student review", "2026-10-20", "students-fall")
    assert answered(leader) == ["23", "42", "55%"]
    table = leader.finding("How often do you get to choose what to learn about?")
    assert table["Often"][0] == "23", table
    assert_no_small_school(leader)
