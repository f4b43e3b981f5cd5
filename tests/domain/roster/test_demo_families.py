"""The people of the demo district match its households and are the same each time."""

from random import Random

import pytest

from engage.demo.district import SCHOOLS, SEED, generate_households
from engage.demo.families import add_families
from engage.domain.roster.sampling_units import list_sampling_units
from engage.storage.engine import read_session
from engage.storage.models.roster import Guardian, Student
from engage.storage.models.schools import Household, School

pytestmark = pytest.mark.slow


def test_every_household_has_people_of_its_school_and_language(district) -> None:
    def make(session) -> list[str]:
        session.add_all(School(id=id, name=name) for id, name in SCHOOLS.items())
        session.flush()
        found = generate_households(Random(SEED))
        session.add_all(Household(id=home.id, school_id=home.school, language=home.language) for home in found)
        session.flush()
        add_families(session, found)
        return [home.id for home in found]

    ids = district.put(make)
    people, students, guardians = district.homes, district.students, district.guardians
    for id, household in district.households.items():
        young = [students[each] for each in people[id] if each in students]
        adults = [guardians[each] for each in people[id] if each in guardians]
        assert young
        assert adults
        assert {(one.school_id, one.home_language) for one in young} == {(household.school_id, household.language)}
        assert {one.reads for one in adults} == {household.language}
    with read_session(district.engine) as session:
        assert sorted(
            unit.household_id for unit in list_sampling_units(session, "family", set(SCHOOLS), "everyone")
        ) == sorted(ids)
    assert not any(one.name for one in district.rows_of(Student))
    assert not any(one.contact for one in district.rows_of(Guardian))
