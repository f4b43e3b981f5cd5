"""The list of tests for the long form names existing tests only, and leaves at least one in each file."""

import ast
import re
from collections import Counter
from functools import cache

import pytest

from tests.conftest import LONG_FORM
from tests.paths import ROOT


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("node", sorted(LONG_FORM))
def test_a_name_is_a_test(node: str) -> None:
    file, _, name = node.partition("::")
    assert re.split(r"\[", name)[0].rpartition("::")[2] in functions(file), "write the list anew: .ci/slow_tests.py"


def test_only_a_small_part_is_left_to_the_long_form() -> None:
    assert len(LONG_FORM) <= 700  # of 10,600
    assert max(Counter(node.partition("::")[0] for node in LONG_FORM).values()) <= 50
