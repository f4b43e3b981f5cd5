"""Catalogs: the texts of the interface and of the surveys in every language.

Texts are written in `translations/<tag>/LC_MESSAGES/{family,staff,surveys}.po` and compiled, when they have changed,
into `<catalog directory>/<locale>/LC_MESSAGES/*.mo`, where Flask-Babel looks for them too.
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
INTERFACE = ("family", "staff")  # of pages and paper; a text of both is in the first
_COMPILED = "2"  # raise it when the way .mo files are made changes
_PO_LINE = re.compile(r'((msgctxt|msgid|msgid_plural|msgstr(\[\d\])?)\s+)?"([^"\\]|\\.)*"')
_chosen: Path | None = None
_NAMED = re.compile(r"%\(([^)]*)\)")


class Catalogue(gettext.GNUTranslations):
    """Compiled words that can say whether a text is translated (a translation may equal the English)."""

    def has(self, context: str, english: str) -> bool:
        """Whether this text is translated in this context."""
        words: Mapping[Any, str] = getattr(self, "_catalog", {})
        return f"{context}\x04{english}" in words


class BrokenCatalogue(ValueError):
    """A file of words that cannot be read; the message says where, what, and what to do."""


def use_catalogues(directory: Path) -> None:
    """Keep compiled words in this directory from now on, in this process: the site names its data directory's."""
    global _chosen
    _chosen = directory.resolve()  # the same words however the folder is called, so that they are read once


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
    """Return the interface's words in a language, those of families and of staff; NullTranslations for English and
    where there are none yet. KeyError if unknown.

    `directory` is where compiled words are kept (default: `default_catalogue_dir()`); they are compiled on first use.
    """
    return _interface(tag, directory or default_catalogue_dir())


def survey_catalogues(directory: Path | None = None) -> dict[str, gettext.NullTranslations]:
    """The survey words of every language but the source, by tag: what `editions.build_edition` takes."""
    place = directory or default_catalogue_dir()
    return {each.tag: _load_catalogue(each.tag, "surveys", place) for each in LANGUAGES.values() if not each.source}


def clear_catalogue_cache() -> None:
    """Read the words again at next use: for the command that changes them, and for tests."""
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
    except OSError:  # a directory nobody may write to, a full disk: the words are spoken all the same
        return Catalogue(BytesIO(_compile_mo(words, language, "")))


def mo_path(directory: Path, language: Language, domain: str) -> Path:
    """Where the compiled words of a language are, as `gettext.find` and Flask-Babel expect them."""
    return directory / language.locale / "LC_MESSAGES" / f"{domain}.mo"


def po_path(tag: str, domain: str, translations: Path | None = None) -> Path:
    """Where the words of a language are written."""
    return (translations or shipped_folder("translations")) / tag / "LC_MESSAGES" / f"{domain}.po"


def compile_catalogues(directory: Path, translations: Path | None = None) -> list[Path]:
    """Compile what has changed into `directory`; return the files written. Safe while other processes do the same."""
    written = []
    for language in LANGUAGES.values():
        for domain in DOMAINS:
            source, target = po_path(language.tag, domain, translations), mo_path(directory, language, domain)
            if not language.source and source.is_file() and _compile_if_changed(source, target, language):
                written.append(target)
    return written


def _compile_if_changed(source: Path, target: Path, language: Language) -> bool:
    """Compile one file unless the target was made from these very words; return whether it was written."""
    words = source.read_bytes()
    digest = hashlib.sha256(_COMPILED.encode() + words).hexdigest()
    if target.is_file() and digest.encode() in target.read_bytes():
        return False
    content = _compile_mo(source, language, digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, content, mode=0o644, durable=False)  # the server may run as somebody else
    return True


def _compile_mo(source: Path, language: Language, digest: str) -> bytes:
    """The bytes of a .mo file with the words that can be used; its header says by digest what it was made from."""
    catalog = read_po_file(source, language)
    catalog.project, catalog.version = "engage", digest
    for message in [each for each in catalog if each.id and not is_usable(each, catalog)]:
        catalog.delete(message.id, message.context)
    buffer = BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def empty_catalog(language: Language) -> Catalog:
    """A catalogue without words that has the language's own plural rule."""
    catalog = Catalog(locale=language.locale, charset="utf-8")
    catalog.mime_headers = [("Plural-Forms", language.plurals)]
    return catalog


def read_po_file(path: Path, language: Language) -> Catalog:
    """Return the catalogue of a .po file; raise BrokenCatalogue if it cannot be read."""
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
    # Babel reads a line whose quotation marks do not close as an empty text: its words would be gone in silence.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.startswith("#") and not _PO_LINE.fullmatch(line.strip()):
            raise BrokenCatalogue(f"{path}: line {number}: cannot be read; look at the quotation marks there")
    return text


def is_usable(message: Message, catalog: Catalog) -> bool:
    """Whether a translation is complete, not fuzzy, and safe to fill in; anything else is shown in English."""
    forms = translation_forms(message)
    return bool(forms) and all(forms) and not message.fuzzy and not placeholder_faults(message, catalog)


def translation_forms(message: Message) -> tuple[str, ...]:
    """The translation of a message as a tuple: one form, or one per plural form."""
    return tuple(message.string) if isinstance(message.string, list | tuple) else (message.string or "",)


def placeholder_faults(message: Message, catalog: Catalog) -> list[str]:
    """What is wrong with the `%(name)s` of a translation. A plural form for one number only may leave names out."""
    ids = message.id if isinstance(message.id, list | tuple) else (message.id,)
    sets = [frozenset(_NAMED.findall(each)) for each in ids]
    allowed, needed = frozenset.union(*sets), frozenset.intersection(*sets)
    if not all(_can_interpolate(each, allowed) for each in ids):
        return []  # the English is not filled in either: its % are plain text
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
