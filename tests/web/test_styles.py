"""Style sheets, as written and as served."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from engage.web.assets import STATIC, asset, compressed_folder
from tests.people import Family

SHEETS = sorted(STATIC.glob("*.css"))
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
DIRECTIONAL = re.compile(
    r"(?:margin|padding|border)-(?:left|right)|(?<![-\w])(?:left|right)\s*:|text-align:\s*(?:left|right)"
)


def rules(sheet: Path) -> list[tuple[str, list[str]]]:
    """Return the innermost rules: selectors, and a line for each declaration."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.S)
    return [
        (selectors.strip(), [line.strip() for line in body.strip().splitlines() if line.strip()])
        for selectors, body in RULE.findall(text)
    ]


def names(declarations: list[str]) -> list[str]:
    return [line.partition(":")[0] for line in declarations]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_each_line_has_one_declaration_in_alphabetical_order(sheet: Path) -> None:
    for selectors, declarations in rules(sheet):
        assert all(re.fullmatch(r"[-a-z]+: [^;]+;", line) for line in declarations), selectors
        own = names(declarations)
        assert len(set(own)) == len(own), f"{selectors}: a property twice"
        assert own == sorted(own, key=lambda name: name if name.startswith("--") else name.lstrip("-")), selectors


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_no_rule_stands_twice_and_none_is_empty(sheet: Path) -> None:
    plain = re.sub(r"@[^{]+\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.S))
    selectors = [selectors.strip() for selectors, body in RULE.findall(plain)]
    assert len(set(selectors)) == len(selectors), sorted(one for one in selectors if selectors.count(one) > 1)
    assert all(declarations for _, declarations in rules(sheet))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_pages_turn_around_by_themselves_in_arabic(sheet: Path) -> None:
    assert not DIRECTIONAL.findall(sheet.read_text())


def test_a_browser_that_takes_gzip_gets_it(site: Any) -> None:
    client = Family(site).client
    with client.get(asset("engage.css")) as plain:
        whole, vary = plain.data, plain.headers["Vary"]
    with client.get(asset("engage.css"), headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Vary"] == vary == "Accept-Encoding"
        assert gzip.decompress(packed.data) == whole == (STATIC / "engage.css").read_bytes()
        assert len(packed.data) < len(whole) / 3


def test_processes_share_one_copy_that_is_whole(tmp_path: Path) -> None:
    folder = compressed_folder(tmp_path)
    missing, other = folder / "engage.css.gz", folder / "staff.css"
    missing.unlink()
    before = other.stat().st_ino
    assert compressed_folder(tmp_path) == folder
    assert gzip.decompress(missing.read_bytes()) == (STATIC / "engage.css").read_bytes()
    assert other.stat().st_ino == before, "a file that a process may be sending is left alone"
    assert len(list(folder.iterdir())) == 2 * len(list(STATIC.iterdir()))
