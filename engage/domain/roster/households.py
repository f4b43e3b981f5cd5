"""Grouping of children and guardians into households. Pure functions; the order of rows does not matter.

Guardians who share a child are one household, with all the children of each of them. If the district has a key for each
home, guardians with different keys are never in the same household: their child belongs to both. A guardian without a
key belongs to the home of the child's first guardian. The same key alone does not form a household, since an apartment
building has one address.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HouseholdMembers:
    """One household: the ids of its guardians and of its children, both sorted."""

    guardians: tuple[str, ...]
    children: tuple[str, ...]


class _UnionFind:
    """A union-find that does not join sets with different keys."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._given = keys
        self._parent: dict[str, str] = {}
        self._key: dict[str, str] = {}

    def find(self, one: str) -> str:
        """Return the representative of a set."""
        parent = self._parent
        if one not in parent:
            parent[one], self._key[one] = one, self._given.get(one, "")
        while parent[one] != one:
            parent[one] = one = parent[parent[one]]
        return one

    def join(self, one: str, other: str) -> None:
        """Join two sets unless they have different keys."""
        one, other = self.find(one), self.find(other)
        first_key, theirs = self._key[one], self._key[other]
        if one != other and (first_key == theirs or not first_key or not theirs):
            self._parent[other] = one
            self._key[one] = first_key or theirs


def group_households(guardians_of: Mapping[str, Sequence[str]], keys: Mapping[str, str]) -> Iterator[HouseholdMembers]:
    """Yield every household in the order of its first child's id.

    `guardians_of` has the guardians of each child in order (empty if none); `keys` has the home key of guardians who
    have one.
    """
    joined = _UnionFind(keys)
    children = sorted(guardians_of)
    for child in children:
        _join_equal_keys(joined, guardians_of[child], keys)
    for child in children:
        first = guardians_of[child][:1]
        for other in guardians_of[child][1:]:
            joined.join(first[0], other)
    yield from _collect_households(joined, guardians_of, children)


def _join_equal_keys(joined: _UnionFind, guardians: Sequence[str], keys: Mapping[str, str]) -> None:
    """Join guardians with equal keys first, so that a guardian without a key cannot connect two homes."""
    if len(guardians) > 1:
        first: dict[str, str] = {}
        for guardian_id in guardians:
            if key := keys.get(guardian_id):
                joined.join(first.setdefault(key, guardian_id), guardian_id)


def _collect_households(
    joined: _UnionFind, guardians_of: Mapping[str, Sequence[str]], children: Sequence[str]
) -> Iterator[HouseholdMembers]:
    homes: dict[tuple[bool, str], tuple[set[str], list[str]]] = {}
    for child in children:
        guardians = guardians_of[child]
        for root in dict.fromkeys(map(joined.find, guardians)) if guardians else ():
            homes.setdefault((True, root), (set(), []))[1].append(child)
        for each in guardians:
            homes[True, joined.find(each)][0].add(each)
        if not guardians:
            homes[False, child] = (set(), [child])
    for adults, young in homes.values():
        yield HouseholdMembers(tuple(sorted(adults)), tuple(young))
