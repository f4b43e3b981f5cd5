"""Languages as student information systems write them ("Spanish", "spa", "es-MX") as the tags used here."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from babel import Locale
from babel.core import get_global

from engage.languages import LANGUAGES

UNKNOWN = frozenset(
    ("", "unknown", "other", "none", "na", "n/a", "und", "mul", "mis", "zxx", "not specified", "undetermined")
)
# RFC 5646 section 2.1: language, script, region; variants and extensions are well formed and say nothing we use
_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*")
_EXTENSIONS = re.compile(r"-(?:x(?:-[a-z0-9]{1,8})+|[a-wyz0-9](?:-[a-z0-9]{2,8})+).*\Z")
MORE_NAMES = {
    "chinese": "zh",
    "chinese simplified": "zh-Hans",
    "chinese traditional": "zh-Hant",
    "mandarin": "zh",
    "mandarin chinese": "zh",
    "chinese mandarin": "zh",
    "putonghua": "zh",
    "cantonese": "yue",
    "chinese cantonese": "yue",
    "haitian": "ht",
    "creole": "ht",
    "kreyol": "ht",
    "farsi": "fa",
    "dari": "fa-AF",
    "burmese": "my",
    "karen": "kar",
    "hmong": "hmn",
    "tagalog": "fil",
    "pilipino": "fil",
    "castilian": "es",
    "panjabi": "pa",
    "oromo": "om",
    "tigrinya": "ti",
    "kinyarwanda": "rw",
    "pushto": "ps",
    "sign language": "ase",
    "american sign language": "ase",
}


@lru_cache(maxsize=4096)
def tag_of(text: str) -> str | None:
    """The tag of a language by its name or code: a shipped language's tag where it is one, else the tag itself in its
    usual spelling, at most 11 characters; "" where the district does not know it, None where nobody would know it."""
    plain = " ".join(text.split()).lower()
    if plain in UNKNOWN:
        return ""
    for each in (plain, *re.split(r"[;/]", plain)):
        if found := _names().get(_key(each)):
            return found
    return _from_tag(plain.replace("_", "-"))


def _from_tag(plain: str) -> str | None:
    found = _TAG.fullmatch(_EXTENSIONS.sub("", plain))
    if not found:
        return None
    language, script, region = found.groups()
    known = str(get_global("language_aliases").get(language.lower()) or language.lower()).split("_")
    region = (region or (known[1] if len(known) > 1 else "")).upper()
    return _shipped(known[0], (script or "").title(), region)


def _shipped(language: str, script: str, region: str) -> str:
    """A shipped tag in the same language and script, else the parts put together."""
    for tag in LANGUAGES:
        own, _, own_script = tag.partition("-")
        if own == language and own_script in ("", script or _script(language, region)):
            return tag
    if language == "zh":  # written Chinese is told apart by its script, whatever the country
        return f"zh-{script or _script(language, region)}"
    return "-".join(each for each in (language, script, region) if each)


def _script(language: str, region: str) -> str:
    likely: Mapping[str, str] = get_global("likely_subtags")
    full = likely.get(f"{language}_{region}") or likely.get(language) or ""
    return next((part for part in full.split("_")[1:] if len(part) == 4), "")


def _key(name: str) -> str:
    """A name without marks: "Chinese (Simplified)" and "Chinese, Simplified" are the same."""
    return " ".join(re.sub(r"[(),–-]", " ", name.lower()).split())


@cache
def _names() -> dict[str, str]:
    """Tag by name: English names, the languages' own names, and what schools write besides."""
    tags = {str(name): code.replace("_", "-") for code, name in Locale("en").languages.items()}
    named = {_key(name): tag for name, tag in tags.items() if len(name) > 3}
    named |= MORE_NAMES | {_key(each.english): each.tag for each in LANGUAGES.values()}
    named |= {_key(each.name): each.tag for each in LANGUAGES.values()}
    return {name: _from_tag(tag.lower()) or tag for name, tag in named.items()}
