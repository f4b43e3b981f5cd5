#!/usr/bin/env python3
"""Exact versions of everything that running and testing Engage needs. `.ci/constraints.txt` holds them.

.ci/constraints.py list      prints name==version for the packages of this Python's environment, sorted
.ci/constraints.py compare OLD NEW   prints "name old new" for each version that differs; "-" where there is none
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = ("engage", frozenset({"test"}))


def normalized(name: str) -> str:
    """A project's name as PyPI compares them (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure() -> dict[str, str]:
    """Installed version by normalized name of all that engage[test] needs, engage itself left out."""
    versions, waiting, visited = {}, [ROOT], set()
    while waiting:
        name, extras = waiting.pop()
        if (normalized(name), extras) in visited:
            continue
        visited.add((normalized(name), extras))
        try:
            versions[normalized(name)] = distribution(name).version
        except PackageNotFoundError:
            continue
        waiting += _required(name, extras)
    versions.pop("engage", None)
    return versions


def _required(name: str, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """The requirements of an installed package that apply here."""
    requirements = [Requirement(text) for text in distribution(name).requires or []]
    return [
        (each.name, frozenset(each.extras))
        for each in requirements
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in {"", *extras})
    ]


def read(text: str) -> dict[str, str]:
    """Version by name of a constraints file's text."""
    return dict(line.split("==") for line in text.split() if line)


def differences(old: dict[str, str], new: dict[str, str]) -> list[tuple[str, str, str]]:
    """(name, old version, new version) of what differs, "-" for a package that only one of them has."""
    names = sorted(old.keys() | new.keys())
    pairs = [(name, old.get(name, "-"), new.get(name, "-")) for name in names]
    return [each for each in pairs if each[1] != each[2]]


def main(arguments: list[str]) -> None:
    """Do what the arguments name."""
    if arguments == ["list"]:
        print(*(f"{name}=={version}" for name, version in sorted(closure().items())), sep="\n")
    elif arguments[:1] == ["compare"]:
        old, new = (read(Path(each).read_text("utf-8")) for each in arguments[1:3])
        for each in differences(old, new):  # an empty output means that nothing differs
            print(*each)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
