from collections import Counter
from dataclasses import dataclass
from itertools import count
from random import Random

import pytest
from sqlalchemy import select

from engage.services.waves.invitations import (
    CodeUnknown,
    CodeUsed,
    can_revoke_codes,
    create_invitations,
    find_uninvited_units,
    replace_invitation,
    revoke_codes,
)
from engage.services.waves.targets import TargetGroups, group_targets
from engage.storage.engine import write_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import Draft
from engage.storage.models.schools import Household
from tests.makers import a_school, a_wave


@dataclass(frozen=True)
class OneUnit:
    household_id: str
    school_id: str = "lincoln"
    language: str = "en"
    student_id: str | None = None


@pytest.fixture
def session(engine):
    with write_session(engine) as session:
        a_school(session)
        a_school(session, "cedar", "Cedar Hill")
        session.flush()
        session.add_all(Household(id=each, school_id="lincoln", language="en") for each in "abcdef")
        session.flush()
        yield session


@pytest.fixture
def wave(session):
    schools = [a_school(session), a_school(session, "cedar")]
    return a_wave(session, schools=schools, entry="code", identity="confidential", languages=("en", "es"))


def made(session, wave, *units):
    numbers = count(1)
    return create_invitations(
        session, wave, units, lambda: f"CODE{next(numbers)}", lambda code: f"{code:>064}", Random(1)
    )


def kept(session):
    return {each.digest: each for each in session.scalars(select(Invitation))}


def test_each_unit_gets_a_letter_and_an_invitation(session, wave):
    letters = made(session, wave, OneUnit("a"), OneUnit("b", "cedar", "es"), OneUnit("c", language="so"))
    assert {(each.household_id, each.school_id, each.language) for each in letters} == {
        ("a", "lincoln", "en"),
        ("b", "cedar", "es"),
        ("c", "lincoln", "en"),  # the wave does not offer Somali
    }
    rows = kept(session)
    for letter in letters:
        row = rows[f"{letter.code:>064}"]
        assert (row.household_id, row.school_id) == (letter.household_id, letter.school_id)
    # but counted under the language they read
    assert {row.household_id: row.language for row in rows.values()} == {"a": "en", "b": "es", "c": "so"}


def test_a_household_of_unknown_language_is_written_to_in_english_and_counted_as_unknown(session, wave):
    letters = made(session, wave, OneUnit("a", language="und"))
    assert [each.language for each in letters] == ["en"]
    assert [row.language for row in kept(session).values()] == ["und"]
    assert group_targets(wave, [OneUnit("a", language="und"), OneUnit("b", language="so")]) == TargetGroups(
        Counter({("lincoln", "en"): 1}), Counter({"lincoln": 1})
    )


def test_a_second_time_only_new_units_wait(session, wave):
    made(session, wave, OneUnit("a"), OneUnit("b"))
    assert find_uninvited_units(session, wave, [OneUnit("a"), OneUnit("b"), OneUnit("c")]) == [OneUnit("c")]


def test_a_family_that_moves_to_another_school_gets_no_second_code(session, wave):
    made(session, wave, OneUnit("a"))
    moved = OneUnit("a", "cedar")
    assert find_uninvited_units(session, wave, [moved]) == []
    wave.counting = "family_school"
    assert find_uninvited_units(session, wave, [moved]) == [moved]


def test_each_student_is_a_unit_of_its_own_in_whichever_home(session, wave):
    wave.counting = "student"
    made(session, wave, OneUnit("a", student_id="s1"))
    other = OneUnit("a", student_id="s2")
    assert find_uninvited_units(session, wave, [OneUnit("b", "cedar", student_id="s1"), other]) == [other]


def test_the_order_of_the_list_is_drawn_by_chance(session, wave):
    letters = made(session, wave, *(OneUnit(each) for each in "abcdef"))
    order = [letter.household_id for letter in letters]
    assert sorted(order) == list("abcdef")
    assert order != list("abcdef")


def test_a_lost_code_is_replaced_for_the_same_household(session, wave):
    [letter] = made(session, wave, OneUnit("a", "cedar", "es", "s1"))
    new = replace_invitation(session, wave, f"{letter.code:>064}", "n" * 64, lambda _: False)
    assert (new.household_id, new.school_id, new.language, new.student_id) == ("a", "cedar", "es", "s1")
    assert list(kept(session)) == ["n" * 64]


def test_a_used_or_foreign_code_is_not_replaced(session, wave):
    [letter] = made(session, wave, OneUnit("a"))
    old = f"{letter.code:>064}"
    other = a_wave(session, "other", entry="code", identity="confidential")
    with pytest.raises(CodeUnknown):
        replace_invitation(session, other, old, "n" * 64, lambda _: False)
    with pytest.raises(CodeUnknown):
        replace_invitation(session, wave, "0" * 64, "n" * 64, lambda _: False)
    with pytest.raises(CodeUsed):
        replace_invitation(session, wave, old, "n" * 64, lambda _: True)
    session.get_one(Invitation, old).used = True
    with pytest.raises(CodeUsed):
        replace_invitation(session, wave, old, "n" * 64, lambda _: False)


def test_codes_are_taken_back_only_while_nobody_has_begun(session, wave):
    made(session, wave, OneUnit("a"), OneUnit("b"))
    assert can_revoke_codes(session, wave)
    draft = Draft(key=b"k" * 32, wave_id=wave.id, sealed=b"sealed", touched_on=wave.opens)
    session.add(draft)
    session.flush()
    assert not can_revoke_codes(session, wave)
    session.delete(draft)
    session.flush()
    assert revoke_codes(session, wave, 100) == 2
    assert kept(session) == {}
