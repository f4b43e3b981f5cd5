"""The rules of the code: layers and imports, module sizes, permissions on every route."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engage.domain.security.permissions import PERMISSIONS, PUBLIC
from engage.web.permissions import MARK
from tests.paths import ENGAGE, ROOT, modules

LAYERS = (
    *("base", "questionnaire", "storage", "domain", "services", "web", "sites", "app", "server", "demo", "cli"),
    *("__main__", "__init__"),
)
INDEPENDENT = {"domain", "sites"}  # layers whose packages do not import one another
WEB = {"web", "sites", "app", "server", "demo", "cli", "__main__", "__init__"}
FLASK = {"flask", "werkzeug", "wtforms", "flask_login", "flask_babel", "flask_wtf", "whitenoise"}
UNNAMED = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "lib"}
LONGEST = 400  # lines
SHORTEST = 40  # lines; a shorter module is merged into the one it serves
CONTRACTS = {"__init__", "__main__", "blueprint", "context", "env"}  # may be short; env is Alembic's
SHORT_PACKAGES = {"engage.cli", "engage.storage.models"}  # one module for each command, and for each group of tables
SHORT_FILES = {
    "engage.base.exports.csv",
    "engage.sites.district.job_messages",
    "engage.sites.district.wave_targets",
    "engage.sites.family.draft_limit",
    "engage.sites.family.printable_form_cache",
    "engage.sites.family.form_fields",
    "engage.sites.family.home",
    "engage.sites.family.missing_answers",
    "engage.sites.family.wave_notice",
    "engage.storage.slugs",
    "engage.web.audit",
    "engage.web.auth.sso.authorization",
    "engage.web.browser_language",
    "engage.web.language_labels",
    "engage.web.log_filters",
    "engage.web.mail",
    "engage.web.networks",
    "engage.web.role_labels",
}
MOST_PARAMETERS = 6
UNTYPED = {  # public functions that still take or return a mapping to Any
    "engage.sites.district.checkpoint.report_context",
    "engage.sites.family.address_correction.redirect_mistyped",
    "engage.sites.family.blueprint.set_language_from_url",
    "engage.web.auth.sso.admission.admit_person",
    "engage.web.auth.sso.client.fetch_claims",
}
ANYWHERE = {"__init__", "blueprint", "context", "messages", "retention"}  # module names every package may have
PARTICIPLES = {
    *("told", "said", "kept", "found", "given", "made", "known", "shown", "asked", "came", "look", "again"),
    *("mine", "own"),
}
LAZY = {"cli", "__init__"}  # commands and the package import modules on first use


def name(path: Path) -> str:
    """Return a module's dotted name."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def names() -> frozenset[str]:
    return frozenset(name(path) for path in modules())


def layer(module: str) -> str:
    """Return the layer: domain for engage.domain.roster.diff; __init__ for engage itself."""
    return (*module.split("."), "__init__")[1]


def package(module: str) -> str:
    """Return the package: roster for engage.domain.roster.diff; empty for the layer's own package."""
    return (*module.split("."), "", "")[2]


@cache
def imports(path: Path) -> tuple[tuple[str, ast.stmt], ...]:
    """Return every module a file imports, with the statement, except those for the type checker only."""
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
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield (full if full in names() else str(node.module)), node


def ours(path: Path) -> set[str]:
    """Return the modules of engage that a module imports."""
    return {module for module, _ in imports(path) if module.split(".")[0] == "engage"}


def test_every_module_is_in_a_layer() -> None:
    assert {layer(name(path)) for path in modules()} == set(LAYERS)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ENGAGE)))
def test_imports_go_down_and_never_sideways(path: Path) -> None:
    here = name(path)
    for other in ours(path):
        assert LAYERS.index(layer(other)) <= LAYERS.index(layer(here)), f"{here} imports {other}"
        if layer(here) == layer(other) and layer(here) in INDEPENDENT:
            assert package(other) in (package(here), ""), f"{here} imports {other}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ENGAGE)))
