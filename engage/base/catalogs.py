"""Message catalogs: the texts of the interface and of the surveys in every language.

Translations are edited in `translations/<tag>/LC_MESSAGES/{family,staff,surveys}.po`. Files that have changed are
compiled into `<catalog directory>/<locale>/LC_MESSAGES/*.mo`, where Flask-Babel also looks for them.
"""

import gettext
import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from engage.base.files import replace_file
from engage.base.languages import LANGUAGES, PACKAGE, Language, shipped_folder

DOMAINS = ("family", "staff", "surveys")
INTERFACE = ("family", "staff")  # domains of pages and paper; a text used in both is in the first
_COMPILED = "2"  # version of the compiler's output: raise it when the way .mo files are made changes
_PO_LINE = re.compile(r'((msgctxt|msgid|msgid_plural|msgstr(\[\d\])?)\s+)?"([^"\\]|\\.)*"')
_chosen: Path | None = None
_NAMED = re.compile(r"%\(([^)]*)\)")


class Catalogue(gettext.GNUTranslations):
    """A compiled catalog that can tell whether a text is translated, since a translation may equal the English."""

    def has(self, context: str, english: str) -> bool:
        """Whether this text is translated in this context."""
        words: Mapping[Any, str] = getattr(self, "_catalog", {})
        return f"{context}\x04{english}" in words


class BrokenCatalogue(ValueError):
    """A .po file that cannot be read. The message names the file, the problem, and the remedy."""


def use_catalogues(directory: Path) -> None:
    """Set the directory of compiled catalogs for this process. The site passes a folder in its data directory."""
    global _chosen
    _chosen = directory.resolve()  # resolved, so that one folder under two paths is cached once


def default_catalogue_dir() -> Path:
    """The directory chosen by `use_catalogues`, else `ENGAGE_CATALOGUE_DIR`, else `catalogues` in the data directory,
    in the checkout's `instance`, or in the user's cache."""
    if _chosen is not None:
        return _chosen
    for name, below in (("ENGAGE_CATALOGUE_DIR", ""), ("ENGAGE_DATA_DIR", "catalogues")):
        if os.environ.get(name):
            return Path(os.environ[name]) / below
    root = PACKAGE.parent
    if (root / "pyproject.toml").is_file() and os.access(root, os.W_OK):
        return root / "instance" / "catalogues"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "engage" / "catalogues"


def catalogue(tag: str, directory: Path | None = None) -> gettext.NullTranslations:
    """Return the interface catalog (domains family and staff) of a language. Raises KeyError for an unknown tag.

    English, and a language without translations, give an empty NullTranslations. `directory` holds the compiled
    catalogs (default: `default_catalogue_dir()`); they are compiled on first use.
    """
    return _interface(tag, directory or default_catalogue_dir())


def survey_catalogues(directory: Path | None = None) -> dict[str, gettext.NullTranslations]:
    """Return the `surveys` catalogs of all languages except English, by tag: the argument of
    `editions.build_edition`."""
    place = directory or default_catalogue_dir()
    return {each.tag: _load_catalogue(each.tag, "surveys", place) for each in LANGUAGES.values() if not each.source}


def clear_catalogue_cache() -> None:
    """Clear the cache of catalogs, so that the next use reads the files again. For the `words` commands and for
    tests."""
    _load_catalogue.cache_clear()
    _interface.cache_clear()


@cache
def _interface(tag: str, directory: Path) -> gettext.NullTranslations:
    words, further = (_load_catalogue(tag, domain, directory) for domain in INTERFACE)
    words.add_fallback(further)
    return words


@cache
def _load_catalogue(tag: str, domain: str, directory: Path) -> gettext.NullTranslations:
    language = LANGUAGES[tag]
    words, compiled = po_path(language.tag, domain), mo_path(directory, language, domain)
    if language.source or not words.is_file():
        return gettext.NullTranslations()
    try:
        _compile_if_changed(words, compiled, language)
        return Catalogue(BytesIO(compiled.read_bytes()))
    except OSError:  # read-only directory or full disk: translations still work, from memory
        return Catalogue(BytesIO(_compile_mo(words, language, "")))


def mo_path(directory: Path, language: Language, domain: str) -> Path:
    """Return the path of a compiled catalog, as `gettext.find` and Flask-Babel expect it."""
    return directory / language.locale / "LC_MESSAGES" / f"{domain}.mo"


def po_path(tag: str, domain: str, translations: Path | None = None) -> Path:
    """Return the path of a .po file."""
    return (translations or shipped_folder("translations")) / tag / "LC_MESSAGES" / f"{domain}.po"


def compile_catalogues(directory: Path, translations: Path | None = None) -> list[Path]:
    """Compile changed .po files into `directory` and return the files written. Safe to run in several processes at
    once."""
    written = []
    for language in LANGUAGES.values():
        for domain in DOMAINS:
            source, target = po_path(language.tag, domain, translations), mo_path(directory, language, domain)
            if not language.source and source.is_file() and _compile_if_changed(source, target, language):
                written.append(target)
    return written


