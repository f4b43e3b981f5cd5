"""Grouping into households, for any order of rows."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.domain.roster.households import group_households

pytestmark = pytest.mark.slow

CASES = {
    "a child alone": ({"a": []}, {}, ["a"]),
    "two children of one mother": ({"a": ["m"], "b": ["m"]}, {}, ["m a b"]),
    "two parents, two children": ({"a": ["m", "f"], "b": ["f"]}, {}, ["f m a b"]),
    "a chain of half brothers": ({"a": ["m", "f"], "b": ["f", "s"], "c": ["s"]}, {}, ["f m s a b c"]),
    "two families": ({"a": ["m"], "b": ["n"]}, {}, ["m a", "n b"]),
    "a split home": ({"a": ["m", "f"]}, {"m": "1", "f": "2"}, ["m a", "f a"]),
    "parents in one home": ({"a": ["m", "f"]}, {"m": "1", "f": "1"}, ["f m a"]),
    "no key joins the first guardian": ({"a": ["m", "f", "g"]}, {"m": "1", "f": "2"}, ["g m a", "f a"]),
    "no key in front": ({"a": ["g", "m", "f"]}, {"m": "1", "f": "2"}, ["g m a", "f a"]),
    "a key and none": ({"a": ["m", "f"]}, {"f": "1"}, ["f m a"]),
    "no bridge between two homes": (
        {"a": ["m", "g"], "b": ["f", "g"]}, {"m": "1", "f": "2"}, ["g m a b", "f b"],
    ),
    "equal keys before the keyless": (
        {"a": ["m", "g", "f"], "b": ["f", "g"]}, {"m": "1", "f": "1"}, ["f g m a b"],
    ),
    "the same address joins no strangers": ({"a": ["m"], "b": ["n"]}, {"m": "1", "n": "1"}, ["m a", "n b"]),
    "split home with a step family": (
        {"a": ["m", "f"], "b": ["f", "s"], "c": ["m"]}, {"m": "1", "f": "2", "s": "2"}, ["m a c", "f s a b"],
    ),
    "the same guardian twice": ({"a": ["m", "m"]}, {}, ["m a"]),
    "nobody": ({}, {}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_who_belongs_together(case: str) -> None:
    guardians_of, keys, expected = CASES[case]
    found = [" ".join((*home.guardians, *home.children)) for home in group_households(guardians_of, keys)]
    assert sorted(found) == sorted(expected)


people = st.integers(0, 7).map(lambda each: f"g{each}")
districts = st.tuples(
    st.dictionaries(st.integers(0, 9).map(lambda each: f"c{each}"), st.lists(people, max_size=4), max_size=9),
    st.dictionaries(people, st.sampled_from(["", "1", "2", "3"]), max_size=8),
)


@given(districts)
def test_every_child_is_somewhere_and_every_guardian_in_one_place(district: tuple[dict, dict]) -> None:
    guardians_of, keys = district
    found = list(group_households(guardians_of, keys))
    assert {child for home in found for child in home.children} == set(guardians_of)
    everyone = [each for home in found for each in home.guardians]
    assert len(everyone) == len(set(everyone))
    assert set(everyone) == {each for named in guardians_of.values() for each in named}
    for home in found:
        assert home.children
        for child in home.children:
            assert set(guardians_of[child]) & set(home.guardians) or not (guardians_of[child] or home.guardians)


@given(districts)
def test_a_child_is_in_each_of_its_guardians_homes(district: tuple[dict, dict]) -> None:
    guardians_of, keys = district
    for home in group_households(guardians_of, keys):
        for child, named in guardians_of.items():
            if set(named) & set(home.guardians):
                assert child in home.children


@given(districts)
def test_two_different_keys_never_share_a_home(district: tuple[dict, dict]) -> None:
    guardians_of, keys = district
    for home in group_households(guardians_of, keys):
        assert len({keys[each] for each in home.guardians if keys.get(each)}) <= 1


@given(districts)
def test_without_keys_a_home_is_whoever_is_connected(district: tuple[dict, dict]) -> None:
    guardians_of, _ = district
    found = {frozenset(home.guardians) for home in group_households(guardians_of, {}) if home.guardians}
    assert found == connected(guardians_of)


def connected(guardians_of: dict[str, list[str]]) -> set[frozenset[str]]:
    """An oracle: joins sets that share a child until nothing changes."""
    sets = [frozenset(named) for named in guardians_of.values() if named]
    while True:
        joined = {frozenset().union(*(other for other in sets if one & other)) for one in sets}
        if joined == set(sets):
            return joined
        sets = list(joined)


@given(districts, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(district: tuple[dict, dict], rng: Random) -> None:
    guardians_of, keys = district
    rows, said = list(guardians_of.items()), list(keys.items())
    rng.shuffle(rows)
    rng.shuffle(said)
    assert list(group_households(dict(rows), dict(said))) == list(group_households(guardians_of, keys))
