"""Sampling units by each rule, and the denominators compared with an independent count."""

from collections import Counter
from datetime import date
from random import Random
from typing import Any

import pytest

from engage.domain.roster.grades import grade_rank
from engage.domain.roster.sampling_units import SamplingUnit, list_sampling_units
from engage.services.checkpoints.coverage import count_households
from engage.storage.engine import read_session
from engage.storage.models.roster import Guardianship, HouseholdGuardian, HouseholdStudent, OptOut, Student
from engage.storage.models.schools import Household, School
from engage.storage.models.waves import Wave
from tests.domain.roster.generator import small
from tests.makers import a_school, a_wave

pytestmark = pytest.mark.slow

RULES = ("family", "family_school", "student")
LINCOLN, CEDAR = "lincoln-elementary", "cedar-middle-school"


def asked(district, rule: str, schools: set[str], among: str = "everyone", **more: Any) -> list[tuple[str, ...]]:
    """Return members of the household, school, and student of each unit."""
    homes = district.homes
    with read_session(district.engine) as session:
        found = list(list_sampling_units(session, rule, schools, among, **more))
    return sorted(
        (" ".join(sorted(homes[each.household_id])), each.school_id.split("-")[0], each.student_id or "-")
        for each in found
    )


def test_a_family_is_asked_once(district) -> None:
    district.brings(small())
    assert asked(district, "family", {LINCOLN, CEDAR}) == [
        ("amina hodan yusuf", "lincoln", "-"),
        ("ana leo", "lincoln", "-"),
        ("ben leo", "lincoln", "-"),
        ("linh mai", "cedar", "-"),
        ("sam", "lincoln", "-"),
    ]
    assert asked(district, "family", {CEDAR}) == [("amina hodan yusuf", "cedar", "-"), ("linh mai", "cedar", "-")]


def test_a_family_is_asked_in_each_school(district) -> None:
    district.brings(small())
    found = asked(district, "family_school", {LINCOLN, CEDAR})
    assert [row for row in found if "hodan" in row[0]] == [
        ("amina hodan yusuf", "cedar", "-"),
        ("amina hodan yusuf", "lincoln", "-"),
    ]
    assert len(found) == 6


def test_each_student_is_asked_about_once_at_the_first_guardians(district) -> None:
    district.brings(small())
    assert asked(district, "student", {LINCOLN, CEDAR}) == [
        ("amina hodan yusuf", "cedar", "yusuf"),
        ("amina hodan yusuf", "lincoln", "amina"),
        ("ana leo", "lincoln", "leo"),
        ("linh mai", "cedar", "mai"),
        ("sam", "lincoln", "sam"),
    ]


def test_only_those_with_an_english_learner_or_a_disability(district) -> None:
    district.brings(small())
    assert asked(district, "family", {LINCOLN, CEDAR}, "disabilities") == [("amina hodan yusuf", "lincoln", "-")]
    assert asked(district, "family", {CEDAR}, "disabilities") == [("amina hodan yusuf", "cedar", "-")]
    assert asked(district, "family", {LINCOLN}, "disabilities") == []
    assert len(asked(district, "family_school", {LINCOLN, CEDAR}, "english_learners")) == 2
    assert [row[2] for row in asked(district, "student", {LINCOLN, CEDAR}, "disabilities")] == ["yusuf"]


def test_who_does_not_want_to_be_asked_is_told_apart(district) -> None:
    district.brings(small())
    ana = district.home_of("leo", "ana")
    district.put(lambda session: session.add(OptOut(household_id=ana, recorded_on=date(2026, 9, 1))))
    for rule in RULES:
        everyone = asked(district, rule, {LINCOLN, CEDAR})
        refusing = asked(district, rule, {LINCOLN, CEDAR}, opted_out=True)
        assert not [row for row in everyone if row[0] == "ana leo"]
        assert [row[0] for row in refusing] == ["ana leo"]


def test_without_a_roster_households_stand_where_their_row_says(district) -> None:
    def make(session) -> None:
        a_school(session)
        session.flush()
        session.add_all(Household(id=f"{each:032}", school_id="lincoln", language="es") for each in range(3))

    district.put(make)
    for rule in ("family", "family_school"):
        with read_session(district.engine) as session:
            assert list(list_sampling_units(session, rule, {"lincoln"}, "everyone")) == [
                SamplingUnit(f"{each:032}", "lincoln", "es") for each in range(3)
            ]
            assert not list(list_sampling_units(session, rule, {"lincoln"}, "disabilities"))
    with read_session(district.engine) as session:
        assert not list(list_sampling_units(session, "student", {"lincoln"}, "everyone"))


