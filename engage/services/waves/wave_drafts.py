"""Drafts of surveys: somebody prepares one in steps, and opens it after a check of everything."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from engage.base.catalogs import translation_gaps
from engage.base.languages import LANGUAGES
from engage.questionnaire.editions import Edition
from engage.questionnaire.text_cleaning import is_possible_id
from engage.services.waves import privacy_notice
from engage.services.waves.opening import NewWave, Refusal
from engage.services.waves.populations import EDUCATOR, FAMILY, LIAISON
from engage.services.waves.unit_counts import count_units
from engage.storage.models.base import RANDOM_ID
from engage.storage.models.responses import MODES
from engage.storage.models.schools import Household, School
from engage.storage.models.wave_drafts import WaveDraft
from engage.storage.models.waves import Wave

DRAFT_DAYS = 30  # after its last change a draft is deleted: by then its dates have passed, or nobody needs it
STEPS: Mapping[str, tuple[str, ...]] = {
    "questionnaire": ("survey", "title", "id"),
    "schools": ("schools", "all_schools", "languages"),
    "dates": ("opens", "closes", "results_on"),
    "answering": ("identity", "entry", "modes", "counting", "asked", "federal_funds"),
}
"""The steps in order, each with the fields of DraftFields and of NewWave that it sets."""
STAFF_LANGUAGES = ("en", "es")
DAYS = ("opens", "closes", "results_on")


@dataclass(frozen=True, slots=True)
class DraftFields:
    """What was chosen so far. `schools` are ids and `languages` tags; None if that step was not saved yet, so that the
    choice made beforehand (`preselect`) still follows the questionnaire and the roster."""

    survey: str = ""
    title: str = ""
    schools: tuple[str, ...] | None = None
    all_schools: bool = True
    languages: tuple[str, ...] | None = None
    opens: date | None = None
    closes: date | None = None
    results_on: date | None = None
    identity: str = "anonymous"
    entry: str = "open"
    modes: tuple[str, ...] = MODES
    counting: str = "family"
    asked: str = "everyone"
    federal_funds: str = ""
    """Of a survey of students: "yes", "no", or empty if it was not chosen yet."""

    def to_json(self) -> str:
        """The JSON object that is stored."""
        return json.dumps(asdict(self), default=date.isoformat, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "DraftFields":
        """The fields of a stored draft; one that is missing has its default value."""
        stored: dict[str, Any] = json.loads(text)
        stored = {name: value for name, value in stored.items() if name in cls.__slots__}
        for name in DAYS:
            stored[name] = date.fromisoformat(stored[name]) if stored.get(name) else None
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
        }
        return cls(**values)

    def to_new_wave(self, schools: Iterable[str]) -> NewWave:
        """The survey as it would be opened at these schools, languages in the order they are offered."""
        return NewWave(
            title=self.title,
            schools=tuple(schools),
            languages=tuple(tag for tag in LANGUAGES if tag in (self.languages or ())),
            opens=self.opens,
            closes=self.closes,
            results_on=self.results_on,
            identity=self.identity,
            entry=self.entry,
            modes=self.modes,
            counting=self.counting,
            asked=self.asked,
            federal_funds={"yes": True, "no": False}.get(self.federal_funds),
        )


@dataclass(frozen=True, slots=True)
class HouseholdLanguages:
    """Number of households by the language that they read, largest first: those that Engage offers, and all others."""

    offered: Mapping[str, int]
    others: Mapping[str, int]


def add_draft(session: Session, staff_id: int, fields: DraftFields, today: date) -> WaveDraft:
    """Store a new draft of a person."""
    draft = WaveDraft(id=token_hex(RANDOM_ID // 2), staff_id=staff_id, fields=fields.to_json(), changed_on=today)
    session.add(draft)
    return draft


def find_draft(session: Session, staff_id: int, draft_id: str) -> WaveDraft | None:
    """A draft of this person, or None."""
    draft = session.get(WaveDraft, draft_id) if is_possible_id(draft_id) else None
    return draft if draft is not None and draft.staff_id == staff_id else None


def list_drafts(session: Session, staff_id: int) -> Sequence[WaveDraft]:
    """The drafts of a person, those changed last at the top."""
    query = select(WaveDraft).where(WaveDraft.staff_id == staff_id)
    return session.scalars(query.order_by(WaveDraft.changed_on.desc(), WaveDraft.id)).all()


def is_draft_expired(today: date) -> ColumnElement[bool]:
    """SQL condition for drafts that nobody has changed for DRAFT_DAYS."""
    return WaveDraft.changed_on < today - timedelta(days=DRAFT_DAYS)


def count_missing_translations(session: Session, edition: Edition | None) -> tuple[dict[str, int], dict[str, int]]:
    """How many texts have no translation, by language: of the family pages with the privacy notice, and of the
    questionnaire."""
    population = edition.survey("en").population if edition else FAMILY
    gaps, notices = translation_gaps(LANGUAGES), privacy_notice.find_untranslated_texts(session, LANGUAGES, population)
    pages = {tag: len([*gaps.get(tag, []), *notices.get(tag, [])]) for tag in LANGUAGES}
    return pages, {tag: len(edition.missing(tag)) if edition else 0 for tag in LANGUAGES}


def preselect(session: Session, fields: DraftFields, edition: Edition | None) -> DraftFields:
    """The fields with all schools and all complete languages, where that step was not saved yet; for staff, with
    English and Spanish."""
    if fields.languages is None:
        pages, questions = count_missing_translations(session, edition)
        population = edition.survey("en").population if edition else FAMILY
        offered = STAFF_LANGUAGES if population in (EDUCATOR, LIAISON) else LANGUAGES
        complete = tuple(tag for tag in LANGUAGES if tag in offered and not pages[tag] and not questions[tag])
        fields = replace(fields, languages=complete)
    return fields if fields.schools is not None else replace(fields, schools=(), all_schools=True)


def chosen_schools(session: Session, fields: DraftFields) -> Sequence[School]:
    """The chosen schools that the roster has, by name."""
    query = select(School).where(School.active).order_by(School.name, School.id)
    return session.scalars(query if fields.all_schools else query.where(School.id.in_(fields.schools or ()))).all()


def count_household_languages(session: Session, schools: Iterable[str] | None = None) -> HouseholdLanguages:
    """Count the households of the roster by language: of all schools, or of those with these ids."""
    query = select(Household.language, func.count()).join(School, School.id == Household.school_id)
    query = query if schools is None else query.where(School.id.in_(list(schools)))
    rows = session.execute(query.where(School.active).group_by(Household.language))
    counted = Counter({row[0]: row[1] for row in rows}).most_common()
    return HouseholdLanguages(
        {tag: number for tag, number in counted if tag in LANGUAGES},
        {tag: number for tag, number in counted if tag not in LANGUAGES},
    )


def count_asked(session: Session, fields: DraftFields, schools: Sequence[School], population: str) -> int:
    """How many responses the survey could get by the roster of today: one for each family, student, or teacher."""
    wave = Wave(counting=fields.counting, asked=fields.asked, schools=list(schools))  # never added to the session
    wave.population = population
    return count_units(session, wave).total


def group_by_step(refusals: Iterable[Refusal]) -> dict[str, list[str]]:
    """The sentences by the step that mends them."""
    steps = {field: step for step, fields in STEPS.items() for field in fields}
    grouped: dict[str, list[str]] = {step: [] for step in STEPS}
    for each in refusals:
        grouped[steps[each.field]].append(each.sentence)
    return grouped
