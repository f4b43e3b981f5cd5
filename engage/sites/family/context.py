"""The in-memory state of the family pages of one site."""

from dataclasses import dataclass, field
from datetime import date
from random import SystemRandom
from typing import cast

from flask import current_app, request
from flask.blueprints import BlueprintSetupState
from markupsafe import Markup
from sqlalchemy import Connection, func, select

from engage.base.catalogs import catalogue
from engage.domain.intake.burst_detection import BurstCounter
from engage.domain.intake.burst_marks import announced_events
from engage.questionnaire.text_cleaning import is_possible_id
from engage.sites.family import wave_cache as offers
from engage.sites.family.code_attempts import Tries
from engage.sites.family.page_cache import PageCache
from engage.sites.family.printable_form_cache import FormCache
from engage.sites.family.wave_cache import FrontPage, Offer, TimedCache
from engage.sites.family.wave_notice import privacy_answers
from engage.storage.engine import read_session
from engage.storage.models.schools import Household
from engage.web.context import runtime
from engage.web.networks import network_of
from engage.web.page_language import SOURCE

EXTENSION = "engage.sites.family"
RNG = SystemRandom()

# A whole school, or a phone company's customers, may share one address: only wrong attempts are counted, and cheap
# requests are not limited. Networks are those of web/networks.py; limits apply to each process.
WRONG_CODES = 30  # per minute and network: different unknown codes, and every check of a used one
WRONG_CODES_TOGETHER = 300  # per minute: beyond it, networks with wrong attempts wait; 40.7 bits then resist for years
WRONG_REPLIES = 30  # per minute and network: unknown reply codes; each costs a slow hash
WRONG_REPLIES_TOGETHER = 300  # per minute: about 8 s of one core
FORMS = 20  # per minute and network: paper forms rendered anew
FORMS_TOGETHER = 60  # per minute: about 12 s of one core
ROOM_FRESH = 60.0  # seconds
HOUSEHOLDS_FRESH = 3600.0  # seconds: the number of households sets how many responses are usual


@dataclass(slots=True)
class FamilyMemory:
    """Cached pages, paper forms, and waves, counted attempts, and the day on which old drafts were last deleted."""

    pages: PageCache = field(default_factory=PageCache)
    shelf: FormCache = field(default_factory=FormCache)
    offers: TimedCache[Offer | None] = field(default_factory=TimedCache)
    fronts: TimedCache[FrontPage] = field(default_factory=TimedCache)
    codes: Tries = field(default_factory=lambda: Tries(WRONG_CODES, WRONG_CODES_TOGETHER))
    replies: Tries = field(default_factory=lambda: Tries(WRONG_REPLIES, WRONG_REPLIES_TOGETHER))
    bursts: BurstCounter = field(default_factory=BurstCounter)
    events: TimedCache[frozenset[tuple[str, date]]] = field(default_factory=TimedCache)
    households: TimedCache[dict[str, int]] = field(default_factory=lambda: TimedCache(fresh=HOUSEHOLDS_FRESH))
    forms: Tries = field(default_factory=lambda: Tries(FORMS, FORMS_TOGETHER))
    swept_on: date | None = None
    has_room: bool = True
    """Whether a new draft may be begun, as of `room_at` (monotonic seconds)."""
    room_at: float = -ROOM_FRESH


def install_memory(setup: BlueprintSetupState) -> None:
    """Create the state in the app that serves families."""
    setup.app.extensions[EXTENSION] = FamilyMemory()
    setup.app.jinja_env.globals.update(
        number=isolate_number, name=isolate_name, spoken=language_invitation, privacy_answers=privacy_answers
    )


def isolate_number(text: str) -> Markup:
    """A phone number or a code inside a sentence of any direction."""
    return Markup('<bdi dir="ltr" translate="no">{}</bdi>').format(text)


def isolate_name(text: str) -> Markup:
    """A name inside a sentence of any direction."""
    return Markup("<bdi>{}</bdi>").format(text)


def language_invitation(tag: str) -> str:
    """An invitation in its own language; empty if it is not translated."""
    sentences = []
    for words in (catalogue(SOURCE), catalogue(tag)):
        # translators: on the very first page, under the name of your language
        sentences.append(words.gettext("Answer, ask and read in this language"))
    return sentences[1] if sentences[1] != sentences[0] or tag == SOURCE else ""


def family_memory() -> FamilyMemory:
    """The state of the site that serves this request."""
    return cast(FamilyMemory, current_app.extensions[EXTENSION])


def cached_offer(wave_id: str) -> Offer | None:
    """The wave with this id, cached."""
    if not (wave_id.isascii() and is_possible_id(wave_id)):
        return None
    return family_memory().offers.get(wave_id, lambda: offers.load_offer(runtime().engine, wave_id, runtime().settings))


def cached_front() -> FrontPage:
    """The content of the front page today, cached."""
    today = runtime().today()
    return family_memory().fronts.get(
        today.isoformat(), lambda: offers.load_front(runtime().engine, today, runtime().settings)
    )


def is_announced(wave_id: str, school_id: str, today: date) -> bool:
    """Whether an event was announced for this school and day."""

    def ask() -> frozenset[tuple[str, date]]:
        with read_session(runtime().engine) as session:
            return announced_events(session, wave_id)

    return (school_id, today) in family_memory().events.get(wave_id, ask)


def count_households(school_id: str) -> int:
    """The number of households of a school, cached for an hour; 0 without a roster."""

    def ask() -> dict[str, int]:
        counted = select(Household.school_id, func.count()).group_by(Household.school_id)
        with open_read_connection() as connection:
            return {row[0]: row[1] for row in connection.execute(counted)}

    return family_memory().households.get("", ask).get(school_id, 0)


def open_read_connection() -> Connection:
    """A read-only connection; use it in a `with` statement."""
    return runtime().engine.execution_options(reads=True).connect()


def request_network() -> str:
    """The network of the request, for counting attempts in memory only."""
    return network_of(request.remote_addr or "")
