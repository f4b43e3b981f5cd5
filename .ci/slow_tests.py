#!/usr/bin/env python3
"""Names of tests that belong in the long form: over a second, and not guarding data, privacy or a promise. Of a guard
that runs with several values or databases, the quickest of those over two seconds stays.

.ci/slow_tests.py RESULTS.xml [SECONDS] >tests/thorough.txt

RESULTS.xml is what `.ci/test -o junit_family=xunit2 --junitxml=RESULTS.xml` wrote on a quiet machine. Of each file that
would have no other test left in the suite, the quickest stays.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
GUARDED_FOLDERS = {
    *("attack", "conversations", "family", "intake", "journeys", "mail", "retention", "roster", "security", "storage"),
    *("tasks", "waves"),
}
GUARDED_WORDS = (
    *("promise", "privacy", "retention", "suppression", "differencing", "linker", "kill", "backup", "erase", "fuzz"),
    *("same_numbers", "demo_figures", "release", "while_answering", "answers_deleted", "another_browser", "deeds"),
    *("house", "constraints", "glossary", "docstrings", "sso", "request_heads", "test_keys", "audit", "recovery"),
    *("second_step", "signing_in", "accounts", "data_entry", "duplicates", "torn", "bursts"),
)


GUARD_SECONDS = 2.0
ATTACKS = ("attack", "recovered", "leak", "chance", "permission_says")  # each value is another way in


def node_id(classname: str, name: str) -> str:
    """As pytest writes it: tests/web/test_pages.py::test_name[case]."""
    parts = classname.split(".")
    for length in range(len(parts), 0, -1):
        file = Path(*parts[:length]).with_suffix(".py")
        if (ROOT / file).is_file():
            return "::".join([file.as_posix(), *parts[length:], name])
    raise ValueError(f"{classname} is not a file of tests")


def is_guard(node: str) -> bool:
    """Whether it guards data, privacy or a promise, by its folder or its name; how a page looks is none of these."""
    file, _, name = node.partition("::")
    if "axe" in name or "is_clean" in name:
        return False
    words = f"{Path(file).name} {name}"
    return bool(GUARDED_FOLDERS & set(Path(file).parts)) or any(word in words for word in GUARDED_WORDS)


def repeated_guards(seconds: Mapping[str, float]) -> list[str]:
    """Guards over GUARD_SECONDS, except the quickest variant of each; the attacks on the figures stay."""
    variants = defaultdict(list)
    for node in seconds:
        if is_guard(node) and seconds[node] >= GUARD_SECONDS and not any(word in node for word in ATTACKS):
            variants[node.partition("[")[0]].append(node)
    return [node for nodes in variants.values() for node in sorted(nodes, key=seconds.__getitem__)[1:]]


def long_tests(results: Path, least: float) -> list[str]:
    """The node ids, sorted."""
    seconds: dict[str, float] = {}
    for case in ElementTree.parse(results).iter("testcase"):  # noqa: S314  pytest's own report
        seconds[node_id(case.attrib["classname"], case.attrib["name"])] = float(case.attrib["time"])
    by_file = defaultdict(list)
    for node in seconds:
        by_file[node.partition("::")[0]].append(node)
    chosen: list[str] = []
    for nodes in by_file.values():
        slow = [node for node in nodes if seconds[node] >= least and not is_guard(node)]
        slow.sort(key=seconds.__getitem__)
        chosen += slow if len(slow) < len(nodes) else slow[1:]
    return sorted({*chosen, *repeated_guards(seconds)})


if __name__ == "__main__":
    print("\n".join(long_tests(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)))
