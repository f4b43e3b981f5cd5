"""Names in docstrings and comments exist: exceptions, modules, functions."""

import ast
import builtins
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.paths import ENGAGE, ROOT, modules

RAISES = re.compile(r"\b[Rr]aises? ((?:[A-Z]\w+\b(?!')(?:,? and |,? or |, )?)+)")
QUALIFIED = re.compile(r"`([a-z_]+)\.([A-Za-z_]\w*)`")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def known() -> frozenset[str]:
    """Return every class, function, import, attribute, and parameter of the code, and Python's built-ins."""
    names = set(dir(builtins))
    for path in modules():
        for node in ast.walk(tree(path)):
            match node:
                case ast.ClassDef() | ast.FunctionDef():
                    names.add(node.name)
                case ast.Import() | ast.ImportFrom():
                    names |= {alias.asname or alias.name for alias in node.names}
                case ast.Name():
                    names.add(node.id)
                case ast.arg():
                    names.add(node.arg)
                case ast.Attribute():
                    names.add(node.attr)
    return frozenset(names)


@cache
def of_modules() -> dict[str, frozenset[str]]:
    """Return the definitions of each module by the last part of its name; modules with the same name are combined."""
    found: dict[str, frozenset[str]] = {}
    for path in modules():
        here = {each.name for each in ast.walk(tree(path)) if isinstance(each, ast.ClassDef | ast.FunctionDef)}
        here |= {each.id for each in ast.walk(tree(path)) if isinstance(each, ast.Name)}
        found[path.stem] = found.get(path.stem, frozenset()) | here
    return found


def docstrings(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            yield text
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def named_errors(text: str) -> set[str]:
    return {name for group in RAISES.findall(text) for name in re.findall(r"[A-Z]\w+", group)}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ENGAGE)))
def test_what_docstrings_name_is_there(path: Path) -> None:
    for text in docstrings(path):
        assert named_errors(text) - known() == set(), text
        for module, name in QUALIFIED.findall(text):
            if name == "py":
                assert module in of_modules(), f"{module}.py: {text}"
            elif module in of_modules():
                assert name in of_modules()[module], f"{module}.{name}: {text}"
    for file in re.findall(r"[\w/]+/\w+\.py\b", path.read_text("utf-8")):
        assert any((place / file).is_file() for place in (ROOT, ENGAGE, path.parent)), f"{file} is not there"


def test_errors_are_read_from_a_docstring() -> None:
    assert named_errors("Stores it. Raises Gone, Lost and Found; never commits.") == {"Gone", "Lost", "Found"}
    assert named_errors("""Raise TooMuch for more than that.""") == {"TooMuch"}
