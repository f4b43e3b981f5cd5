"""Texts that are not translated yet, or whose translation has not been reviewed."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import abort, render_template

from engage.base.catalogs import is_usable, po_path, read_po_file, survey_catalogues
from engage.base.languages import LANGUAGES, Language, Review
from engage.questionnaire.editions import build_edition, translatable_texts
from engage.questionnaire.library import shipped_surveys
from engage.sites.administration.blueprint import blueprint
from engage.web.page_language import gettext, language
from engage.web.permissions import enters


@dataclass(frozen=True, slots=True)
class TranslationPart:
    """The texts of the pages, or of one survey, in one language. `missing` is in English."""

    title: str
    total: int
    missing: tuple[str, ...]
    review: Review | None

    @property
    def translated(self) -> int:
        """How many of the texts are translated."""
        return self.total - len(self.missing)


@blueprint.get("/translations")
@enters("see translations")
def translations() -> str:
    """Every language with the progress of each part."""
    tongues = [(each, translation_parts(each)) for each in LANGUAGES.values() if not each.source]
    return render_template("administration/translations.html", tongues=tongues)


@blueprint.get("/translations/<lang:tag>")
@enters("see translations")
def translation(tag: str) -> str:
    """The missing texts of one language."""
    if LANGUAGES[tag].source:
        abort(404)
    return render_template(
        "administration/translation.html", tongue=LANGUAGES[tag], parts=translation_parts(LANGUAGES[tag])
    )


def translation_parts(tongue: Language) -> list[TranslationPart]:
    """The parts of a language: the pages and every shipped survey."""
    catalogues = survey_catalogues()
    # translators: the words of one group of pages, beside those of each survey
    parts = [_messages_part(tongue, "family", gettext("Pages and forms for families"))]
    # translators: the words of one group of pages, beside those of each survey
    parts.append(_messages_part(tongue, "staff", gettext("Pages for staff")))
    for survey in shipped_surveys():
        edition = build_edition(survey, catalogues)
        english = {context: text for context, text, _note in translatable_texts(survey)}
        missing = tuple(english[context] for context in edition.missing(tongue.tag))
        title = edition.survey(language().tag).title
        parts.append(TranslationPart(title, len(english), missing, tongue.reviewed.get("surveys")))
    return parts


def _messages_part(tongue: Language, domain: str, title: str) -> TranslationPart:
    path = po_path(tongue.tag, domain)
    total, missing = _count_texts(path, path.stat().st_mtime_ns, tongue) if path.is_file() else (0, ())
    return TranslationPart(title, total, missing, tongue.reviewed.get(domain))


@lru_cache(maxsize=100)
def _count_texts(path: Path, _changed: int, tongue: Language) -> tuple[int, tuple[str, ...]]:
    """The number of texts in a catalog file, and those without a usable translation; cached until the file changes."""
    catalog = read_po_file(path, tongue)
    messages = [message for message in catalog if message.id]
    missing = [message.id for message in messages if not is_usable(message, catalog)]
    return len(messages), tuple(str(each if isinstance(each, str) else each[0]) for each in missing)
