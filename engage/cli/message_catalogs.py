"""The translators' files: extraction, merging, and checks.

The same texts make the same bytes: files have no dates, line numbers, or absolute paths.
"""

import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from engage.base.catalogs import (
    DOMAINS,
    INTERFACE,
    BrokenCatalogue,
    empty_catalog,
    placeholder_faults,
    po_path,
    read_po_file,
    translation_forms,
)
from engage.base.languages import LANGUAGES, Language
from engage.questionnaire.editions import translatable_texts
from engage.questionnaire.library import earlier_surveys, shipped_surveys
from engage.questionnaire.text_cleaning import hidden_characters

_METHODS = [("**.py", "python"), ("**/templates/**.*", "jinja2.ext:babel_extract")]
_OPTIONS = {"**/templates/**.*": {"encoding": "utf-8", "newstyle_gettext": "true", "silent": "false"}}
_TAG = "translators:"
_DECLARED = re.compile(r"""^(?:TEXT_DOMAIN = "|\{# text domain: )(?P<domain>family|staff)\b""", re.M)
_PLACE = re.compile(r"</?[a-zA-Z][^>]*>")
_DATED = ("POT-Creation-Date", "PO-Revision-Date", "Generated-By")
_UNSTABLE = (*_DATED, "Last-Translator", "Language-Team", "Report-Msgid")
_STATUS = re.compile(rb'^"X-Status: ([^"\\]*)\\n"', re.MULTILINE)
_HEADERS = {
    "family": "# Engage: the words of families' pages and of paper.",
    "staff": "# Engage: the words of staff's pages.",
    "surveys": "# Engage: the words of the shipped surveys. The context says where: survey/question/choice.",
}


def pot_path(root: Path, domain: str) -> Path:
    """The path of the template of a domain."""
    return root / "translations" / f"{domain}.pot"


