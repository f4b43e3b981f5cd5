"""The glossary of translators, translations/glossary.toml: one term per concept and language, and a check that it is
used."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message

from engage.base.catalogs import DOMAINS, po_path, read_po_file, translation_forms
from engage.base.languages import LANGUAGES, Language

FILE = "glossary.toml"
_PLACE = re.compile(r"%\(\w+\)[sd]")


class GlossaryProblem(ValueError):
    """The glossary cannot be read."""


@dataclass(frozen=True, slots=True)
class GlossaryWord:
    """The translation of a term in one language. Each form is a word or a stem, as it occurs in texts."""

    forms: tuple[str, ...]
    avoid: tuple[str, ...]
    exceptions: frozenset[str]
    """English texts that may be translated in another way."""
    required: bool
    """Whether every text with the English term must have one of the forms."""


@dataclass(frozen=True, slots=True)
class GlossaryTerm:
    """A term with its translation in each language, by tag."""

    english: str
    words: Mapping[str, GlossaryWord]

    def occurs_in(self, english: str) -> bool:
        """Whether an English text contains the term, singular or plural; names of placeholders do not count."""
        forms = "|".join(re.escape(form) for form in (self.english, _plural(self.english)))
        return bool(re.search(rf"\b(?:{forms})\b", _PLACE.sub("", english), re.IGNORECASE))


def _plural(english: str) -> str:
    return f"{english[:-1]}ies" if re.search(r"[^aeiou]y$", english) else f"{english}s"


def read_glossary(file: Path) -> list[GlossaryTerm]:
    """Read the terms of a glossary file. Raises GlossaryProblem."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        return [_parse_term(entry) for entry in content["terms"]]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise GlossaryProblem(f"{file.name}: cannot be read: {error!r}") from None


def _parse_term(entry: Mapping[str, object]) -> GlossaryTerm:
    words = {tag: _parse_word(fields) for tag, fields in entry.items() if isinstance(fields, dict)}
    if unknown := words.keys() - LANGUAGES.keys():
        raise KeyError(f"{sorted(unknown)} are not languages")
    return GlossaryTerm(str(entry["english"]), words)


def _parse_word(fields: Mapping[str, Sequence[str] | str | bool]) -> GlossaryWord:
    forms = (str(fields["use"]), *_strings(fields.get("also", ())))
    exceptions = frozenset(_strings(fields.get("except", ())))
    return GlossaryWord(
        forms, tuple(_strings(fields.get("avoid", ()))), exceptions, bool(fields.get("required", False))
    )


def _strings(values: Sequence[str] | str | bool) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list | tuple) else []


def glossary_faults(root: Path) -> Iterator[str]:
    """Translations that do not use the glossary's terms, one line each: "file: what; what to do". None
    if there is no glossary."""
    file = root / "translations" / FILE
    if not file.is_file():
        return
    try:
        terms = read_glossary(file)
    except GlossaryProblem as problem:
        yield str(problem)
        return
    for language in LANGUAGES.values():
        if not language.source:
            yield from _language_faults(root, language, terms)


def _language_faults(root: Path, language: Language, terms: Sequence[GlossaryTerm]) -> Iterator[str]:
    for domain in DOMAINS:
        path = po_path(language.tag, domain, root / "translations")
        if path.is_file():
            faults = catalog_faults(read_po_file(path, language), language.tag, terms)
            yield from (f"{path.relative_to(root)}: {fault}" for fault in faults)


def catalog_faults(catalog: Catalog, tag: str, terms: Sequence[GlossaryTerm]) -> Iterator[str]:
    """The faults of one catalog, in the order of its texts."""
    for message in catalog:
        forms = [form for form in translation_forms(message) if form] if message.id else []
        if forms:
            yield from _message_faults(message, forms, tag, terms)


def _message_faults(message: Message, forms: Sequence[str], tag: str, terms: Sequence[GlossaryTerm]) -> Iterator[str]:
    english = message.id[0] if isinstance(message.id, list | tuple) else message.id
    for term in terms:
        word = term.words.get(tag)
        if word is None or english in word.exceptions or not term.occurs_in(english):
            continue
        if word.required and not all(_has_any(form, word.forms) for form in forms):
            yield f"“{english}” has “{term.english}”, its translation not “{word.forms[0]}”; use the glossary's word"
        for avoided in word.avoid:
            if any(_has_any(form, [avoided]) for form in forms):
                yield f"“{english}” is translated with “{avoided}”; the glossary says “{word.forms[0]}”"


def _has_any(text: str, words: Sequence[str]) -> bool:
    return any(word.casefold() in text.casefold() for word in words)
