"""Groups of stored responses: each is shared by ten, or by all, including late responses."""

from collections import Counter
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from engage.domain.intake.group_assignment import (
    assign_due_groups,
    assign_groups,
    count_small_groups,
    count_unassigned,
    has_too_few_sealed,
    join_groups,
)
from engage.domain.intake.group_encryption import ResponseGroup
from engage.storage.engine import write_session
from engage.storage.language_groups import LEAST, OTHER, load_language_groups
from engage.storage.models.responses import JoinedGroup, Response
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_survey, a_wave, accept

pytestmark = pytest.mark.slow

KEY, RNG = bytes(32), Random(2)
PARTS = st.tuples(
    st.sampled_from(["lincoln", "harbor", "high", OTHER]),
    st.sampled_from(["en", "es", "so", OTHER]),
    st.sampled_from(["web", "paper", OTHER]),
    st.sampled_from(["en", "es", OTHER]),
)
SIZES = st.dictionaries(PARTS.map(lambda parts: ResponseGroup(*parts)), st.integers(1, 25), min_size=1, max_size=12)


def joined(sizes):
    """Return the number of responses in each final group."""
    labels, found = join_groups(sizes), Counter()
    assert labels.keys() == sizes.keys()
    for group, number in sizes.items():
        found[labels[group]] += number
    return labels, found


@given(SIZES)
def test_ten_share_each_group_or_all_do(sizes):
    labels, found = joined(sizes)
    assert all(number >= min(LEAST, sum(sizes.values())) for number in found.values())
    assert count_small_groups(found) == 0
    for group, label in labels.items():
        pairs = zip(
            (group.school, group.language, group.mode, group.answered_in),
            (label.school, label.language, label.mode, label.answered_in),
            strict=True,
        )
        assert all(new in (old, OTHER) for old, new in pairs), "a part is what it was, or one of several"


@given(SIZES)
def test_what_is_joined_stays_as_it_is(sizes):
    _, found = joined(sizes)
    again, same = joined(found)
    assert (same, all(group == label for group, label in again.items())) == (found, True)


def test_small_schools_languages_and_ways_are_joined_in_turn():
    sizes = {
        ResponseGroup("lincoln", "en", "web", "en"): 30,
        ResponseGroup("lincoln", "en", "paper", "en"): 12,
        ResponseGroup("lincoln", "es", "web", "es"): 8,
        ResponseGroup("lincoln", "so", "paper", "so"): 5,
        ResponseGroup("harbor", "en", "web", "en"): 6,
        ResponseGroup("high", "es", "web", "es"): 11,
        ResponseGroup("mid", "es", "web", "es"): 5,
    }
    labels = join_groups(sizes)
    assert labels[ResponseGroup("lincoln", "en", "paper", "en")] == ResponseGroup("lincoln", "en", "paper", "en")
    assert labels[ResponseGroup("lincoln", "so", "paper", "so")] == ResponseGroup("lincoln", OTHER, OTHER, OTHER)
    assert labels[ResponseGroup("harbor", "en", "web", "en")] == ResponseGroup(OTHER, OTHER, "web", OTHER)
    assert labels[ResponseGroup("mid", "es", "web", "es")] == ResponseGroup(OTHER, OTHER, "web", OTHER)
    assert labels[ResponseGroup("high", "es", "web", "es")] == ResponseGroup("high", "es", "web", "es")


def comes(session, wave, number, today, school="lincoln", language="en"):
    """Store one response from the web."""
    given = {"school_id": school, "language": language, "mode": "web", "raw": {}, "today": today}
    key = f"{number:064}"
    accept(session.connection(), a_survey(), wave, submission_key=key, rng=RNG, group_key=KEY, **given)


def groups(session):
    columns = (Response.school_id, Response.language, Response.sealed_group.is_(None))
    return Counter(tuple(row) for row in session.execute(select(*columns)))


def test_an_answer_that_comes_late_does_not_stand_apart(engine):
    """After the wave, groups are named: a sheet keyed now joins them in the same transaction."""
    with write_session(engine) as session:
        wave = a_wave(session)
        for number in range(24):
            comes(session, wave, number, date(2026, 10, 9), language="en" if number % 2 else "es")
        assert groups(session) == {(None, OTHER, False): 24}
        assert not has_too_few_sealed(session.connection(), wave.id), "all are sealed"
        assign_due_groups(session.connection(), KEY, date(2026, 10, 31))
        assert groups(session) == {(None, OTHER, False): 24}, "answers may still come"
        assert count_unassigned(session.connection(), date(2026, 11, 1)) == 24
        assign_due_groups(session.connection(), KEY, date(2026, 11, 1))
        assert groups(session) == {("lincoln", "en", True): 12, ("lincoln", "es", True): 12}
        assert count_unassigned(session.connection(), date(2026, 11, 1)) == 0
        edits = session.get_one(Wave, wave.id, populate_existing=True).edits
        comes(session, wave, 98, date(2026, 11, 20), language="es")
        assert groups(session)["lincoln", "es", True] == 13
        assert session.get_one(Wave, wave.id, populate_existing=True).edits == edits + 1, "figures are counted anew"


def test_households_are_counted_where_their_answers_are(engine):
    with write_session(engine) as session:
        wave = a_wave(session, schools=[a_school(session), a_school(session, "harbor", "Harbor")])
        for number in range(26):
            comes(session, wave, number, date(2026, 10, 9), "harbor" if number < 4 else "lincoln", "en")
        assert assign_groups(session.connection(), wave.id, KEY) == 26
        found = load_language_groups(session.connection(), wave.id)
        assert found.group("lincoln", "so") == (OTHER, "so")
        assert found.group("harbor", "en") == (OTHER, "en")
        assert sorted(session.scalars(select(JoinedGroup.school_id))) == ["harbor", "lincoln"], "four need company"