def test_flask_is_used_in_web_and_sites_only(path: Path) -> None:
    if layer(name(path)) not in WEB:
        libraries = {module.split(".")[0] for module, _ in imports(path)}
        assert not libraries & FLASK, f"{name(path)} imports {libraries & FLASK}"


def test_the_command_line_imports_no_site() -> None:
    for path in modules():
        if layer(name(path)) == "cli":
            assert not [module for module in ours(path) if layer(module) == "sites"], name(path)


def test_only_storage_web_and_tasks_commit() -> None:
    """Domains leave the commit to the view, command, or task that opened the session."""
    for path in modules():
        if layer(name(path)) == "domain":
            calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)]
            assert not [node for node in calls if node.attr == "commit"], f"{name(path)} commits"


def test_imports_are_at_the_top() -> None:
    """An import inside a function hides a cycle. Only commands load modules when they are used."""
    for path in modules():
        if layer(name(path)) in LAZY:
            continue
        hidden = {module for module, node in imports(path) if module.startswith("engage.") and node.col_offset > 0}
        assert hidden <= LOADED_LATE.get(name(path), set()), f"{name(path)} imports {hidden} inside something"


LOADED_LATE = {  # only the worker's process imports DBOS and pandas
    "engage.server.worker_process": {"engage.services.retention.policies", "engage.services.tasks.worker"}
}


def test_no_cycle_of_modules() -> None:
    roots = (ENGAGE / "__init__.py", ENGAGE / "__main__.py")
    graph = {
        name(path): {other for other in ours(path) if other in names() and _is_needed(name(path), other)}
        for path in modules()
        if path not in roots
    }
    while graph:
        free = {one for one, needs in graph.items() if not needs & graph.keys()}
        assert free, f"a cycle among {sorted(graph)}"
        graph = {one: needs for one, needs in graph.items() if one not in free}


def _is_needed(one: str, other: str) -> bool:
    return other != one and not one.startswith(other + ".")  # every module implicitly imports its packages


def test_every_module_has_a_name_that_says_something() -> None:
    assert not [path for path in modules() if path.stem in UNNAMED]


def test_no_module_name_stands_twice_in_a_layer() -> None:
    counted = Counter((layer(name(path)), path.stem) for path in modules() if path.stem not in ANYWHERE)
    assert [one for one, count in counted.items() if count > 1] == []


def definitions(path: Path) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Yield every function and class of a module, including methods and inner ones."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node


def test_no_function_or_class_has_a_bare_participle_for_a_name() -> None:
    named = {(name(path), node.name) for path in modules() for node in definitions(path)}
    assert {(module, one) for module, one in named if one.strip("_").lower() in PARTICIPLES} == set()


def names_inside(path: Path) -> set[str]:
    """Return every parameter and local variable of a module's functions."""
    functions = [node for node in definitions(path) if isinstance(node, ast.FunctionDef)]
    nodes = [inner for function in functions for inner in ast.walk(function)]
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.arg for node in nodes if isinstance(node, ast.arg)}


def test_no_parameter_or_local_variable_has_a_bare_participle_for_a_name() -> None:
    assert [name(path) for path in modules() if PARTICIPLES & names_inside(path)] == []


def test_each_is_a_name_only_in_a_loop_of_one_line() -> None:
    """In a longer loop, the variable's name says what it is."""
    long = {
        f"{name(path)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name) and node.target.id in ("each", "one")
        if (node.end_lineno or 0) - node.lineno > 1
    }
    assert long == set()


def test_no_class_name_stands_twice() -> None:
    """Except private ones and WTForms' Meta: what other modules import must be searchable by name."""
    counted = Counter(node.name for path in modules() for node in definitions(path) if isinstance(node, ast.ClassDef))
    assert [one for one, count in counted.items() if count > 1 and not one.startswith("_") and one != "Meta"] == []


def parameters(node: ast.FunctionDef) -> int:
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return len(given) - (bool(given) and given[0].arg in ("self", "cls"))


