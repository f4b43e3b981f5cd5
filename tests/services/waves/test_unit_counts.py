"""Numbers of units that the database counts equal those of the listed units, for random rosters and each rule."""

from collections import Counter
from datetime import date
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from engage.domain.roster.sampling_units import list_sampling_units, list_units_at_school
from engage.services.waves.invitations import create_invitations, find_uninvited_units
from engage.services.waves.targets import group_targets
from engage.services.waves.unit_counts import UnitCounts, count_targets, count_units
from engage.storage.engine import write_session
from engage.storage.models.roster import HouseholdStudent, OptOut, Student
from engage.storage.models.schools import UNDETERMINED, Household
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_wave

RULES = ("family", "family_school", "student")
SCHOOLS = ("cedar", "lincoln", "river")
ASKED = ("everyone", "english_learners")


def a_random_roster(session: Session, rng: Random, homes: int = 70) -> None:
    """Add households with up to three children at any school, some shared with another household; some opt out."""
    for name in SCHOOLS:
        a_school(session, name)
    session.flush()
    children: list[str] = []
    for number in range(homes):
        tag = rng.choice(["en", "es", "so", UNDETERMINED])
        session.add(Household(id=f"{number:032x}", school_id=rng.choice(SCHOOLS), language=tag))
        own = [f"s{number}-{each}" for each in range(rng.randrange(4))]
        places = {child: rng.choice(SCHOOLS) for child in own}
        session.add_all(
            Student(id=child, school_id=at, english_learner=rng.choice([True, False, None]))
            for child, at in places.items()
        )
        session.flush()
        shared = rng.sample(children, min(len(children), rng.choice([0, 0, 1])))
        session.add_all(HouseholdStudent(household_id=f"{number:032x}", student_id=each) for each in [*own, *shared])
        if rng.random() < 0.2:
            session.add(OptOut(household_id=f"{number:032x}", recorded_on=a_day()))
        children += own
    session.flush()


def a_day() -> date:
    return date(2026, 9, 1)


def a_coded_wave(session: Session, rule: str, asked: str) -> Wave:
    wave = a_wave(
        session, "fall", [a_school(session, each) for each in SCHOOLS[:2]], identity="confidential", entry="code"
    )
    wave.counting, wave.asked, wave.languages = rule, asked, "en es"
    session.flush()
    return wave


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(3))
def test_the_database_counts_what_is_listed(engine: Engine, seed: int, rule: str, asked: str) -> None:
    rng, places = Random(f"{seed} {rule} {asked}"), SCHOOLS[:2]
    with write_session(engine) as session:
        a_random_roster(session, rng)
        wave = a_coded_wave(session, rule, asked)
        units = list(list_sampling_units(session, rule, places, asked))
        assert len(units) > 5
        numbers = iter(range(1000))
        some = rng.sample(units, len(units) // 2)
        create_invitations(session, wave, some, lambda: str(next(numbers)), lambda code: f"{code:>064}", rng)
        assert count_units(session, wave) == UnitCounts(len(units), len(units) - len(some))
        assert find_uninvited_units(session, wave, units) == [each for each in units if each not in some]
        for school in SCHOOLS:
            here = [each for each in units if each.school_id == school]
            assert list_units_at_school(session, rule, places, asked, school) == here
        groups = count_targets(session, wave, wave.schools)
        assert groups == group_targets(wave, units)
        [first, _] = wave.schools
        one = count_targets(session, wave, [first])
        assert one.sizes == Counter({key: each for key, each in groups.sizes.items() if key[0] == first.id})


@pytest.mark.parametrize("rule", RULES)
def test_without_a_roster_households_count_at_their_own_school(engine: Engine, rule: str) -> None:
    with write_session(engine) as session:
        for name in SCHOOLS:
            a_school(session, name)
        session.flush()
        session.add_all(Household(id=f"{each:032x}", school_id=SCHOOLS[each % 3], language="es") for each in range(9))
        wave = a_coded_wave(session, rule, "everyone")
        units = list(list_sampling_units(session, rule, SCHOOLS[:2], "everyone"))
        assert len(units) == (0 if rule == "student" else 6)
        assert count_units(session, wave) == UnitCounts(len(units), len(units))
        assert count_targets(session, wave, wave.schools) == group_targets(wave, units)


def test_an_invitation_of_a_household_that_left_is_not_counted(engine: Engine) -> None:
    with write_session(engine) as session:
        a_random_roster(session, Random(1))
        wave = a_coded_wave(session, "family", "everyone")
        units = list(list_sampling_units(session, "family", SCHOOLS[:2], "everyone"))
        numbers = iter(range(1000))
        create_invitations(session, wave, units, lambda: str(next(numbers)), lambda code: f"{code:>064}", Random(1))
        gone = units[0].household_id
        session.query(HouseholdStudent).filter_by(household_id=gone).delete()
        assert count_units(session, wave) == UnitCounts(len(units) - 1, 0)


@pytest.mark.postgres
@pytest.mark.parametrize("rule", RULES)
def test_postgresql_never_reads_the_invitations_for_each_unit(engine: Engine, rule: str) -> None:
    """It knows nothing of invitations that were just created, and plans as if there were none."""
    with write_session(engine) as session:
        a_random_roster(session, Random(1))
        wave = a_coded_wave(session, rule, "everyone")
        session.commit()
    ran: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, sql, values, *_: ran.append((sql, values)))
    with write_session(engine) as session:
        count_units(session, session.get_one(Wave, wave.id))
        sql, values = next(each for each in ran if "FROM invitations" in each[0])
        plan = [line.strip() for (line,) in session.connection().exec_driver_sql(f"explain {sql}", values)]
    assert any("SetOp Intersect" in node for node in plan), plan
    assert not [node for node in plan if "SubPlan" in node and "invitations" in node], plan
