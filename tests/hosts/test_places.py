"""Files of the site are never looked for in the data directory of one machine."""

import ast
from collections.abc import Iterator

import pytest

from tests.paths import ROOT

SITE_FILES = {"ANCHOR_FILE", "SECRET_FILE", "SEALING_FILE", "DRAFTS"}  # constants that name files of the site
OLD_KEYS = "engage/base/shared_dir.py"  # compares the data directory's keys with those in use


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "engage").rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def takes_the_site() -> set[str]:
    """Functions with a parameter `site_dir`."""
    functions = [node for _, tree in trees() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {node.name for node in functions if "site_dir" in {each.arg for each in node.args.args}}


def names_one_machine(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute | ast.Name) and getattr(node, "attr", getattr(node, "id", "")) == "data_dir"


def called_name(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def faults(file: str, tree: ast.Module, functions: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called_name(node) in functions:
            values = [*node.args, *(each.value for each in node.keywords)]
            if any(names_one_machine(each) for each in values):
                yield f"{file}:{node.lineno}: {called_name(node)} needs the site's directory"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and names_one_machine(node.left):
            file_name = getattr(node.right, "id", "")
            if file_name in SITE_FILES:
                yield f"{file}:{node.lineno}: {file_name} is in the site's directory"


def test_no_call_takes_one_machine_for_the_site() -> None:
    functions = takes_the_site()
    assert {"count_draft", "columns_folder", "find_folder", "find_leftover_files"} <= functions
    found = [fault for file, tree in trees() if file != OLD_KEYS for fault in faults(file, tree, functions)]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "count_draft(engine, id, settings.data_dir, today)",
        "outputs.count_draft(engine, id, site_dir=runtime().settings.data_dir)",
        "settings.data_dir / ANCHOR_FILE",
        "data_dir / SECRET_FILE",
    ],
)
def test_the_rule_finds_what_it_should(code: str) -> None:
    assert list(faults("x.py", ast.parse(code), {"count_draft"}))