def test_a_function_has_at_most_six_parameters() -> None:
    """More is a dataclass."""
    more = {
        f"{name(path)}.{node.name}"
        for path in modules()
        for node in definitions(path)
        if isinstance(node, ast.FunctionDef) and parameters(node) > MOST_PARAMETERS
    }
    assert more == set()


MAPPING_TO_ANY = re.compile(r"\b(dict|Mapping|MutableMapping)\[str, Any\]")


def aliases_of_untyped_mappings(path: Path) -> set[str]:
    """Return the names of a module for a mapping to Any, such as `Values = dict[str, Any]`."""
    return {
        target.id
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign) and MAPPING_TO_ANY.fullmatch(ast.unparse(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def is_untyped(node: ast.FunctionDef, aliases: set[str]) -> bool:
    """Whether a function takes or returns a mapping to Any, by that name or by an alias."""
    annotated = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    annotations = [each.annotation for each in annotated] + [node.returns]
    texts = [ast.unparse(annotation) for annotation in annotations if annotation]
    return any(MAPPING_TO_ANY.search(text) or aliases & {*re.findall(r"\w+", text)} for text in texts)


def test_no_public_function_takes_or_returns_a_mapping_to_any() -> None:
    """JSON and bundles of values are a TypedDict or a dataclass. The list may only become shorter."""
    defined = {name(path): aliases_of_untyped_mappings(path) for path in modules()}
    untyped = set()
    for path in modules():
        imported = {module for module, _ in imports(path)}
        aliases = set().union(*(names for module, names in defined.items() if module in {*imported, name(path)}))
        untyped |= {
            f"{name(path)}.{node.name}"
            for node in definitions(path)
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and is_untyped(node, aliases)
        }
    assert untyped == UNTYPED


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in modules() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert not [path for path in silent if path.read_text("utf-8").strip()]


def test_no_module_is_too_long() -> None:
    for path in modules():
        lines = path.read_text("utf-8").splitlines()
        reason = bool(lines) and "long because" in lines[0]
        assert len(lines) <= LONGEST or reason, f"{name(path)} has {len(lines)} lines"


def rules(site: Any) -> Iterator[tuple[Any, Any]]:
    for app in (site.family, site.staff):
        for rule in app.url_map.iter_rules():
            yield app, rule


def is_contract(path: Path) -> bool:
    """Whether a module may be short: a package's or blueprint's own, a command, or a group of tables."""
    return path.stem in CONTRACTS or name(path).rpartition(".")[0] in SHORT_PACKAGES


def test_a_short_module_joins_the_one_it_serves() -> None:
    """The list names those that are still short; it may only become shorter."""
    short = {path for path in modules() if len(path.read_text("utf-8").splitlines()) < SHORTEST}
    assert {name(path) for path in short if not is_contract(path)} == SHORT_FILES


def test_every_layer_says_what_it_may_not_do() -> None:
    layers = [folder for folder in ENGAGE.iterdir() if (folder / "__init__.py").is_file()]
    assert not [folder for folder in layers if "May not" not in (folder / "README.md").read_text("utf-8")]


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
    *("sign_in.page", "sign_in.enter", "sign_in.sign_out", "second.step", "second.step_taken", "second.passkey"),
    *("forgotten.forgot_password", "forgotten.ask", "forgotten.welcome", "forgotten.choose"),
    *("sso.start_sign_in", "sso.finish_sign_in"),
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
    """Every staff URL, requested without signing in, redirects to the sign-in page or is refused; none responds."""
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
    """A GET route is not named after an action that changes something."""
    deeds = re.compile(r"(delete|remove|publish|freeze|submit|restore)")
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                gets = [one for one in node.decorator_list if isinstance(one, ast.Call) and _is_get(one)]
                assert not (gets and deeds.fullmatch(node.name)), f"{path.relative_to(ROOT)}: GET {node.name}"


def _is_get(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "get" and "blueprint" in ast.dump(call.func)


def test_the_readme_and_ci_test_alike() -> None:
    readme = ROOT / "README.md"
    line = (ROOT / ".ci" / "run").read_text("utf-8").strip().splitlines()[-1]
    assert line in readme.read_text("utf-8").splitlines()
