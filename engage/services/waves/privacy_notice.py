"""The privacy notice: statements about the answers, on the first page of a survey and on the paper cover.

Each statement has a shipped text in every language (`privacy_statements`). A district may replace it with its own text.
A wave stores the texts it was opened with, so that what people read about it does not change. A text may have
placeholders in braces, which are filled in when it is shown: {district}, {phone}, {day} (the day the answers are
deleted) and {days} (how long a phone can resume unfinished answers).
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from typing import Protocol

from babel.dates import format_date
from babel.units import format_unit
from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.questionnaire.text_cleaning import clean_text, hidden_characters
from engage.services.waves.populations import FAMILY
from engage.services.waves.privacy_statements import STATEMENTS, WITHOUT_PHONE, statement_names
from engage.storage.models.privacy import PrivacyStatement

SOURCE = "en"
TEXT_MOST = 400  # characters, so that the paper cover fits on one page
FORMULA = tuple("=+-@")  # a spreadsheet treats text that begins with one of these as a formula
_PLACE = re.compile(r"\{(\w*)\}")
_NUMBER = re.compile(r"\+?\(?\d[\d ().-]{4,}\d")  # a telephone number: its hyphens would be reordered inside Arabic
ISOLATE, LTR, POP = "\u2068", "\u2066", "\u2069"
_NO_LETTERS = {"So", "Co", "Cs", "Cn", "Cc"}  # pictures, private and unassigned characters have no glyphs on paper


def shipped_text(name: str, language: str) -> str:
    """The shipped text of a statement in a language, with placeholders; English if it is not translated."""
    return _translate_with_places(STATEMENTS[name].shipped, language)


def _translate_with_places(sentence: str, language: str) -> str:
    return re.sub(r"%\((\w+)\)s", r"{\1}", catalogue(language).gettext(sentence))


def load_district_texts(session: Session) -> dict[str, dict[str, str]]:
    """The district's own texts by statement and language."""
    texts: dict[str, dict[str, str]] = {}
    for row in session.scalars(select(PrivacyStatement).order_by(PrivacyStatement.name, PrivacyStatement.language)):
        texts.setdefault(row.name, {})[row.language] = row.text
    return texts


def find_untranslated_texts(session: Session, tags: Iterable[str], population: str = FAMILY) -> dict[str, list[str]]:
    """The district's own English texts for a population that are not translated, for each language that lacks any."""
    texts_by_name = load_district_texts(session).items()
    translations = [
        texts for name, texts in texts_by_name if SOURCE in texts and population in STATEMENTS[name].populations
    ]
    missing = {tag: [texts[SOURCE] for texts in translations if tag not in texts] for tag in tags if tag != SOURCE}
    return {tag: texts for tag, texts in missing.items() if texts}


def build_notice_json(
    session: Session, identity: str, entry: str, languages: Iterable[str], population: str = FAMILY
) -> str:
    """The notice of a wave that is opened now: each part's text by language, as JSON."""
    texts = load_district_texts(session)
    notice = {
        part: {tag: texts.get(name, {}).get(tag) or shipped_text(name, tag) for tag in languages}
        for part, name in statement_names(identity, entry, population).items()
    }
    return json.dumps(notice, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, slots=True)
class NoticeValues:
    """The values for the placeholders of a notice, in one language."""

    district: str
    phone: str
    day: str
    days: str


class WaveWithNotice(Protocol):
    """A wave, or the cached offer of one."""

    @property
    def identity(self) -> str: ...
    @property
    def entry(self) -> str: ...
    @property
    def privacy_notice(self) -> str | None: ...
    @property
    def population(self) -> str: ...


