"""The registry of languages (`translations/languages.toml`): their names, direction, plural rule, and fonts."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Review:
    """Who reviewed the translations of a domain, and on which day ("YYYY-MM-DD")."""

    by: str
    on: str


@dataclass(frozen=True, slots=True)
class Language:
    """One language. `tag` is its URL segment and stored value; `name` is its name in the language itself."""

    tag: str
    name: str
    english: str
    direction: str  # "ltr" or "rtl"
    locale: str  # for Babel's dates and numbers; also the folder of the compiled catalogs
    plurals: str  # Plural-Forms of its .po files, by CLDR's cardinal rules; never the rule of the installed Babel
    fonts: tuple[str, ...]
    reviewed: Mapping[str, Review] = field(hash=False)  # by domain; only domains that have been reviewed
    source: bool = False

    def is_draft(self, domain: str = "family") -> bool:
        """Whether the translations of this domain have not been reviewed yet."""
        return not self.source and domain not in self.reviewed

    @property
    def rtl(self) -> bool:
        """Whether the language is written from right to left."""
        return self.direction == "rtl"


def shipped_folder(folder: str) -> Path:
    """Return the folder "translations" or "surveys": beside the package in a checkout, inside it in an installation."""
    beside = PACKAGE.parent / folder
    return beside if (PACKAGE.parent / "translations" / "languages.toml").is_file() else PACKAGE / "_shipped" / folder


def read_languages(path: Path) -> dict[str, Language]:
    """Return the languages of a registry file, by tag, in the order of the file."""
    with path.open("rb") as opened:
        return {table["tag"]: _parse_language(table) for table in tomllib.load(opened)["languages"]}


def _parse_language(table: dict[str, Any]) -> Language:
    entries = table.get("reviewed", {}).items()
    reviews = {domain: Review(each["by"], each["on"]) for domain, each in entries if each["by"]}
    if table["direction"] not in ("ltr", "rtl"):
        raise ValueError(f'languages.toml: {table["tag"]}: direction is not "ltr" or "rtl"')
    return Language(
        tag=table["tag"],
        name=table["name"],
        english=table["english"],
        direction=table["direction"],
        locale=table["locale"],
        plurals=table["plurals"],
        fonts=tuple(table["fonts"]),
        reviewed=MappingProxyType(reviews),
        source=table.get("source", False),
    )


LANGUAGES: Mapping[str, Language] = MappingProxyType(read_languages(shipped_folder("translations") / "languages.toml"))
"""Every shipped language by tag, in the order they are offered."""
