"""Whether families could go through the pages in a language without falling into English."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from engage.base.languages import LANGUAGES, is_usable, po_path, read_po_file


def translation_gaps(tags: Iterable[str], translations: Path | None = None) -> dict[str, list[str]]:
    """The untranslated texts of the families' pages, for each language that has any."""
    return {tag: list(gaps) for tag in tags if tag in LANGUAGES and (gaps := _language_gaps(tag, translations))}


def _language_gaps(tag: str, translations: Path | None) -> tuple[str, ...]:
    path = po_path(tag, "family", translations)
    if LANGUAGES[tag].source:
        return ()
    if not path.is_file():
        return (path.name,)
    stat = path.stat()
    return _untranslated_texts(tag, path, (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=64)
def _untranslated_texts(tag: str, path: Path, _version: tuple[int, int]) -> tuple[str, ...]:
    """Of one version of the file; reading it takes 0.2 s."""
    catalog = read_po_file(path, LANGUAGES[tag])
    waiting = [each for each in catalog if each.id and not is_usable(each, catalog)]
    return tuple(each.id[0] if isinstance(each.id, list | tuple) else str(each.id) for each in waiting)
