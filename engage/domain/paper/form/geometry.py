"""Positions of everything a reader must find, as JSON that is stored with the edition, so that a form printed today can
be read years later regardless of changes to fonts, texts, and this program.

    {"version": 1, "edition": "9f…", "language": "ar", "second": "en", "paper": "a4", "style": "standard",
     "fonts": "03…", "width": 210.0, "height": 297.0, "pages": [{"number": 1, "marks": [{"x": 9.0, "y": 9.0,
     "width": 8.0, "height": 8.0, "id": 1}, …], "codes": […], "places": […], "boxes": […], "combs": […], "lines": […]}]}

Lengths are in mm from the top left corner of the physical paper, rounded to 0.001.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from engage.domain.paper.form.elements import Box, Code, Comb, Item, Layout, Mark, Page, Place, WritingLine

VERSION = 1
KINDS: dict[str, type[Item]] = {
    "marks": Mark,
    "codes": Code,
    "places": Place,
    "boxes": Box,
    "combs": Comb,
    "lines": WritingLine,
}
LENGTHS = ("x", "y", "width", "height")


@dataclass(frozen=True, slots=True)
class Geometry:
    """A layout without texts. `edition` and `fonts` are digests of the survey and of the fonts used."""

    edition: str
    language: str
    second: str | None
    paper: str
    style: str
    fonts: str
    width: float
    height: float
    pages: tuple[Page, ...]


def geometry_json(layout: Layout, edition_digest: str) -> str:
    """Return the layout's geometry as canonical JSON: equal layouts give equal text."""
    values = {
        "version": VERSION,
        "edition": edition_digest,
        "language": layout.language,
        "second": layout.second,
        "paper": layout.paper,
        "style": layout.style,
        "fonts": layout.fonts,
        "width": layout.width,
        "height": layout.height,
        "pages": [_page_to_json(page) for page in layout.pages],
    }
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """Return the digest that identifies a layout: SHA-256 of its geometry, 64 hex digits."""
    return sha256(text.encode()).hexdigest()


def read_geometry(text: str) -> Geometry:
    """Parse the result of `geometry_json`. Raises ValueError for anything else."""
    try:
        document = json.loads(text)
        if document.pop("version") != VERSION:
            raise ValueError("this geometry is of another version")
        return Geometry(**document | {"pages": tuple(_read_page(page) for page in document["pages"])})
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as problem:
        raise ValueError(f"this is no geometry: {problem}") from problem


def _page_to_json(page: Page) -> dict[str, Any]:
    """Return the items by kind, in reading order."""
    kinds = {name: [_item_to_json(item) for item in page.items if type(item) is kind] for name, kind in KINDS.items()}
    return {"number": page.number, **kinds}


def _item_to_json(item: Item) -> dict[str, Any]:
    return {key: round(value, 3) if key in LENGTHS else value for key, value in asdict(item).items()}


def _read_page(page: Mapping[str, Any]) -> Page:
    return Page(page["number"], tuple(kind(**item) for name, kind in KINDS.items() for item in page[name]))
