"""Pinned versions: what a clean installation uses, and the report of an upgrade."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow

TOP = Path(__file__).parents[1]
CI = TOP / ".ci"
LINE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*==[0-9][0-9a-z.+!]*")


def script(name: str) -> ModuleType:
    """Import a script of .ci as a module."""
    spec = importlib.util.spec_from_file_location(name, CI / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pinned() -> dict[str, str]:
    return script("constraints").read((CI / "constraints.txt").read_text("utf-8"))


def test_constraints_are_names_with_versions_and_nothing_else() -> None:
    lines = (CI / "constraints.txt").read_text("utf-8").splitlines()
    assert not [line for line in lines if not LINE.fullmatch(line)]
    names = [line.partition("==")[0] for line in lines]
    assert names == sorted(set(names))


def test_every_package_that_runs_or_tests_engage_is_pinned(pinned: dict[str, str]) -> None:
    assert script("constraints").closure().keys() <= pinned.keys()


def test_the_pinned_versions_are_within_the_ranges_of_the_project(pinned: dict[str, str]) -> None:
    import tomllib

    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    for text in (*project["dependencies"], *(line for each in extras.values() for line in each)):
        requirement = Requirement(text)
        name = script("constraints").normalized(requirement.name)
        if name != "engage":
            assert requirement.specifier.contains(pinned[name], prereleases=True), text


def test_differences_name_what_changed_came_and_went() -> None:
    old, new = (
        {"babel": "2.18.0", "six": "1.0", "wtforms": "3.2.1"},
        {"babel": "2.19.0", "tzdata": "1", "wtforms": "3.2.1"},
    )
    assert script("constraints").differences(old, new) == [
        ("babel", "2.18.0", "2.19.0"),
        ("six", "1.0", "-"),
        ("tzdata", "-", "1"),
    ]


REPORT = """<testsuites><testsuite>
<testcase classname="tests.test_words" name="a"><failure message="x"/></testcase>
<testcase classname="tests.domain.roster.test_import" name="b"><error message="x"/></testcase>
<testcase classname="tests.test_house" name="c"/>
<testcase classname="tests.base.test_config" name="d"><skipped/></testcase>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("report", "printed", "code"),
    [
        (REPORT, ["tests/domain/roster/test_import.py", "tests/test_words.py"], 0),
        ("<testsuites><testsuite><testcase classname='tests.test_house' name='c'/></testsuite></testsuites>", [], 1),
    ],
)
def test_the_failed_files_of_a_report(tmp_path: Path, report: str, printed: list[str], code: int) -> None:
    path = tmp_path / "results.xml"
    path.write_text(report)
    command = [sys.executable, str(CI / "failed_tests.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.returncode) == (printed, code)


DEBIAN = {"pdftotext": "poppler-utils", "pdfinfo": "poppler-utils"}
ESSENTIAL = {"chmod", "mount", "nice", "umount"}  # part of every Debian


def commands() -> dict[str, Path]:
    """Return every program that a test starts by a plain name, with the test's file."""
    sources = {path: path.read_text("utf-8") for path in (TOP / "tests").rglob("*.py")}
    trees = {path: list(ast.walk(ast.parse(text))) for path, text in sources.items() if "subprocess." in text}
    return {name: path for path, nodes in trees.items() for name in _programs(nodes)}


def _programs(nodes: list[ast.AST]) -> set[str]:
    """Return the first items of the lists passed to subprocess, directly or through a variable."""
    calls = [each for each in nodes if isinstance(each, ast.Call) and "subprocess" in ast.dump(each.func)]
    handed = [each.args[0] for each in calls if each.args]
    names = {each.id for each in handed if isinstance(each, ast.Name)}
    assigned = [each for each in nodes if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name)]
    lists = [*handed, *(each.value for each in assigned if each.targets[0].id in names)]
    firsts = [each.elts[0] for each in lists if isinstance(each, ast.List) and each.elts]
    return {each.value for each in firsts if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def test_every_program_that_tests_start_is_installed_by_the_test_command() -> None:
    install = (CI / "install").read_text("utf-8")
    assert commands().keys() >= DEBIAN.keys()
    for name, path in commands().items():
        assert name in ESSENTIAL or DEBIAN.get(name, "\0") in install, f"{path.relative_to(TOP)} starts {name}"


def test_where_nothing_differs_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    pinned = str(CI / "constraints.txt")
    script("constraints").main(["compare", pinned, pinned])
    assert capsys.readouterr().out == ""
