"""The layouts of a packet's sets, one for each language and each way to answer on a phone instead."""

import unicodedata
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.packet_model import SetLayout
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.geometry import digest, geometry_json
from engage.domain.paper.form.layout import lay_out_sheet
from engage.domain.paper.form.questions import TooTall
from engage.domain.paper.form.typesetter import SheetFormat, SurveyInLanguage
from engage.domain.paper.typesetting.fonts import MissingFont, load_faces
from engage.domain.paper.typesetting.shaping import MissingGlyph, normalize_text, shape_text
from engage.questionnaire.editions import load_edition
from engage.questionnaire.model import Survey
from engage.services.waves.privacy_notice import render_notice
from engage.services.waves.retention import answers_deleted_on
from engage.storage.models.paper import StoredLayout
from engage.storage.models.waves import Wave


class Unprintable(Exception):
    """A packet that cannot be drawn: a code and its values, with texts in services/printing/messages.py.

    Codes: font (language), glyph (language, question, character), name_glyph (character), tall (language, question),
    words (language), sealed, forgotten, disk, file (reason), unexpected.
    """

    def __init__(self, code: str, **values: str | int) -> None:
        super().__init__(code, values)
        self.code, self.values = code, values


class PacketOptions(Protocol):
    """How the sets of a packet look: a request, or the packet's row."""

    @property
    def contents(self) -> str: ...
    @property
    def paper(self) -> str: ...
    @property
    def style(self) -> str: ...
    @property
    def second(self) -> str | None: ...
    @property
    def arrangement(self) -> str: ...
    @property
    def outside(self) -> str: ...


def phone_access(wave: Wave, coded: bool) -> str:
    """How a set's cover leads to the survey on a phone: by the household's own code, by a link, by a link and the code
    of an earlier letter, or not at all."""
    if "web" not in wave.modes.split():
        return ""
    if coded:
        return "code"
    return "letter" if wave.entry == "code" else "link"


def build_set_layout(settings: Settings, wave: Wave, options: PacketOptions, language: str, coded: bool) -> SetLayout:
    """Build the layout of the sets in a language; `coded`: with the household's own access code. Raises Unprintable."""
    edition = load_edition(wave.edition.document)
    survey, fonts = edition.survey(language), font_dir(settings)
    second = None
    if options.second and options.second != language:
        second = SurveyInLanguage(options.second, edition.survey(options.second), catalogue(options.second))
    try:
        layout = lay_out_sheet(
            SurveyInLanguage(language, survey, catalogue(language)),
            _build_cover(settings, wave, options, phone_access(wave, coded), language),
            SheetFormat(options.paper, options.style, second, options.arrangement, fonts=fonts),
            edition=edition.digest,
        )
        faces = load_faces(language, LANGUAGES[language].fonts, fonts)
    except MissingFont as problem:
        raise Unprintable("font", language=_language_without_font(problem, language, options.second)) from problem
    except MissingGlyph as problem:
        surveys = [survey, second.survey] if second else [survey]
        raise Unprintable("glyph", language=language, **_locate_character(problem, surveys)) from problem
    except TooTall as problem:
        raise Unprintable("tall", language=language, question=problem.question) from problem
    text = geometry_json(layout, edition.digest)
    return SetLayout(layout, digest(text), text, faces, survey.title)


def store_layouts(session: Session, wave: Wave, kinds: Mapping[tuple[str, bool], SetLayout], today: date) -> None:
    """Store the layouts that are not stored yet."""
    for layout in {kind.digest: kind for kind in kinds.values()}.values():
        if session.get(StoredLayout, layout.digest) is None:
            row = StoredLayout(digest=layout.digest, edition_digest=wave.edition_digest, geometry=layout.geometry)
            row.stored_on = today
            session.add(row)
    session.flush()


def font_dir(settings: Settings) -> Path | None:
    """The folder of fonts from the settings; None for the system's."""
    return Path(settings.font_dir) if settings.font_dir else None


def find_unprintable(text: str, kind: SetLayout) -> str:
    """The first character of a text that cannot be printed, as a description; empty if all can."""
    language = LANGUAGES[kind.layout.language]
    try:
        shape_text(normalize_text(text), kind.faces, False, language.direction, language.tag)
    except MissingGlyph as problem:
        return describe_character(problem.character)
    return ""


def describe_character(symbol: str) -> str:
    """A description of a character: U+1F600 GRINNING FACE."""
    return f"U+{ord(symbol):04X} {unicodedata.name(symbol, '')}".strip()


def _build_cover(settings: Settings, wave: Wave, options: PacketOptions, phone: str, language: str) -> Cover:
    tags = (language, options.second) if options.second else (language,)
    deleted_on = answers_deleted_on(wave, settings)
    return Cover(
        settings.district_name,
        identity=wave.identity,
        opens=wave.opens,
        closes=wave.closes,
        interpreter=settings.interpreter_phone,
        phone=phone,
        reply=True,
        answers=f"{settings.base_url.partition('://')[2]}/{language}/reply",
        outside=options.outside,
        linked=wave.identity == "confidential" and options.contents == "households",
        notice={tag: render_notice(wave, settings, tag, deleted_on) for tag in tags},
    )


def _language_without_font(problem: MissingFont, language: str, second: str | None) -> str:
    """The language that has no font: the exception's message begins with its tag."""
    first = str(problem).partition(":")[0]
    return first if first in (language, second) else language


def _locate_character(problem: MissingGlyph, surveys: list[Survey]) -> dict[str, str]:
    """The character, and the question that contains it (empty if none does)."""
    symbol = problem.character
    for survey in surveys:
        for _, question in survey.questions():
            texts = (question.text, question.hint, question.unit, *(choice.text for choice in question.choices))
            if any(symbol in unicodedata.normalize("NFC", text) for text in texts):
                return {"question": question.id, "character": describe_character(symbol)}
    return {"question": "", "character": describe_character(symbol)}
