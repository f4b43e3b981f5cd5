"""The preferred language of a browser, among the supported ones."""

from collections.abc import Iterable

from flask import request

from engage.base.languages import LANGUAGES


def preferred_language() -> str | None:
    """The tag of the supported language that this request's browser prefers; None if it names none of them."""
    return closest_language(tag for tag, quality in request.accept_languages if quality > 0)


def closest_language(wanted: Iterable[str]) -> str | None:
    """The first wanted language that is supported. The region does not matter: ar-EG is ar; but the script does:
    zh-Hant is not zh-Hans, and zh-TW is written in zh-Hant (CLDR likely subtags)."""
    return next((match for tag in wanted if (match := _match_language(tag.replace("_", "-").lower()))), None)


def _match_language(tag: str) -> str | None:
    parts = tag.split("-")
    other_script = "hant" in parts or (parts[0] == "zh" and {"tw", "hk", "mo"} & set(parts) and "hans" not in parts)
    for ours in LANGUAGES:
        same = ours.lower() == tag or ours.lower().split("-")[0] == parts[0]
        if same and not (other_script and ours.endswith("-Hans")):
            return ours
    return None
