"""Conversion of languages as student information systems write them ("Spanish", "spa", "es-MX", "Arabic (Egypt)") to
language tags. All languages and names are in languages.tsv in this folder; no installed library is used."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

from engage.base.languages import LANGUAGES
from engage.storage.models.schools import UNDETERMINED

UNKNOWN = frozenset(
    ("unknown", "other", "none", "na", "n a", "und", "mul", "mis", "zxx", "not specified", "undetermined", "not known")
)
"""Normalized texts that mean an unknown language."""
# ISO 639 codes that mean something else in a spreadsheet cell: "No", Chinese as "CH", and "NaN" for not a number.
NOT_CODES = frozenset(("no", "ch", "nan", "new"))
HANT_REGIONS = frozenset(("TW", "HK", "MO"))  # regions where Chinese is written in traditional characters
# RFC 5646 section 2.1: language, script, region. Variants and extensions are well-formed but not used.
_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3})(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)?")
_EXTENSIONS = re.compile(r"-(?:x(?:-[a-z0-9]{1,8})+|[a-wyz0-9](?:-[a-z0-9]{2,8})+).*\Z")
_ADDRESS = re.compile(r"\A[a-z]+://.*[#/]")  # prefix of a descriptor: uri://ed-fi.org/LanguageDescriptor#spa
_BETWEEN = re.compile(r"\s*[()\[\];/|]\s*|\s+[-–—:]\s+")
_ACCENTS = re.compile("[\u0300-\u036f'’ʼ‘`´ʻ]")  # an apostrophe is a sound in some names, and often left out
_DATA = Path(__file__).with_name("languages.tsv")


@lru_cache(maxsize=4096)
def find_language_tag(text: str) -> str | None:
    """Return the tag of a language from its name or code.

    A shipped language has its shipped tag; others have their usual spelling, at most 20 characters. "" if the cell is
    empty or says that the language is unknown; None if it does not name a language.
    """
    plain = _ADDRESS.sub("", " ".join(text.split()).lower())
    parts = [part for part in _BETWEEN.split(plain) if part]
    named = [part for part in parts if _name_key(part) not in UNKNOWN]
    if not plain or _name_key(plain) in UNKNOWN or (parts and not named):
        return ""
    return next(
        (tag for part in (plain, *named) if (tag := _normalize_tag(part.replace("_", "-")) or _tag_by_name(part))), None
    )


def is_unknown_language(text: str) -> bool:
    """Whether a text says that the language is unknown."""
    return bool(text.strip()) and find_language_tag(text) == ""


def language_label(tag: str) -> str:
    """Return a language's English name; "not known" for UNDETERMINED, and the tag itself for an unknown tag."""
    if tag in LANGUAGES:
        return LANGUAGES[tag].english
    if tag == UNDETERMINED:
        return "not known"
    language, _, more = tag.partition("-")
    return _english_names().get(tag) or (
        f"{_english_names()[language]} ({more})" if language in _english_names() else tag
    )


@cache
def _english_names() -> dict[str, str]:
    return {tag: names[0] for tag, _, names in _language_rows()}


def _tag_by_name(part: str) -> str | None:
    return _tags_by_name().get(_name_key(part))


def _normalize_tag(plain: str) -> str | None:
    """Return the tag for an ISO 639 code with optional script and region. None if ISO 639 does not have it."""
    match = _TAG.fullmatch(_EXTENSIONS.sub("", plain))
    if not match:
        return None
    code, script, region = match.groups()
    known_tag = _tags_by_code().get(code)
    if known_tag is None or plain in NOT_CODES:
        return None
    language, _, extlang = known_tag.partition("-")
    return _shipped_tag(language, (script or "").title(), (region or extlang).upper())


def _shipped_tag(language: str, script: str, region: str) -> str:
    """Return the shipped tag with the same language and script, otherwise the tag made of the parts."""
    if language == "zh":  # written Chinese is distinguished by script, regardless of the country
        script = script or ("Hant" if region in HANT_REGIONS else "Hans")
    for tag in LANGUAGES:
        subtag, _, own_script = tag.partition("-")
        if subtag == language and own_script in ("", script):
            return tag
    return f"zh-{script}" if language == "zh" else "-".join(each for each in (language, script, region) if each)


def _name_key(name: str) -> str:
    """Normalize a name, without punctuation and accents: "Chinese (Simplified)" and "Chinese, Simplified" are equal."""
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", name.casefold()))
    return " ".join(re.sub(r"[\s(),./–—-]+", " ", unicodedata.normalize("NFC", bare)).split())


def _language_rows() -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield tag, codes, and names of each line of languages.tsv."""
    for line in _DATA.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            tag, codes, names = line.split("\t")
            yield tag, codes.split(), names.split("|")


@cache
def _tags_by_code() -> dict[str, str]:
    """Return the tags by ISO 639 code, in lowercase."""
    tags: dict[str, str] = {}
    for tag, codes, _ in _language_rows():
        tags |= dict.fromkeys(codes, tag)
        if "-" not in tag:
            tags[tag] = tag
    return tags


@cache
def _tags_by_name() -> dict[str, str]:
    """Return the tags by name: names of ISO 639 and CLDR, other names used by schools, and names of shipped
    languages."""
    tags: dict[str, str] = {}
    for tag, _, names in _language_rows():
        language, _, more = tag.partition("-")
        script, region = (more, "") if len(more) == 4 else ("", more)
        tags |= dict.fromkeys(map(_name_key, names), _shipped_tag(language, script, region))
    for each in LANGUAGES.values():
        tags |= {_name_key(each.english): each.tag, _name_key(each.name): each.tag}
    return tags