def extract_catalog(root: Path, domain: str) -> Catalog:
    """Extract the texts of a domain from the checkout at `root`."""
    catalog = Catalog(project="engage", version="1", header_comment=_HEADERS[domain], charset="utf-8")
    if domain == "surveys":
        for context, english, note in _survey_messages(root):
            catalog.add(english, context=context, auto_comments=[note] if note else [])
        return catalog
    for text in _interface_texts(root, domain):
        catalog.add(text.message, locations=[(text.file, 0)], auto_comments=text.notes, context=text.context)
    return catalog


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text of the interface in one source file. `message`: one text, or singular and plural."""

    file: str
    message: str | tuple[str, ...]
    notes: list[str]
    context: str | None


def _interface_texts(root: Path, domain: str) -> list[SourceText]:
    """The texts of "family", or those of "staff" that are not also in "family": a text in both is translated once."""
    texts = [*_source_texts(root)]
    declared = {file: text_domain(root, root / file) for file in sorted({text.file for text in texts})}
    family = {(text.message, text.context) for text in texts if declared[text.file] == "family"}
    return [text for text in texts if ((text.message, text.context) in family) == (domain == "family")]


def _source_texts(root: Path) -> Iterator[SourceText]:
    extracted = extract_from_dir(str(root / "engage"), _METHODS, _OPTIONS, comment_tags=[_TAG], strip_comment_tags=True)
    for file, _, message, comments, context in extracted:
        notes = [" ".join(" ".join(comments).split())] if comments else []
        yield SourceText(f"engage/{file}", message, notes, context)


def text_domain(root: Path, file: Path) -> str:
    """The gettext domain that a file declares, or else the nearest package above it. Raises NoTextDomain."""
    for place in (file, *(folder / "__init__.py" for folder in file.parents if folder.is_relative_to(root / "engage"))):
        if place.is_file() and (declared := _DECLARED.search(place.read_text("utf-8"))):
            return declared["domain"]
    raise NoTextDomain(
        f"{file.relative_to(root)}: it has texts, and neither it nor a package around it says TEXT_DOMAIN"
    )


class NoTextDomain(Exception):
    """No declaration says whether the texts of a file are for families or for staff."""


def _survey_messages(root: Path) -> Iterator[tuple[str, str, str]]:
    for survey in (*shipped_surveys(root / "surveys"), *earlier_surveys(root / "surveys")):
        yield from translatable_texts(survey)


def format_catalog(catalog: Catalog, domain: str, status: str = "") -> bytes:
    """The bytes of a catalog file, without dates and other values that change by themselves."""
    buffer = BytesIO()
    # Texts of a survey stay in the order of its questions; texts of the interface are sorted.
    order = {"sort_output": True} if domain in INTERFACE else {}
    write_po(buffer, catalog, width=100, include_lineno=False, ignore_obsolete=True, **order)
    lines = [line for line in buffer.getvalue().split(b"\n") if not line.startswith(_unstable_prefixes())]
    if status:
        at = next(number for number, line in enumerate(lines) if line.startswith(b'"MIME-Version'))
        lines.insert(at, f'"X-Status: {status}\\n"'.encode())
    return b"\n".join(lines).rstrip(b"\n") + b"\n"


def _unstable_prefixes() -> tuple[bytes, ...]:
    return tuple(f'"{name}'.encode() for name in _UNSTABLE)


def update_catalog(root: Path, language: Language, domain: str, template: Catalog) -> bytes:
    """The new bytes of a language's file: the template's texts with the existing translations."""
    path = po_path(language.tag, domain, root / "translations")
    catalog, status = _read_existing(path, language)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.fuzzy, catalog.project, catalog.version = False, "engage", "1"
    catalog.header_comment = f"{_HEADERS[domain]} {language.english}."
    return format_catalog(catalog, domain, status)


def _read_existing(path: Path, language: Language) -> tuple[Catalog, str]:
    if not path.is_file():
        return empty_catalog(language), "draft"
    match = _STATUS.search(path.read_bytes())
    return read_po_file(path, language), match[1].decode() if match else "draft"


def find_faults(root: Path) -> Iterator[str]:
    """All faults in the texts of a checkout, one line each: "file: what; what to do"."""
    for domain in DOMAINS:
        template = extract_catalog(root, domain)
        path = pot_path(root, domain)
        if not path.is_file() or path.read_bytes() != format_catalog(template, domain):
            yield f"{path.relative_to(root)}: is not what the source says; run: engage words extract"
        for language in LANGUAGES.values():
            if not language.source:
                yield from _language_faults(root, language, domain, template)


def _language_faults(root: Path, language: Language, domain: str, template: Catalog) -> Iterator[str]:
    path = po_path(language.tag, domain, root / "translations")
    name = path.relative_to(root)
    if not path.is_file():
        yield f"{name}: there is no such file; run: engage words update"
        return
    try:
        catalog = read_po_file(path, language)
    except BrokenCatalogue as error:
        yield str(error).replace(str(path), str(name))
        return
    yield from (f"{name}: {fault}" for fault in catalog_faults(catalog, template, language, domain))


def catalog_faults(catalog: Catalog, template: Catalog, language: Language, domain: str) -> Iterator[str]:
    """The faults of one catalog compared with its template."""
    yield from _template_faults(catalog, template)
    yield from _plural_rule_faults(catalog, language)
    missing = [each for each in catalog if each.id and not all(translation_forms(each))]
    if domain == "surveys":
        yield from _missing_survey_words(missing)
    elif missing:
        yield f"{len(missing)} of {len(catalog)} are not translated; the first is {_quote_message(missing[0])}"
    for message in catalog:
        if message.id and message.fuzzy:
            yield f"{_quote_message(message)}: is fuzzy; read it, then take the mark away"
        if message.id:
            yield from (f"{_quote_message(message)}: {fault}" for fault in _message_faults(message, catalog, domain))


def _template_faults(catalog: Catalog, template: Catalog) -> Iterator[str]:
    expected, there = ({(each.id, each.context) for each in which if each.id} for which in (template, catalog))
    if expected != there:
        what = f"{len(expected - there)} texts are absent and {len(there - expected)} are no longer used"
        yield f"{what}; run: engage words update"


def _plural_rule_faults(catalog: Catalog, language: Language) -> Iterator[str]:
    source_catalog = empty_catalog(language)
    rules = (gettext.c2py(each.plural_expr) for each in (catalog, source_catalog))
    chosen, cldr_rule = ([rule(n) for n in range(1000)] for rule in rules)
    if chosen != cldr_rule or catalog.num_plurals != source_catalog.num_plurals:
        yield f"Plural-Forms is not the language's; write: {language.plurals}"


def _missing_survey_words(missing: list[Message]) -> Iterator[str]:
    by_question: dict[str, list[str]] = {}
    for message in missing:
        survey, question, part = [*str(message.context).split("/", 2), "", ""][:3]
        by_question.setdefault(f"{survey}/{question}".strip("/"), []).append(part.strip("/") or "text")
    for place, parts in by_question.items():
        yield f"{place}: not translated: {', '.join(parts)}"


def _message_faults(message: Message, catalog: Catalog, domain: str) -> Iterator[str]:
    forms = translation_forms(message)
    if isinstance(message.id, list | tuple) and len(forms) != catalog.num_plurals:
        yield f"has {len(forms)} plural forms; the language has {catalog.num_plurals}"
    if domain in INTERFACE:
        yield from placeholder_faults(message, catalog)
    english = message.id if isinstance(message.id, list | tuple) else (message.id,)
    tags = {tuple(sorted(_PLACE.findall(each))) for each in english}
    if any(form and tuple(sorted(_PLACE.findall(form))) not in tags for form in forms):
        yield "does not have the same <tags> as the English"
    for hidden in hidden_characters("".join(forms)):
        yield f"holds the hidden character {hidden}; take it out"


def _quote_message(message: Message) -> str:
    english = message.id[0] if isinstance(message.id, list | tuple) else message.id
    short = english if len(english) <= 60 else english[:57] + "..."
    return f'"{short}"' if not message.context else f'{message.context} "{short}"'
