"""Small groups of invitations: never alone in a stored response."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.records.session import writing
from engage.records.strata import EVERY, LEAST, OTHER, strata, strata_of
from engage.waves.crowd import small_schools
from engage.waves.open import invite
from tests.makers import a_school, a_wave

GROUPS = st.dictionaries(
    st.tuples(st.sampled_from(["lincoln", "harbor"]), st.sampled_from(["en", "es", "ar", "so", "vi"])),
    st.integers(1, 40),
)


@pytest.mark.parametrize(
    ("invited", "named"),
    [
        ({"en": 30, "es": 12, "so": 3}, {"en"}),  # three alone would be no better: the next smallest joins them
        ({"en": 30, "es": 12, "so": 6, "ar": 5}, {"en", "es"}),
        ({"en": 30, "so": 9}, set()),
        ({"en": 10}, {"en"}),
        ({"en": 9}, set()),
        ({"en": 30, "es": 30}, {"en", "es"}),
    ],
)
def test_which_languages_are_named(invited, named):
    assert strata({("lincoln", tag): number for tag, number in invited.items()}).named == {"lincoln": named}


@given(GROUPS)
def test_whoever_answers_could_be_one_of_ten(sizes):
    """Each school's groups, as they are stored, hold ten invitations, or all the school has."""
    groups = strata(sizes)
    stored = Counter()
    for (school, language), number in sizes.items():
        stored[school, groups.told(school, language)] += number
    totals = Counter()
    for (school, _), number in sizes.items():
        totals[school] += number
    assert all(number >= min(LEAST, totals[school]) for (school, _), number in stored.items())


def test_a_school_without_codes_keeps_its_languages():
    groups = strata({("lincoln", "en"): 30})
    assert groups.told("harbor", "so") == "so"
    assert groups.told("lincoln", "so") == OTHER
    assert EVERY.told("lincoln", "so") == "so"


@pytest.mark.parametrize(("identity", "entry", "told"), [("anonymous", "code", OTHER), ("confidential", "code", "so")])
def test_only_anonymous_waves_with_codes_have_them(engine, identity, entry, told):
    with writing(engine) as session:
        schools = [a_school(session), a_school(session, "harbor", "Harbor")]
        wave = a_wave(session, "one", schools, identity=identity, entry=entry)
        for school, language, number in (("lincoln", "en", 20), ("lincoln", "so", 3), ("harbor", "en", 9)):
            invite(session, wave, school, language, [f"{school}{language}{n:02}".ljust(64, "x") for n in range(number)])
        session.flush()
        found = strata_of(session.connection(), "one", identity, entry)
        assert found.told("lincoln", "so") == told
        assert small_schools(session.connection(), wave) == ({"harbor": 9} if identity == "anonymous" else {})
