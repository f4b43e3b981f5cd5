#!/usr/bin/env python3
""".ci/failed_tests.py RESULTS.xml: prints the files of the tests that failed in a JUnit report; exit code 1 if none."""

import sys
from pathlib import Path
from xml.etree import ElementTree

TOP = Path(__file__).parents[1]


def failed_files(report: str) -> list[str]:
    """The test files, relative to the checkout, in which a test failed or could not be set up."""
    cases = ElementTree.fromstring(report).iter("testcase")  # noqa: S314  pytest's own report
    names = {case.get("classname", "") for case in cases if {child.tag for child in case} & {"failure", "error"}}
    return sorted({file for file in map(_file, names) if file})


def _file(classname: str) -> str:
    """tests.base.test_config or tests.base.test_config.TestClass -> tests/base/test_config.py."""
    parts = classname.split(".")
    for end in range(len(parts), 0, -1):
        path = "/".join(parts[:end]) + ".py"
        if (TOP / path).is_file():
            return path
    return ""


if __name__ == "__main__":
    files = failed_files(Path(sys.argv[1]).read_text("utf-8"))
    print(*files, sep="\n")
    sys.exit(not files)