@pytest.fixture
def large_district(district, tmp_path):
    """300 students in two schools, with some opted-out families."""
    from tests.domain.roster.generator import large

    district.brings(large(tmp_path / "large", 300, "1.1"))
    ids = sorted(district.households)

    def make(session) -> None:
        for id in Random(2).sample(ids, 20):
            session.add(OptOut(household_id=id, recorded_on=date(2026, 9, 1)))

    district.put(make)
    return district


def by_hand(session, rule: str, schools: set[str], among: str) -> list[tuple[str, str]]:
    """Return (school, language) of all who could answer, counted from the plain rows, opted out or not."""
    flags = {"english_learners": "english_learner", "disabilities": "disability"}
    students = {
        each.id: each
        for each in session.query(Student)
        if each.school_id in schools and (among == "everyone" or getattr(each, flags[among]))
    }
    homes = {each.id: each for each in session.query(Household)}
    living = [(homes[row.household_id], students[row.student_id]) for row in session.query(HouseholdStudent)
              if row.student_id in students]  # fmt: skip
    if rule == "family_school":
        return [at for _, *at in {(home.id, child.school_id, home.language) for home, child in living}]
    if rule == "student":
        return [(child.school_id, homes[first_home(session, child)].language) for child in students.values()]
    first = {}
    for home, child in living:
        first[home.id] = min(first.get(home.id, child.school_id), child.school_id)
    return [
        (homes[id].school_id if homes[id].school_id in schools else at, homes[id].language) for id, at in first.items()
    ]


def first_home(session, child) -> str:
    """Return the home of the first guardian; without guardians, the one with the smallest id."""
    own = {row.household_id for row in session.query(HouseholdStudent).filter_by(student_id=child.id)}
    order = {row.guardian_id: row.position for row in session.query(Guardianship).filter_by(student_id=child.id)}
    of = {
        home: min((order[row.guardian_id] for row in session.query(HouseholdGuardian).filter_by(household_id=home)
                   if row.guardian_id in order), default=99)
        for home in own
    }  # fmt: skip
    return min(own, key=lambda home: (of[home], home))


@pytest.mark.parametrize("among", ["everyone", "english_learners", "disabilities"])
@pytest.mark.parametrize("rule", RULES)
def test_denominators_count_all_who_stand_on_the_roster(rule: str, among: str, large_district) -> None:
    district = large_district

    def make(session) -> str:
        schools = list(session.query(School).order_by(School.id))
        wave = a_wave(session, schools=schools[:1] if rule == "family" else schools)
        wave.counting, wave.asked = rule, among
        return wave.id

    wave_id = district.put(make)
    with read_session(district.engine) as session:
        wave = session.get_one(Wave, wave_id)
        schools = {school.id for school in wave.schools}
        told = count_households(session, wave, list_sampling_units(session, rule, schools, among, opted_out=None))
        every = by_hand(session, rule, schools, among)
    assert told["all"] == len(every) > 10
    assert (told["counting"], told["asked"]) == (rule, among)
    for name, groups in (("school", Counter(at for at, _ in every)), ("language", Counter(tag for _, tag in every))):
        hidden = among != "everyone" and min(groups.values()) < 10
        assert told[name] == ({} if hidden else dict(groups))


def test_a_handful_of_learners_is_not_counted_out(district) -> None:
    district.brings(small())

    def make(session) -> str:
        wave = a_wave(session, schools=list(session.query(School)))
        wave.asked = "english_learners"
        return wave.id

    wave_id = district.put(make)
    with read_session(district.engine) as session:
        wave = session.get_one(Wave, wave_id)
        every = list_sampling_units(
            session, wave.counting, [school.id for school in wave.schools], wave.asked, opted_out=None
        )
        assert count_households(session, wave, every) == {}


def test_grades_have_an_order() -> None:
    assert [grade_rank(each) for each in ("PK", "KG", "01", "09", "12")] == sorted(
        grade_rank(each) for each in ("PK", "KG", "01", "09", "12")
    )
    assert grade_rank("12") < grade_rank("UG") == grade_rank("")
