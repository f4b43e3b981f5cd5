"""References in the documentation exist: files, headings, tests, and modules."""

import re
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

import engage.storage.models  # noqa: F401  # so that the metadata has every table
from engage.base.config import DAYS_LEAST, NOT_SETTINGS, Settings
from engage.storage.models.base import Base
from tests.paths import ROOT

LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
MODULE = re.compile(r"[\w/]+\.py\b")
SETTING = re.compile(r"^\| `(ENGAGE_\w+)` \| .+ \| (.+) \|$", re.M)  # name and default, in the table of install.md
PATH = re.compile(r"`((?:engage|tests|surveys|translations|\.ci|docs)/[\w./-]+\.(?:py|md|toml|html|po|txt))`")


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def anchors(document: Path) -> set[str]:
    """Return the headings of a document, as GitHub's anchors."""
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for target, anchor in LINK.findall(document.read_text("utf-8")):
        path = document.parent / target if target else document
        assert path.exists(), f"{target} is not there"
        assert not anchor or path.suffix != ".md" or anchor in anchors(path), f"{target}#{anchor}: no such heading"


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_is_there(document: Path) -> None:
    for name in PATH.findall(document.read_text("utf-8")):
        assert (ROOT / name).exists(), f"{name} is not there"


def test_every_module_that_a_docstring_or_comment_names_is_there() -> None:
    """By its whole path or the end of it: `release.py`, services/retention/policies.py."""
    known = [f"/{path.relative_to(ROOT)}" for path in ROOT.rglob("*.py") if ".venv" not in path.parts]
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / "engage").rglob("*.py"))
        for name in MODULE.findall(path.read_text("utf-8"))
        if not any(each.endswith(f"/{name.lstrip('/')}") for each in known)
    }
    assert missing == set()


def test_the_table_of_settings_has_every_setting_and_its_default() -> None:
    table = dict(SETTING.findall((ROOT / "docs/install.md").read_text("utf-8")))
    defaults = {f"ENGAGE_{each.name.upper()}": getattr(Settings(), each.name) for each in fields(Settings)}
    assert set(table) == {*defaults, *NOT_SETTINGS}
    for name, default in defaults.items():
        expected = "yes" if default is True else str(default)
        if default not in ("", {}):  # the table describes an empty default in words
            assert table[name].startswith(f"`{expected}`"), name


def chapter(heading: str) -> str:
    """The text below a heading of docs/privacy.md, up to the next heading of its level."""
    text = (ROOT / "docs" / "privacy.md").read_text("utf-8")
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def test_the_data_inventory_lists_every_table_once() -> None:
    inventory = chapter("What is stored").split("### Files")[0]
    listed = Counter(re.findall(r"`([a-z_]+)`", inventory)) - Counter(["alembic_version"])
    assert listed == Counter(list(Base.metadata.tables))


def test_the_periods_are_those_of_the_settings() -> None:
    default = Settings()
    rows = re.findall(
        r"^\| `ENGAGE_(KEEP_\w+_DAYS)` \| (\d+) \| (\d+) \|", chapter("Settings that decide how long"), re.M
    )
    expected = {each.name: each for each in fields(Settings) if re.fullmatch(r"keep_\w+_days", each.name)}
    assert {name.lower(): (int(days), int(least)) for name, days, least in rows} == {
        name: (getattr(default, name), DAYS_LEAST.get(name, 0)) for name in expected
    }
    stated = re.findall(r"`ENGAGE_(KEEP_\w+_DAYS)`\s+\((\d+)\)", chapter("What is stored"))
    assert stated
    assert {(name.lower(), int(days)) for name, days in stated} <= {(name, getattr(default, name)) for name in expected}
