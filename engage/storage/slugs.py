"""Readable ids for URLs: "Home access, fall 2026" becomes home-access-fall-2026."""

import re
import unicodedata
from typing import Any

from sqlalchemy.orm import Session

ID_MOST = 50  # characters from the title; the columns hold 60, so that "-2" and so on may follow
READABLE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")


def make_slug(title: str, otherwise: str) -> str:
    """Return an id made from a title: lowercase letters a-z, digits, and hyphens; `otherwise` if none remain."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:ID_MOST].strip("-") or otherwise


def unique_slug(session: Session, table: type[Any], title: str) -> str:
    """Return the slug of a title, with -2, -3 … appended if a row already has it."""
    slug, number = title, 1
    while session.get(table, slug):
        number += 1
        slug = f"{title}-{number}"
    return slug
