"""Whether families could go through the pages in a language without falling into English."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from engage.base.languages import LANGUAGES, is_usable, po_path, read_words

STAFF_ONLY = (
    "engage/sites/liaison/",
    "engage/sites/district/",
    "engage/sites/administration/",
    "engage/domain/roster/",
    "engage/domain/paper/documents/separators",
    "engage/domain/paper/documents/handout_list",
    "engage/services/waves/small_schools",
    "engage/services/waves/opening",
    "engage/services/waves/reminders",
    "engage/services/printing/orders",
    "engage/services/printing/messages",
    "engage/domain/mail/account_messages",
    "engage/web/auth/",
    "engage/web/permissions",
    "engage/web/navigation",
    "engage/web/templates/account",
    "engage/web/templates/me",
    "engage/web/templates/login",
    "engage/web/templates/base_staff",
    "engage/web/templates/staff_",
    "engage/web/templates/security",
)


def gaps(tags: Iterable[str], translations: Path | None = None) -> dict[str, list[str]]:
    """The untranslated texts of the families' pages, for each language that has any."""
    return {tag: list(found) for tag in tags if tag in LANGUAGES and (found := _gaps(tag, translations))}


def _gaps(tag: str, translations: Path | None) -> tuple[str, ...]:
    path = po_path(tag, "messages", translations)
    if LANGUAGES[tag].source:
        return ()
    if not path.is_file():
        return (path.name,)
    stat = path.stat()
    return _untranslated(tag, path, (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=64)
def _untranslated(tag: str, path: Path, _version: tuple[int, int]) -> tuple[str, ...]:
    """Of one version of the file; reading it takes 0.2 s."""
    catalog = read_words(path, LANGUAGES[tag])
    waiting = [each for each in catalog if each.id and not is_usable(each, catalog) and _meets_families(each.locations)]
    return tuple(each.id[0] if isinstance(each.id, list | tuple) else str(each.id) for each in waiting)


def _meets_families(locations: Iterable[tuple[str, int | None]]) -> bool:
    """Whether a text stands on a page families see; a text of unknown origin is taken to."""
    files = [name for name, _ in locations]
    return not files or any(not name.startswith(STAFF_ONLY) for name in files)
