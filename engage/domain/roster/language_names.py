"""Languages as student information systems write them ("Spanish", "spa", "es-MX", "Arabic (Egypt)") as the tags used
here. What counts as a language, and by which names, is this folder's languages.tsv and nothing that is installed."""

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
"""What says that a language is not known, as keys."""
# Codes of ISO 639 that say something else in a cell of a spreadsheet: "No", Chinese as "CH", not a number as "NaN".
NOT_CODES = frozenset(("no", "ch", "nan", "new"))
HANT_REGIONS = frozenset(("TW", "HK", "MO"))  # Chinese is written in traditional characters there
# RFC 5646 section 2.1: language, script, region; variants and extensions are well formed and say nothing we use
_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3})(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)?")
_EXTENSIONS = re.compile(r"-(?:x(?:-[a-z0-9]{1,8})+|[a-wyz0-9](?:-[a-z0-9]{2,8})+).*\Z")
_ADDRESS = re.compile(r"\A[a-z]+://.*[#/]")  # of a descriptor: uri://ed-fi.org/LanguageDescriptor#spa
_BETWEEN = re.compile(r"\s*[()\[\];/|]\s*|\s+[-–—:]\s+")
_ACCENTS = re.compile("[\u0300-\u036f'’ʼ‘`´ʻ]")  # an apostrophe is a sound in some names and is often left out
_DATA = Path(__file__).with_name("languages.tsv")


@lru_cache(maxsize=4096)
def find_language_tag(text: str) -> str | None:
    """The tag of a language by its name or code: a shipped language's tag where it is one, else the tag itself in its
    usual spelling, at most 20 characters; "" where the cell is empty or says that nobody knows it, None where it names
    no language."""
    plain = _ADDRESS.sub("", " ".join(text.split()).lower())
    parts = [part for part in _BETWEEN.split(plain) if part]
    named = [part for part in parts if _name_key(part) not in UNKNOWN]
    if not plain or _name_key(plain) in UNKNOWN or (parts and not named):
        return ""
    return next(
        (tag for part in (plain, *named) if (tag := _normalize_tag(part.replace("_", "-")) or _tag_by_name(part))), None
    )


def is_unknown_language(text: str) -> bool:
    """Whether a cell says in words that the language is not known."""
    return bool(text.strip()) and find_language_tag(text) == ""


def language_label(tag: str) -> str:
    """A language's English name; "not known" of UNDETERMINED, the tag where it is none of ours."""
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
    """The tag of a code of ISO 639, with script and region; None where ISO 639 does not have it."""
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
    """A shipped tag in the same language and script, else the parts put together."""
    if language == "zh":  # written Chinese is told apart by its script, whatever the country
        script = script or ("Hant" if region in HANT_REGIONS else "Hans")
    for tag in LANGUAGES:
        subtag, _, own_script = tag.partition("-")
        if subtag == language and own_script in ("", script):
            return tag
    return f"zh-{script}" if language == "zh" else "-".join(each for each in (language, script, region) if each)


def _name_key(name: str) -> str:
    """A name without marks and accents: "Chinese (Simplified)" and "Chinese, Simplified" are the same."""
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", name.casefold()))
    return " ".join(re.sub(r"[\s(),./–—-]+", " ", unicodedata.normalize("NFC", bare)).split())


def _language_rows() -> Iterator[tuple[str, list[str], list[str]]]:
    """Tag, codes and names of each line of languages.tsv."""
    for line in _DATA.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            tag, codes, names = line.split("\t")
            yield tag, codes.split(), names.split("|")


@cache
def _tags_by_code() -> dict[str, str]:
    """Tag by code of ISO 639, in small letters."""
    tags: dict[str, str] = {}
    for tag, codes, _ in _language_rows():
        tags |= dict.fromkeys(codes, tag)
        if "-" not in tag:
            tags[tag] = tag
    return tags


@cache
def _tags_by_name() -> dict[str, str]:
    """Tag by name: of ISO 639 and CLDR, what schools write besides, and the shipped languages' own."""
    tags: dict[str, str] = {}
    for tag, _, names in _language_rows():
        language, _, more = tag.partition("-")
        script, region = (more, "") if len(more) == 4 else ("", more)
        tags |= dict.fromkeys(map(_name_key, names), _shipped_tag(language, script, region))
    for each in LANGUAGES.values():
        tags |= {_name_key(each.english): each.tag, _name_key(each.name): each.tag}
    return tags