def _compile_if_changed(source: Path, target: Path, language: Language) -> bool:
    """Compile one file unless the target was compiled from the same content; return whether it was written."""
    words = source.read_bytes()
    digest = hashlib.sha256(_COMPILED.encode() + words).hexdigest()
    if target.is_file() and digest.encode() in target.read_bytes():
        return False
    content = _compile_mo(source, language, digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, content, mode=0o644, durable=False)  # readable by all: the server may run under another user
    return True


def _compile_mo(source: Path, language: Language, digest: str) -> bytes:
    """Return the bytes of a .mo file with all usable translations. Its header holds `digest`, which identifies the
    source."""
    catalog = read_po_file(source, language)
    catalog.project, catalog.version = "engage", digest
    for message in [each for each in catalog if each.id and not is_usable(each, catalog)]:
        catalog.delete(message.id, message.context)
    buffer = BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def empty_catalog(language: Language) -> Catalog:
    """Return a catalog without messages that has the plural rule of the language."""
    catalog = Catalog(locale=language.locale, charset="utf-8")
    catalog.mime_headers = [("Plural-Forms", language.plurals)]
    return catalog


def read_po_file(path: Path, language: Language) -> Catalog:
    """Return the catalog of a .po file. Raises BrokenCatalogue if it cannot be read."""
    text = _read_po_text(path)
    try:
        catalog = read_po(StringIO(text), locale=language.locale, abort_invalid=True)
        gettext.c2py(catalog.plural_expr)
    except PoFileError as error:
        raise BrokenCatalogue(f"{path}: line {error.lineno + 1}: {error}; compare it with its neighbors") from None
    except ValueError:
        raise BrokenCatalogue(f"{path}: Plural-Forms cannot be read; write: {language.plurals}") from None
    return catalog


def _read_po_text(path: Path) -> str:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenCatalogue(f"{path}: byte {error.start + 1} is not UTF-8; save the file as UTF-8") from None
    # Babel reads a line with an unclosed quotation mark as an empty text: the translation would be lost silently.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.startswith("#") and not _PO_LINE.fullmatch(line.strip()):
            raise BrokenCatalogue(f"{path}: line {number}: cannot be read; look at the quotation marks there")
    return text


def is_usable(message: Message, catalog: Catalog) -> bool:
    """Whether a translation is complete, not fuzzy, and has valid placeholders. Otherwise the English text is used."""
    forms = translation_forms(message)
    return bool(forms) and all(forms) and not message.fuzzy and not placeholder_faults(message, catalog)


def translation_forms(message: Message) -> tuple[str, ...]:
    """The translation of a message as a tuple: one form, or one per plural form."""
    return tuple(message.string) if isinstance(message.string, list | tuple) else (message.string or "",)


def placeholder_faults(message: Message, catalog: Catalog) -> list[str]:
    """Return the faults of the `%(name)s` placeholders of a translation. A plural form used for a single number may
    omit some."""
    ids = message.id if isinstance(message.id, list | tuple) else (message.id,)
    sets = [frozenset(_NAMED.findall(each)) for each in ids]
    allowed, needed = frozenset.union(*sets), frozenset.intersection(*sets)
    if not all(_can_interpolate(each, allowed) for each in ids):
        return []  # not a format string: every % in it is plain text
    faults: list[str] = []
    for number, form in enumerate(translation_forms(message)):
        names = frozenset(_NAMED.findall(form))
        missing = needed - names if form and not (len(ids) > 1 and _is_for_one_number(catalog, number)) else ()
        faults += [f"%({name})s is not in the English" for name in sorted(names - allowed)]
        faults += [f"%({name})s is missing" for name in sorted(missing)]
        if names <= allowed and not _can_interpolate(form, allowed):
            faults.append("a % is not part of a placeholder; write %% for a percent sign")
    return list(dict.fromkeys(faults))


def _can_interpolate(text: str, names: frozenset[str]) -> bool:
    try:
        text % dict.fromkeys(names, 1)
    except (ValueError, TypeError, KeyError):
        return False
    return True


def _is_for_one_number(catalog: Catalog, form: int) -> bool:
    choose = gettext.c2py(catalog.plural_expr)
    return sum(choose(number) == form for number in range(200)) == 1


def translation_gaps(tags: Iterable[str], translations: Path | None = None) -> dict[str, list[str]]:
    """Return the untranslated texts of the family pages by language, only for languages that have any."""
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
    """Return the untranslated texts of one version of a file. Cached, since reading the file takes 0.2 s."""
    catalog = read_po_file(path, LANGUAGES[tag])
    waiting = [each for each in catalog if each.id and not is_usable(each, catalog)]
    return tuple(each.id[0] if isinstance(each.id, list | tuple) else str(each.id) for each in waiting)
