"""The privacy notice: statements about families' answers, on the first page of a survey and on the paper cover.

Each statement has a shipped text in every language. A district may replace it with its own text. A wave stores the
texts it was opened with, so that what its families read does not change. A text may have placeholders in braces, which
are filled in when it is shown: {district}, {phone}, {day} (the day the answers are deleted) and {days} (how long a
phone can resume unfinished answers).
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
from engage.storage.models.privacy import PrivacyStatement

TEXT_DOMAIN = "family"

SOURCE = "en"
TEXT_MOST = 400  # characters, so that the paper cover fits on one page
PARTS = ("who_asks", "who_sees", "used_against", "how_long", "on_phone")
FORMULA = tuple("=+-@")  # a spreadsheet treats text that begins with one of these as a formula
_PLACE = re.compile(r"\{(\w*)\}")
_NUMBER = re.compile(r"\+?\(?\d[\d ().-]{4,}\d")  # a telephone number: its hyphens would be reordered inside Arabic
ISOLATE, LTR, POP = "\u2068", "\u2066", "\u2069"
_NO_LETTERS = {"So", "Co", "Cs", "Cn", "Cc"}  # pictures, private and unassigned characters have no glyphs on paper


def gettext(sentence: str) -> str:
    """Marks a sentence for extraction; it is translated when it is used."""
    return sentence


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the notice: its heading, the shipped text, the placeholders it must have and may have, and whether
    only the district, and no software, can make it true."""

    part: str
    shipped: str
    needs: frozenset[str] = frozenset()
    allows: frozenset[str] = frozenset()
    of_district: bool = False


HEADINGS = {
    # translators: on the first page of a survey, a line that opens to show the answer
    "who_asks": gettext("Who is asking?"),
    # translators: on the first page of a survey, a line that opens to show the answer
    "who_sees": gettext("Who sees my answers?"),
    # translators: on the first page of a survey, a line that opens to show the answer
    "used_against": gettext("Can my answers be used against me?"),
    # translators: on the first page of a survey, a line that opens to show the answer; 'them' are the answers
    "how_long": gettext("How long do you keep them?"),
    # translators: on the first page of a survey, a line that opens to show the answer
    "on_phone": gettext("What stays on this phone?"),
}

STATEMENTS = {
    "who_asks": Statement(
        "who_asks",
        # translators: privacy: below 'Who is asking?'; district is the name of a school district
        gettext("%(district)s. Questions? Call %(phone)s."),
        allows=frozenset({"district", "phone"}),
        of_district=True,
    ),
    "who_sees_open": Statement(
        "who_sees",
        # translators: privacy: below 'Who sees my answers?'; the answers are anonymous, only sums are shown
        gettext("The school sees what many families said together, never yours alone."),
    ),
    "who_sees_code": Statement(
        "who_sees",
        # translators: privacy: below 'Who sees my answers?'; the answers are anonymous, and each family has a code
        # from a letter. 'It' is the code
        gettext(
            "The school sees what many families said together, never yours alone. "
            "Your code lets your family answer once. We do not store it with your answers."
        ),
    ),
    "who_sees_confidential": Statement(
        "who_sees",
        # translators: privacy: below 'Who sees my answers?'; the answers are confidential, not anonymous
        gettext(
            "Only the few people who help families with these needs see your answers. "
            "Everyone else sees only what many families said together."
        ),
    ),
    "used_against": Statement(
        "used_against",
        # translators: privacy: below 'Can my answers be used against me?'; important to those who fear for their stay
        # in the country
        gettext(
            "We do not ask about immigration. We do not give answers to immigration officers unless a court orders it. "
            "Nobody is punished for an answer."
        ),
        of_district=True,
    ),
    "how_long": Statement(
        "how_long",
        # translators: privacy: below 'How long do you keep them?'; day is a date like June 30, 2029
        gettext("We delete the answers on %(day)s."),
        needs=frozenset({"day"}),
        allows=frozenset({"day"}),
    ),
    "on_phone_choice": Statement(
        "on_phone",
        # translators: privacy: below 'What stays on this phone?'; the number is a secret that means nothing to others.
        # %(days)s is a time like '30 days'
        gettext(
            "One random number. It is gone when you close the browser, "
            "or after %(days)s if you choose to keep your answers here."
        ),
        needs=frozenset({"days"}),
        allows=frozenset({"days"}),
    ),
    "on_phone": Statement(
        "on_phone",
        # translators: privacy: below 'What stays on this phone?'; the number is a secret that means nothing to others
        gettext("One random number. It is gone when you close the browser."),
    ),
}
"""Every statement by its name, in the order families read them."""

# translators: privacy: below 'Who is asking?', where the district has no telephone number for families
WITHOUT_PHONE = gettext("%(district)s. Questions? Ask at your school's office.")


def statement_names(identity: str, entry: str) -> dict[str, str]:
    """The name of the statement in each part of a wave's notice."""
    anonymous = "who_sees_code" if entry == "code" else "who_sees_open"
    by_code = (identity, entry) == ("confidential", "code")  # a household resumes by its code, on any phone
    chosen = {
        "who_sees": "who_sees_confidential" if identity == "confidential" else anonymous,
        "on_phone": "on_phone" if by_code else "on_phone_choice",
    }
    return {part: chosen.get(part, part) for part in PARTS}


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


def find_untranslated_texts(session: Session, tags: Iterable[str]) -> dict[str, list[str]]:
    """The district's own English texts that are not translated, for each language that lacks any."""
    translations = [texts for texts in load_district_texts(session).values() if SOURCE in texts]
    missing = {tag: [texts[SOURCE] for texts in translations if tag not in texts] for tag in tags if tag != SOURCE}
    return {tag: texts for tag, texts in missing.items() if texts}


def build_notice_json(session: Session, identity: str, entry: str, languages: Iterable[str]) -> str:
    """The notice of a wave that is opened now: each part's text by language, as JSON."""
    texts = load_district_texts(session)
    notice = {
        part: {tag: texts.get(name, {}).get(tag) or shipped_text(name, tag) for tag in languages}
        for part, name in statement_names(identity, entry).items()
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


def render_notice(wave: WaveWithNotice, settings: Settings, language: str, deleted_on: date) -> dict[str, str]:
    """Each part of a wave's notice as families read it in a language, in the order of PARTS. `deleted_on` is the day on
    which the answers are deleted (`retention.answers_deleted_on`)."""
    about = (settings.district_name, settings.district_phone, settings.keep_drafts_days)
    values = _notice_values(*about, language, deleted_on)
    notice = _parse_notice(wave.privacy_notice) if wave.privacy_notice else {}
    return {
        part: _fill_places(notice.get(part, {}).get(language) or shipped_text(name, language), language, values)
        for part, name in statement_names(wave.identity, wave.entry).items()
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
