"""Surveys of educators, students, and liaisons: what is refused, who is asked, and when slips are printed."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from engage.base.catalogs import catalogue, survey_catalogues
from engage.domain.roster.grades import ORDER
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.services.checkpoints.coverage import count_population
from engage.services.waves.opening import NewWave, OpeningConditions, fit_population, list_refusals, open_wave
from engage.services.waves.populations import count_people, is_grade_asked, list_class_piles, say_no_by
from engage.services.waves.screening import screening_items
from engage.services.waves.slip_codes import SlipObstacle, find_obstacle, is_notice_in_time, list_school_slips
from engage.services.waves.student_surveys import allow_student_surveys
from engage.services.waves.unit_counts import count_units
from engage.storage.engine import read_session, write_session
from engage.storage.models.roster import HouseholdStudent, OptOut
from engage.storage.models.schools import Household
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_wave
from tests.sites.district.homes import a_home

TODAY = date(2026, 9, 1)
FIRST = date(2026, 9, 15)  # 14 days later
EDUCATORS, STUDENTS, LIAISONS = (
    build_edition(shipped_survey(slug), survey_catalogues())
    for slug in ("educator-beliefs", "student-voice", "broker-debrief")
)
ALL_ITEMS = frozenset(item for each in (EDUCATORS, STUDENTS, LIAISONS) for item in screening_items(each.survey("en")))
ALLOWED = OpeningConditions({}, ALL_ITEMS, student_surveys=True, today=TODAY)
NEW = NewWave("Fall", ("lincoln",), ("en",), FIRST, date(2026, 9, 30), federal_funds=False)


def refusals(engine, edition, new, conditions=ALLOWED):
    fitted = fit_population(new, edition.survey("en"))
    with write_session(engine) as session:
        a_school(session, "lincoln")
        session.flush()
        return [
            (each.field, each.sentence) for each in list_refusals(session, edition, fitted, conditions, catalogue("en"))
        ]


@pytest.mark.parametrize(
    ("edition", "identity", "entry", "modes", "counting", "funds"),
    [
        (EDUCATORS, "anonymous", "code", ("web",), "educator", None),
        (STUDENTS, "anonymous", "code", ("web",), "student", False),
        (LIAISONS, "confidential", "open", ("interview",), "event", None),
    ],
)
def test_the_design_follows_from_who_answers(engine, edition, identity, entry, modes, counting, funds):
    chosen = replace(NEW, identity="confidential", entry="open", modes=("paper",), asked="disabilities")
    fitted = fit_population(chosen, edition.survey("en"))
    assert (fitted.identity, fitted.entry, fitted.modes, fitted.counting, fitted.asked, fitted.federal_funds) == (
        *(identity, entry, modes, counting, "everyone"),
        funds,
    )
    assert refusals(engine, edition, chosen) == []


def test_another_design_is_refused(engine):
    with write_session(engine) as session:
        a_school(session, "lincoln")
        session.flush()
        found = list_refusals(session, EDUCATORS, NEW, ALLOWED, catalogue("en"))
    assert [each.field for each in found] == ["identity"]


@pytest.mark.parametrize(
    ("change", "conditions", "field", "words"),
    [
        ({}, replace(ALLOWED, student_surveys=False), "survey", "switched off"),
        ({"federal_funds": None}, ALLOWED, "federal_funds", "Choose whether"),
        ({"federal_funds": True}, replace(ALLOWED, protected=ALL_ITEMS), "survey", "agree in writing"),
        ({"opens": date(2026, 9, 14)}, ALLOWED, "opens", "14 days"),
    ],
)
def test_students_are_not_asked(engine, change, conditions, field, words):
    [(at, sentence)] = refusals(engine, STUDENTS, replace(NEW, **change), conditions)
    assert at == field
    assert words in sentence


def test_protected_areas_alone_are_no_reason(engine):
    """Without federal funds, families get a notice and can say no (20 U.S.C. 1232h(c)(2)(C))."""
    assert refusals(engine, STUDENTS, NEW, replace(ALLOWED, protected=ALL_ITEMS)) == []
    assert refusals(engine, EDUCATORS, NEW, replace(ALLOWED, protected=ALL_ITEMS, student_surveys=False)) == []


@pytest.mark.parametrize("population", ["educator", "student"])
@pytest.mark.parametrize(("identity", "entry"), [("confidential", "code"), ("anonymous", "open")])
def test_the_database_refuses_links_and_open_links(engine, population, identity, entry):
    with write_session(engine) as session:
        wave = a_wave(session, "fall", identity=identity, entry=entry)
        wave.population = population
        with pytest.raises(IntegrityError, match="ck_waves_piles"):
            session.flush()
        session.rollback()


GRADES = {"IT", "PR", "PK", "TK", "KG", "01", "02", "13", "PS", "UG", "OTHER", ""}


@given(st.sampled_from([*ORDER, "UG", "OTHER", ""]))
def test_grades_3_to_12_are_asked(grade):
    assert is_grade_asked(grade) == (grade not in GRADES)


@pytest.fixture
def students(engine):
    """Six students of Lincoln: one too young, one whose home opted out, one with two homes of which one opted out."""
    with write_session(engine) as session:
        for number, (grade, room) in enumerate(
            [("03", "B"), ("03", "A"), ("12", ""), ("02", "A"), ("04", ""), ("04", "")]
        ):
            a_home(session, number + 1, (f"s{number}", "lincoln"), grade=grade, class_name=room)
        session.add(Household(id=f"{9:032x}", school_id="lincoln", language="en"))
        session.flush()
        session.add(HouseholdStudent(household_id=f"{9:032x}", student_id="s5"))
        session.add_all(OptOut(household_id=f"{home:032x}", recorded_on=TODAY) for home in (5, 9))
        wave = open_wave(session, STUDENTS, fit_population(NEW, STUDENTS.survey("en")), TODAY, ALLOWED, catalogue("en"))
        session.commit()
        return wave.id


def test_slips_are_for_students_whose_families_have_not_said_no(engine, students):
    with read_session(engine) as session:
        wave = session.get_one(Wave, students)
        piles = [(each.grade, each.class_name, each.students) for each in list_class_piles(session, ["lincoln"])]
        assert piles == [("03", "A", ("s1",)), ("03", "B", ("s0",)), ("12", "", ("s2",))]
        [school] = list_school_slips(session, wave)
        assert (school.people, school.codes, count_units(session, wave).total) == (3, 0, 3)
        assert count_people(session, wave) == {"lincoln": 5}, "those who said no could have answered"
        assert count_population(session, wave)["school"] == {"lincoln": 5}


@pytest.mark.parametrize(
    ("today", "is_on", "notice_on", "obstacle"),
    [
        (date(2026, 9, 13), False, date(2026, 9, 1), SlipObstacle.SWITCHED_OFF),
        (date(2026, 9, 13), True, None, SlipObstacle.NO_NOTICE),
        (date(2026, 9, 12), True, date(2026, 9, 1), SlipObstacle.FAMILIES_DECIDE),
        (date(2026, 9, 13), True, date(2026, 9, 1), SlipObstacle.NONE),
        (date(2026, 9, 30), True, date(2026, 9, 1), SlipObstacle.NONE),
        (date(2026, 10, 1), True, date(2026, 9, 1), SlipObstacle.CLOSED),
    ],
)
def test_slips_wait_for_families(engine, students, today, is_on, notice_on, obstacle):
    with write_session(engine) as session:
        allow_student_surveys(session, is_on, None, TODAY)
        wave = session.get_one(Wave, students)
        wave.notice_on = notice_on
        session.flush()
        assert find_obstacle(session, wave, today) is obstacle


def test_days_of_the_notice():
    wave = Wave(opens=FIRST)
    assert say_no_by(FIRST) == date(2026, 9, 12)
    assert is_notice_in_time(wave, date(2026, 9, 1))
    assert not is_notice_in_time(wave, date(2026, 9, 2))


def test_teachers_are_counted_where_the_roster_has_them(engine):
    with write_session(engine) as session:
        lincoln, cedar = a_school(session, "lincoln"), a_school(session, "cedar")
        lincoln.teachers, cedar.teachers = 16, None
        wave = a_wave(session, "fall", [lincoln, cedar], EDUCATORS.survey("en"))
        assert count_people(session, wave) == {"lincoln": 16}
        assert count_population(session, wave) == {}, "the number of one school is unknown"
        cedar.teachers = 12
        session.flush()
        assert count_population(session, wave) == {
            "all": 28,
            "school": {"lincoln": 16, "cedar": 12},
            "language": {},
            "counting": "educator",
            "asked": "everyone",
        }
        session.rollback()
