"""Small groups of invitations are never alone in a stored response."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.services.waves.invitations import find_small_schools
from engage.services.waves.opening import add_unnamed_invitations
from engage.storage.engine import write_session
from engage.storage.language_groups import (
    EVERY,
    LEAST,
    OTHER,
    form_language_groups,
    generalize_language,
    load_language_groups,
)
from engage.storage.models.responses import NamedLanguages, Response
from tests.makers import a_school, a_wave

GROUPS = st.dictionaries(
    st.tuples(st.sampled_from(["lincoln", "harbor"]), st.sampled_from(["en", "es", "ar", "so", "vi"])),
    st.integers(1, 40),
)


@pytest.mark.parametrize(
    ("invited", "named"),
    [
        ({"en": 30, "es": 12, "so": 3}, {"en"}),  # three alone are identifiable: the next smallest joins them
        ({"en": 30, "es": 12, "so": 6, "ar": 5}, {"en", "es"}),
        ({"en": 30, "so": 9}, set()),
        ({"en": 10}, {"en"}),
        ({"en": 9}, set()),
        ({"en": 30, "es": 30}, {"en", "es"}),
    ],
)
def test_which_languages_are_named(invited, named):
    assert form_language_groups({("lincoln", tag): number for tag, number in invited.items()}).named == {
        "lincoln": named
    }


@given(GROUPS)
def test_whoever_answers_could_be_one_of_ten(sizes):
    """Each group of a school, as stored, has at least ten invitations, or all of the school."""
    groups = form_language_groups(sizes)
    stored = Counter()
    for (school, language), number in sizes.items():
        stored[school, groups.stored_language(school, language)] += number
    totals = Counter()
    for (school, _), number in sizes.items():
        totals[school] += number
    assert all(number >= min(LEAST, totals[school]) for (school, _), number in stored.items())


def test_a_school_without_codes_keeps_its_languages():
    groups = form_language_groups({("lincoln", "en"): 30})
    assert groups.stored_language("harbor", "so") == "so"
    assert groups.stored_language("lincoln", "so") == OTHER
    assert EVERY.stored_language("lincoln", "so") == "so"


@pytest.mark.parametrize(("identity", "entry", "told"), [("anonymous", "code", OTHER), ("confidential", "code", "so")])
def test_only_anonymous_waves_have_them(engine, identity, entry, told):
    with write_session(engine) as session:
        schools = [a_school(session), a_school(session, "harbor", "Harbor")]
        wave = a_wave(session, "one", schools, identity=identity, entry=entry)
        for school, language, number in (("lincoln", "en", 20), ("lincoln", "so", 3), ("harbor", "en", 9)):
            add_unnamed_invitations(
                session, wave, school, language, [f"{school}{language}{n:02}".ljust(64, "x") for n in range(number)]
            )
        session.flush()
        found = load_language_groups(session.connection(), "one")
        assert found.stored_language("lincoln", "so") == told
        assert find_small_schools(session.connection(), wave) == ({"harbor": 9} if identity == "anonymous" else {})


def test_a_late_code_names_no_language_once_somebody_has_answered(engine):
    """Otherwise the answers before and after it would be two small groups."""
    made = Counter()

    def invites(school, language, number):
        start, made[school, language] = made[school, language], made[school, language] + number
        at = range(start, start + number)
        add_unnamed_invitations(
            session, wave, school, language, [f"{school}{language}{n:02}".ljust(64, "x") for n in at]
        )

    def named(school="lincoln"):
        return {
            tag for tag in ("en", "es", "so") if generalize_language(session.connection(), "one", school, tag) == tag
        }

    with write_session(engine) as session:
        schools = [a_school(session), a_school(session, "harbor", "Harbor")]
        wave = a_wave(session, "one", schools, entry="code")
        invites("lincoln", "en", 20)
        invites("lincoln", "es", 12)
        invites("lincoln", "so", 3)
        assert named() == {"en"}
        invites("lincoln", "so", 7)
        assert named() == {"en", "es", "so"}, "nobody has answered yet"
        row = {"wave_id": "one", "school_id": "lincoln", "language": "en", "mode": "web", "day": wave.opens}
        session.add(Response(id="1" * 32, answers="{}", submission="1" * 64, **row))
        session.flush()
        assert named("harbor") == {"en", "es", "so"}
        invites("harbor", "so", 3)
        assert named("harbor") == set(), "this takes names away, and holds at once"
        invites("harbor", "so", 30)
        assert named("harbor") == set()
        invites("lincoln", "vi", 2)
        assert named() == {"es", "so"} or named() == {"en", "es"}, "one joins the two"
        few = named()
        invites("lincoln", "vi", 40)
        assert named() == few
        assert load_language_groups(session.connection(), "one").stored_language("lincoln", "vi") == OTHER
        session.flush()
        assert session.query(NamedLanguages).count() == 2
