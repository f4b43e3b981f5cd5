"""The house's own rules: which room may know which, who may enter by which door, and how large a room may grow."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engage.access.permits import PERMISSIONS, PUBLIC
from engage.web.guards import MARK

TOP = Path(__file__).parents[1]
ENGAGE = TOP / "engage"

ANYWHERE = {"config", "languages"}  # may be known by every room
TRADES = {
    *("access", "waves", "roster", "intake", "paper", "summaries"),
    *("checkpoints", "conversations", "letters", "exports"),
}
DOORS = {"family", "liaison", "district", "administration"}
FLOORS = {
    **dict.fromkeys(ANYWHERE, 0),
    "questionnaire": 1,
    "records": 2,
    **dict.fromkeys(TRADES, 3),
    "retention": 4,
    "jobs": 5,
    "web": 6,
    **dict.fromkeys(DOORS, 7),
    "cli": 8,
    "__main__": 9,
    "__init__": 9,
}
WEB_ONLY = {"flask", "werkzeug", "wtforms", "flask_security", "flask_babel", "flask_wtf", "flask_limiter", "whitenoise"}
UNNAMED = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "lib"}
LONGEST = 400  # lines


def modules() -> list[Path]:
    return sorted(path for path in ENGAGE.rglob("*.py") if "versions" not in path.parts)


def room(path: Path) -> str:
    """The first name below engage/: the room a module lies in."""
    first = path.relative_to(ENGAGE).parts[0]
    return first.removesuffix(".py")


@cache
def imports(path: Path) -> tuple[tuple[str, ast.stmt], ...]:
    """Every module name a file imports, with the statement; not those for the type checker only."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[str, ast.stmt]]:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            yield str(node.module), node
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def ours(path: Path) -> set[str]:
    """The rooms of engage that a module imports from."""
    names = (name.split(".") for name, _ in imports(path))
    return {parts[1] for parts in names if parts[0] == "engage" and len(parts) > 1} & FLOORS.keys()


def test_every_room_has_its_floor() -> None:
    assert {room(path) for path in modules()} <= FLOORS.keys()


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ENGAGE)))
def test_imports_go_down_and_never_sideways(path: Path) -> None:
    here = room(path)
    for other in ours(path) - {here}:
        assert FLOORS[other] < FLOORS[here], f"{path.relative_to(TOP)} imports from {other}/"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ENGAGE)))
def test_no_web_below_the_hallway(path: Path) -> None:
    if FLOORS[room(path)] < FLOORS["web"]:
        known = {name.split(".")[0] for name, _ in imports(path)}
        assert not known & WEB_ONLY, f"{path.relative_to(TOP)} knows {known & WEB_ONLY}"


def test_trades_and_records_leave_the_commit_to_whoever_opened_the_door() -> None:
    for path in modules():
        if room(path) in TRADES:
            calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)]
            assert not [node for node in calls if node.attr == "commit"], f"{path.relative_to(TOP)} commits"


def test_no_room_is_entered_by_the_back_door() -> None:
    """An import inside a function hides a circle. Only the roof and the commands load rooms when they are used."""
    for path in modules():
        if room(path) == "cli" or path == ENGAGE / "__init__.py":
            continue
        hidden = [one for one, node in imports(path) if one.startswith("engage.") and node.col_offset > 0]
        assert not hidden, f"{path.relative_to(TOP)} imports {hidden} inside something"


def test_no_circle_of_modules() -> None:
    known = {name(path): path for path in modules() if path not in (ENGAGE / "__init__.py", ENGAGE / "__main__.py")}
    graph = {}
    for one, path in known.items():
        graph[one] = {other for other, _ in imports(path) if other in known and _knows(one, other)}
    while graph:
        free = {one for one, needs in graph.items() if not needs & graph.keys()}
        assert free, f"a circle among {sorted(graph)}"
        graph = {one: needs for one, needs in graph.items() if one not in free}


def name(path: Path) -> str:
    """A module's dotted name."""
    return ".".join(path.relative_to(TOP).with_suffix("").parts).removesuffix(".__init__")


def _knows(one: str, other: str) -> bool:
    return other != one and not one.startswith(other + ".")  # every module knows the package around it


def test_every_module_has_a_name_that_says_something() -> None:
    assert not [path for path in modules() if path.stem in UNNAMED]


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in modules() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert not [path for path in silent if path.read_text("utf-8").strip()]


def test_no_room_is_too_large_to_sweep() -> None:
    for path in modules():
        lines = path.read_text("utf-8").splitlines()
        reason = bool(lines) and "long because" in lines[0]
        assert len(lines) <= LONGEST or reason, f"{path.relative_to(TOP)} has {len(lines)} lines"


def rules(site: Any) -> Iterator[tuple[Any, Any]]:
    for app in (site.family, site.staff):
        for rule in app.url_map.iter_rules():
            yield app, rule


@pytest.mark.sqlite
def test_every_route_says_who_may_enter(site: Any) -> None:
    for app, rule in rules(site):
        permission = getattr(app.view_functions[rule.endpoint], MARK, None)
        assert permission is not None, f"{rule.rule}: decorate the view with @enters"
        assert permission == PUBLIC or permission in PERMISSIONS


@pytest.mark.sqlite
def test_the_public_app_has_public_pages_only(site: Any) -> None:
    for rule in site.family.url_map.iter_rules():
        assert getattr(site.family.view_functions[rule.endpoint], MARK) == PUBLIC, rule.rule
        assert not rule.rule.startswith("/staff")


OPEN_TO_ALL = {
    *("security.login", "security.logout", "second.step", "second.step_taken", "second.passkey"),
    *("forgotten.forgot", "forgotten.ask", "forgotten.welcome", "forgotten.choose"),
    *("sso.away", "sso.back"),
}


@pytest.mark.sqlite
def test_the_staff_app_opens_to_strangers_only_where_they_sign_in(site: Any) -> None:
    opened = {
        rule.endpoint
        for rule in site.staff.url_map.iter_rules()
        if getattr(site.staff.view_functions[rule.endpoint], MARK) == PUBLIC
    }
    assert opened == OPEN_TO_ALL


@pytest.mark.sqlite
def test_a_stranger_sees_no_staff_page(site: Any) -> None:
    """Every staff address, asked for without signing in, sends to the sign-in page or refuses; none answers."""
    client = site.staff.test_client()
    for rule in site.staff.url_map.iter_rules():
        if rule.endpoint in OPEN_TO_ALL:
            continue
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            answer = client.open(re.sub(r"<[^>]*>", "1", rule.rule), method=method)
            away = answer.status_code == 302 and "/staff/login" in answer.headers["Location"]
            assert away or answer.status_code in (400, 404, 405), f"{method} {rule.rule}: {answer.status}"
            assert method != "GET" or away or answer.status_code == 404


def test_getting_a_page_changes_nothing_by_its_name() -> None:
    """A route for GET is not named for a deed that changes something."""
    deeds = re.compile(r"(delete|remove|publish|freeze|submit|restore)")
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                gets = [one for one in node.decorator_list if isinstance(one, ast.Call) and _is_get(one)]
                assert not (gets and deeds.fullmatch(node.name)), f"{path.relative_to(TOP)}: GET {node.name}"


def _is_get(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "get" and "blueprint" in ast.dump(call.func)


def test_the_readme_and_ci_test_alike() -> None:
    readme = TOP / "README.md"
    line = (TOP / ".ci" / "run").read_text("utf-8").strip().splitlines()[-1]
    assert line in readme.read_text("utf-8").splitlines()
