"""Looking up the sheet to be keyed: numbered, or without a legible serial."""

import re
from dataclasses import dataclass, field
from secrets import token_hex

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.questionnaire.editions import load_edition
from engage.questionnaire.model import Survey
from engage.storage.language_groups import OTHER
from engage.storage.models.paper import Keying, KeyingDraft, PrintRun, Sheet
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave, WaveSchool

NAME = re.compile(r"[0-9a-f]{32}\Z")  # the name of a sheet without serial


def new_sheet_name() -> str:
    """A random name for a sheet without serial."""
    return token_hex(16)


@dataclass(slots=True)
class PaperSheet:
    """One sheet. `name` is its serial, or the id its keying has or will have."""

    name: str
    wave: Wave
    school: School
    language: str
    sheet: Sheet | None = None
    keying: Keying | None = None
    keying_id: str = field(default_factory=new_sheet_name)
    tears: bool = False
    """Whether it was printed with a detachable reply code, as in a packet."""

    @property
    def serial(self) -> str | None:
        """The serial printed on every page; None if it is illegible."""
        return self.sheet.serial if self.sheet else None

    def survey(self, language: str) -> Survey:
        """The survey in a language."""
        return load_edition(self.wave.edition.document).survey(language)


@dataclass(frozen=True, slots=True)
class SheetDetails:
    """What the keyer enters about a sheet without serial."""

    wave: str = ""
    school: str = ""
    language: str = ""


def find_numbered_sheet(session: Session, serial: str) -> PaperSheet | None:
    """The sheet with this serial."""
    row = session.execute(
        select(Sheet, PrintRun).join(PrintRun, PrintRun.id == Sheet.run_id).where(Sheet.serial == serial)
    ).one_or_none()
    if row is None:
        return None
    sheet, run = row
    keying = session.scalar(select(Keying).where(Keying.serial == serial))
    wave, school = session.get_one(Wave, run.wave_id), session.get_one(School, run.school_id)
    return PaperSheet(serial, wave, school, run.language, sheet, keying, tears=run.packet_id is not None)


def find_unnumbered_sheet(session: Session, name: str, details: SheetDetails, person: int) -> PaperSheet | None:
    """The sheet without serial: as keyed, else as in its unfinished draft, else as in `details`. None for a wave that
    families do not answer."""
    if not NAME.match(name):
        return None
    keying = session.get(Keying, name)
    if keying is not None and keying.serial is not None:
        return None
    draft = None if keying else session.get(KeyingDraft, (person, name))
    if stored := keying or draft:
        tongue = details.language if stored.language == OTHER else stored.language
        details = SheetDetails(stored.wave_id, stored.school_id, tongue)
    return _build_unnumbered_sheet(session, name, details, keying)


def _build_unnumbered_sheet(
    session: Session, name: str, details: SheetDetails, keying: Keying | None
) -> PaperSheet | None:
    if not (details.wave.isprintable() and details.school.isprintable()):  # PostgreSQL refuses NUL in a query
        return None
    wave, school = session.get(Wave, details.wave), session.get(School, details.school)
    if wave is None or not wave.is_for_families:
        return None
    if school is None or session.get(WaveSchool, (wave.id, school.id)) is None:
        return None
    language = details.language
    if keying is not None and language not in wave.offered:  # keyed under a merged language; its own is not stored
        language = wave.offered[0]
    return PaperSheet(name, wave, school, language, None, keying, name) if language in wave.offered else None
