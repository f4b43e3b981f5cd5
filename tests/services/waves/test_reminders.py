from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.services.waves.reminders import (
    FEW,
    HALF_OR_MORE,
    LEAST,
    SOME,
    count_invitations,
    merge_language_groups,
    rank_groups,
    response_band,
    round_responses,
)
from engage.storage.engine import write_session
from engage.storage.language_groups import store_language_groups
from engage.storage.models.invitations import Invitation
from tests.makers import a_school, a_wave


def invitations(session, wave, counts):
    number = 0
    for (school, language), count in counts.items():
        for _ in range(count):
            number += 1
            row = {"wave_id": wave.id, "identity": wave.identity, "school_id": school, "language": language}
            session.add(Invitation(digest=f"{number:064x}", **row))
    session.flush()
    store_language_groups(session.connection(), wave.id)


@pytest.mark.parametrize(
    ("answers", "expected", "said"),
    [(0, 100, FEW), (20, 100, FEW), (30, 100, SOME), (40, 100, SOME), (50, 100, HALF_OR_MORE), (10, 40, SOME)],
)
def test_the_bands(answers, expected, said):
    assert response_band(answers, expected) == said


@pytest.mark.parametrize(("there", "counted"), [(0, 0), (9, 0), (10, 10), (19, 10), (20, 20)])
def test_answers_are_counted_in_full_tens(there, counted):
    assert round_responses({("lincoln", "es"): there, ("harbor", "es"): 90}, "lincoln") == {"es": counted}


@given(st.dictionaries(st.sampled_from(["en", "es", "ar", "so"]), st.integers(0, 60)), st.integers(0, 60))
def test_one_answer_more_changes_no_band_nine_times_of_ten(expected, answers):
    tens = answers - answers % 10
    now = rank_groups(expected, dict.fromkeys(expected, tens))
    assert {group.language for group in now} == {tag for tag, number in expected.items() if number >= LEAST}
    if (answers + 1) % 10:
        after = answers + 1 - (answers + 1) % 10
        assert rank_groups(expected, dict.fromkeys(expected, after)) == now


def test_those_furthest_behind_come_first():
    found = rank_groups({"en": 100, "es": 40, "ar": 9, "so": 60}, {"en": 60, "es": 10})
    assert [(group.language, group.band) for group in found] == [("so", FEW), ("es", SOME), ("en", HALF_OR_MORE)]


def test_languages_told_as_one_are_reminded_as_one(engine):
    """In an anonymous wave with codes, an answer in a small language is stored and counted as "other"."""
    with write_session(engine) as session:
        wave = a_wave(session, schools=[a_school(session)], entry="code")
        invitations(session, wave, {("lincoln", "en"): 40, ("lincoln", "es"): 12, ("lincoln", "ar"): 3})
        asked = merge_language_groups(session, wave, count_invitations(session, wave))
        assert asked.sizes == Counter({("lincoln", "en"): 40, ("lincoln", "mul"): 15})
        confidential = a_wave(session, "private", [a_school(session)], entry="code", identity="confidential")
        assert merge_language_groups(session, confidential, asked).sizes == asked.sizes
