"""A small part of the gallery; the whole is `python -m tests.domain.paper.gallery FOLDER`."""

from dataclasses import replace
from pathlib import Path

import pytest

from engage.domain.paper.form.elements import Box
from tests.domain.paper.gallery import ALL, build, faults, laid, variants, written

pytestmark = pytest.mark.slow

CUT = variants(["home-access"], ["ar", "en"], ["letter"], ["standard"])


def test_nothing_is_wrong_with_a_cut_of_the_gallery(tmp_path: Path) -> None:
    assert build(tmp_path, CUT) == []
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"index.html", *(f"{each.name}.{kind}" for each in CUT for kind in ("pdf", "png"))}
    assert set(CUT) <= set(ALL)
    assert len(ALL) == 96


def test_what_is_wrong_is_said() -> None:
    variant = CUT[2]
    sheet = laid(variant)
    pages = tuple(
        replace(page, items=tuple(item.moved(-20, 0) if isinstance(item, Box) else item for item in page.items))
        for page in sheet.pages
    )
    broken = replace(sheet, pages=pages)
    said = " ".join(faults(variant, broken, written(variant, sheet)))
    assert "not sound" in said
    assert "the code is not read" in said, "its geometry has another digest"
