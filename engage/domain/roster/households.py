"""Households made of children and their guardians. Pure; the order of the rows does not matter.

Guardians who share a child are one household, with all the children of each of them. Where the district gives a key of
the home, guardians with different keys never share a household: their child belongs to both. A guardian without a key
belongs to the home of the child's first guardian. The same key alone joins nobody: a house of flats has one address."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HouseholdMembers:
    """One household: ids of its guardians and of its children, each sorted."""

    guardians: tuple[str, ...]
    children: tuple[str, ...]


class _UnionFind:
    """A union-find that refuses to join two different keys."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._given = keys
        self._parent: dict[str, str] = {}
        self._key: dict[str, str] = {}

    def find(self, one: str) -> str:
        """The one who stands for the home of this one."""
        parent = self._parent
        if one not in parent:
            parent[one], self._key[one] = one, self._given.get(one, "")
        while parent[one] != one:
            parent[one] = one = parent[parent[one]]
        return one

    def join(self, one: str, other: str) -> None:
        """Make two homes one, unless they have different keys."""
        one, other = self.find(one), self.find(other)
        first_key, theirs = self._key[one], self._key[other]
        if one != other and (first_key == theirs or not first_key or not theirs):
            self._parent[other] = one
            self._key[one] = first_key or theirs


def group_households(guardians_of: Mapping[str, Sequence[str]], keys: Mapping[str, str]) -> Iterator[HouseholdMembers]:
    """Every household. `guardians_of`: each child's guardians in their order, none for a child without; `keys`: the
    home's key of those guardians who have one. Households come in the order of their first child's id."""
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
    """Before anything else, so that whoever has no key cannot be the bridge between two homes."""
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