def render_notice(wave: WaveWithNotice, settings: Settings, language: str, deleted_on: date) -> dict[str, str]:
    """Each part of a wave's notice as people read it in a language, in the order of PARTS. `deleted_on` is the day on
    which the answers are deleted (`retention.answers_deleted_on`)."""
    about = (settings.district_name, settings.district_phone, settings.keep_drafts_days)
    values = _notice_values(*about, language, deleted_on)
    notice = _parse_notice(wave.privacy_notice) if wave.privacy_notice else {}
    return {
        part: _fill_places(notice.get(part, {}).get(language) or shipped_text(name, language), language, values)
        for part, name in statement_names(wave.identity, wave.entry, wave.population).items()
    }


@lru_cache(maxsize=256)  # Babel takes 0.2 ms, and a page by code is rendered for each family
def _notice_values(district: str, telephone: str, kept_days: int, language: str, deleted_on: date) -> NoticeValues:
    """The values for a page or a paper form in a language, each isolated in its own direction."""
    locale = LANGUAGES[language].locale
    day = format_date(deleted_on, "long", locale=locale)
    phone = f"{LTR}{telephone}{POP}" if telephone else ""
    days = format_unit(kept_days, "duration-day", "long", locale=locale)
    return NoticeValues(isolate_text(district), phone, f"{ISOLATE}{day}{POP}", days)


def isolate_text(text: str) -> str:
    """A name inside a sentence of any direction."""
    return f"{ISOLATE}{clean_text(text, lines=False)}{POP}"


def _fill_places(statement: str, language: str, values: NoticeValues) -> str:
    """Fill in the placeholders of a text. If it has {phone} and the district has no telephone number, the text refers
    to the school."""
    if "{phone}" in statement and not values.phone:
        statement = _translate_with_places(WITHOUT_PHONE, language)
    statement = _NUMBER.sub(lambda match: f"{LTR}{match[0]}{POP}", statement)
    fields = asdict(values)
    return _PLACE.sub(lambda match: str(fields.get(match[1], match[0])), statement)


@lru_cache(maxsize=64)
def _parse_notice(notice: str) -> Mapping[str, Mapping[str, str]]:
    read: dict[str, dict[str, str]] = json.loads(notice)
    return read


def find_faults(name: str, typed: str) -> list[tuple[str, str]]:
    """Why a text cannot be a statement: codes and what they are about. Codes: long, hidden, markup, formula, picture,
    place, missing."""
    text, statement = clean_text(typed, lines=False), STATEMENTS[name]
    faults = [("hidden", each) for each in hidden_characters(typed)]
    if len(text) > TEXT_MOST:
        faults.append(("long", str(TEXT_MOST)))
    if "<" in text or ">" in text:
        faults.append(("markup", "< >"))
    if text.startswith(FORMULA):
        faults.append(("formula", text[0]))
    faults += [("picture", each) for each in dict.fromkeys(text) if unicodedata.category(each) in _NO_LETTERS]
    places = set(_PLACE.findall(text))
    faults += [("place", f"{{{each}}}") for each in sorted(places - statement.allows)]
    if set("{}") & set(_PLACE.sub("", text)):
        faults.append(("place", "{ }"))
    faults += [("missing", f"{{{each}}}") for each in sorted(statement.needs - places)]
    return faults


def store_district_texts(
    session: Session, name: str, texts: Mapping[str, str], staff_id: int | None, today: date
) -> list[str]:
    """Store the district's own texts of a statement by language; an empty one restores the shipped text. Returns the
    languages that changed, in the order they are offered. The texts must have no faults (`find_faults`)."""
    before = load_district_texts(session).get(name, {})
    now = {tag: clean_text(texts.get(tag, ""), lines=False) for tag in LANGUAGES}
    changed = [tag for tag in LANGUAGES if now[tag] != before.get(tag, "")]
    for tag in changed:
        row = session.get(PrivacyStatement, (name, tag))
        if row is not None:
            session.delete(row)
            session.flush()
        if now[tag]:
            about = {"changed_by": staff_id, "changed_on": today}
            session.add(PrivacyStatement(name=name, language=tag, text=now[tag], **about))
    session.flush()
    return changed
