"""What the family's door keeps in memory for one site."""

from dataclasses import dataclass, field
from datetime import date
from random import SystemRandom
from typing import cast

from flask import current_app, request
from flask.blueprints import BlueprintSetupState
from markupsafe import Markup
from sqlalchemy import Connection, func, select

from engage.base.languages import catalogue
from engage.domain.intake.burst_detection import BurstCounter
from engage.domain.intake.burst_marks import announced
from engage.sites.family import wave_cache as offers
from engage.sites.family.form_cache import Shelf
from engage.sites.family.page_cache import Kept
from engage.sites.family.privacy_notice import privacy_answers
from engage.sites.family.rate_limit import Tries
from engage.sites.family.wave_cache import Front, Offer, Remembered
from engage.storage.engine import reading
from engage.storage.models.schools import Household
from engage.web.context import state
from engage.web.networks import network_of
from engage.web.page_language import SOURCE

EXTENSION = "engage.sites.family"
RNG = SystemRandom()

# A whole school, or a phone company's customers, may sit behind one address: only wrong tries are counted, and what
# costs us nothing is not limited at all. Networks are those of web/networks.py; limits hold for each process.
WRONG_CODES = 30  # per minute and network: different codes that are nobody's, and every look at a used one
WRONG_CODES_TOGETHER = 300  # per minute: then networks wait that were wrong before; 40.7 bits are safe for years
WRONG_REPLIES = 30  # per minute and network: reply codes that are nobody's; each costs a slow hash
WRONG_REPLIES_TOGETHER = 300  # per minute: about 8 s of one core
FORMS = 20  # per minute and network: paper forms drawn anew
FORMS_TOGETHER = 60  # per minute: about 12 s of one core
ROOM_FRESH = 60.0  # seconds
HOUSEHOLDS_FRESH = 3600.0  # seconds: a school's size decides how many responses are usual


@dataclass(slots=True)
class Desk:
    """Pages and paper forms drawn, waves looked up, tries counted, and the day old drafts were last swept out."""

    pages: Kept = field(default_factory=Kept)
    shelf: Shelf = field(default_factory=Shelf)
    offers: Remembered[Offer | None] = field(default_factory=Remembered)
    fronts: Remembered[Front] = field(default_factory=Remembered)
    codes: Tries = field(default_factory=lambda: Tries(WRONG_CODES, WRONG_CODES_TOGETHER))
    replies: Tries = field(default_factory=lambda: Tries(WRONG_REPLIES, WRONG_REPLIES_TOGETHER))
    bursts: BurstCounter = field(default_factory=BurstCounter)
    events: Remembered[frozenset[tuple[str, date]]] = field(default_factory=Remembered)
    households: Remembered[dict[str, int]] = field(default_factory=lambda: Remembered(fresh=HOUSEHOLDS_FRESH))
    forms: Tries = field(default_factory=lambda: Tries(FORMS, FORMS_TOGETHER))
    swept_on: date | None = None
    has_room: bool = True
    """Whether drafts may be begun, as of `room_at` (seconds of a clock that never goes back)."""
    room_at: float = -ROOM_FRESH


def set_up(setup: BlueprintSetupState) -> None:
    """Give the app that serves families its desk."""
    setup.app.extensions[EXTENSION] = Desk()
    setup.app.jinja_env.globals.update(number=number, name=name, spoken=spoken, privacy_answers=privacy_answers)


def number(text: str) -> Markup:
    """A phone number or a code inside a sentence of any direction."""
    return Markup('<bdi dir="ltr" translate="no">{}</bdi>').format(text)


def name(text: str) -> Markup:
    """A name inside a sentence of any direction."""
    return Markup("<bdi>{}</bdi>").format(text)


def spoken(tag: str) -> str:
    """An invitation in a language itself; empty where it is not translated yet."""
    said = []
    for words in (catalogue(SOURCE), catalogue(tag)):
        # translators: on the very first page, under the name of your language
        said.append(words.gettext("Answer, ask and read in this language"))
    return said[1] if said[1] != said[0] or tag == SOURCE else ""


def desk() -> Desk:
    """The desk of the site that serves this request."""
    return cast(Desk, current_app.extensions[EXTENSION])


def offer(wave_id: str) -> Offer | None:
    """A wave by the name in its address."""
    if not (wave_id.isascii() and wave_id.isprintable()):  # PostgreSQL refuses a NUL with an error
        return None
    return desk().offers.get(wave_id, lambda: offers.offer(state().engine, wave_id, state().settings))


def front() -> Front:
    """What stands on the front page today."""
    today = state().today()
    return desk().fronts.get(today.isoformat(), lambda: offers.front(state().engine, today, state().settings))


def is_announced(wave_id: str, school_id: str, today: date) -> bool:
    """Whether an event was announced for this school and day."""

    def ask() -> frozenset[tuple[str, date]]:
        with reading(state().engine) as session:
            return announced(session, wave_id)

    return (school_id, today) in desk().events.get(wave_id, ask)


def households(school_id: str) -> int:
    """How many households a school has, as counted within the hour; 0 where there is no roster."""

    def ask() -> dict[str, int]:
        counted = select(Household.school_id, func.count()).group_by(Household.school_id)
        with looking() as connection:
            return {row[0]: row[1] for row in connection.execute(counted)}

    return desk().households.get("", ask).get(school_id, 0)


def looking() -> Connection:
    """A connection that only reads; close it by `with`."""
    return state().engine.execution_options(reads=True).connect()


def network() -> str:
    """Which network the request comes from, for counting tries in memory only."""
    return network_of(request.remote_addr or "")
