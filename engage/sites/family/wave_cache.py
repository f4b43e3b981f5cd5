"""A cache of open waves and published results, for a few seconds, for the family pages."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Generic, TypeVar

from sqlalchemy import Engine, select
from sqlalchemy.orm import selectinload

from engage.base.config import Settings
from engage.questionnaire.editions import Edition, load_edition
from engage.questionnaire.model import Survey
from engage.services.waves.populations import LIAISON, PILES, STUDENT
from engage.services.waves.retention import answers_deleted_on
from engage.storage.engine import read_session
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.waves import Wave

FRESH = 3.0  # seconds that a query result is reused; staff changes appear on family pages with this delay
GRACE = timedelta(days=1)  # after the last day, for families that have begun
WAVES_MOST = 200  # cached at a time

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offer:
    """A wave with its settings for the family pages. `schools` are (id, name) pairs, `languages` tags in the order
    offered."""

    id: str
    edition: Edition
    opens: date
    closes: date
    results_on: date | None
    identity: str
    entry: str
    languages: tuple[str, ...]
    schools: tuple[tuple[str, str], ...]
    burn_salt: str | None = None
    deleted_on: date = date.max
    """The day on which the answers are deleted."""
    privacy_notice: str | None = None
    """The notice stored when the wave was opened, in the format of services/waves/privacy_notice.py."""
    population: str = "family"
    """Who answers: families, educators, students, or liaisons."""
    on_the_web: bool = True
    on_paper: bool = True

    @property
    def unlinked(self) -> bool:
        """Whether it is anonymous although each household has its own code."""
        return self.identity == "anonymous" and self.entry == "code"

    @property
    def resumes_by_code(self) -> bool:
        """Whether a household can resume its answers on any phone, by its access code."""
        return self.identity == "confidential" and self.entry == "code"

    @property
    def can_keep_secret(self) -> bool:
        """Whether a phone may store its secret after the browser is closed, if the person chooses so."""
        return not (self.resumes_by_code or self.on_shared_device)

    @property
    def by_slip(self) -> bool:
        """Whether educators or students answer it, each with a code on a slip of paper from a pile."""
        return self.population in PILES

    @property
    def on_shared_device(self) -> bool:
        """Whether it is answered one after the other on the same devices of a school: then no answers stay on one."""
        return self.population == STUDENT

    @property
    def has_family_notice(self) -> bool:
        """Whether families get a notice about it: students answer it. Such a survey is always anonymous."""
        return self.population == "student"

    def survey(self, language: str) -> Survey:
        """The survey in a language."""
        return self.edition.survey(language)

    def begins(self, today: date) -> bool:
        """Whether a family can begin."""
        return self.opens <= today <= self.closes

    def takes(self, today: date) -> bool:
        """Whether a family that has begun can still answer and send."""
        return self.opens <= today <= self.closes + GRACE


@dataclass(frozen=True, slots=True)
class PublishedResults:
    """Published results of a checkpoint."""

    id: str
    title: str
    on: date


@dataclass(frozen=True, slots=True)
class FrontPage:
    """The content of the front page on one day."""

    waves: tuple[Offer, ...]
    results: tuple[PublishedResults, ...]


class TimedCache(Generic[T]):
    """Query results, each reused for `fresh` seconds. Holds at most `WAVES_MOST`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, fresh: float = FRESH) -> None:
        self._clock = clock
        self._fresh = fresh
        self._kept: dict[str, tuple[float, T]] = {}

    def get(self, key: str, ask: Callable[[], T]) -> T:
        """The result under a key; `ask` fetches it. None is not cached, so that guessed keys take no memory."""
        entry = self._kept.get(key)
        now = self._clock()
        if entry is not None and entry[0] > now:
            return entry[1]
        answer = ask()
        if answer is not None:
            if len(self._kept) >= WAVES_MOST:
                self._kept.clear()
            self._kept[key] = (now + self._fresh, answer)
        return answer


def load_offer(engine: Engine, wave_id: str, settings: Settings) -> Offer | None:
    """Load one wave, open or not. None also for one that liaisons answer: it has no public page."""
    with read_session(engine) as session:
        wave = session.get(Wave, wave_id, options=[selectinload(Wave.schools), selectinload(Wave.edition)])
        return None if wave is None or wave.population == LIAISON else _make_offer(wave, settings)


def load_front(engine: Engine, today: date, settings: Settings) -> FrontPage:
    """Load the open waves with an open link, and published results, newest first."""
    open_now = select(Wave).where(Wave.opens <= today, Wave.closes >= today, Wave.entry == "open")
    open_now = open_now.where(Wave.population != LIAISON).order_by(Wave.id)
    published = select(Checkpoint).where(Checkpoint.published_on.is_not(None))
    with read_session(engine) as session:
        waves = session.scalars(open_now.options(selectinload(Wave.schools), selectinload(Wave.edition)))
        results = session.scalars(published.order_by(Checkpoint.published_on.desc(), Checkpoint.id))
        return FrontPage(
            tuple(load_offer for wave in waves if (load_offer := _make_offer(wave, settings)).on_the_web),
            tuple(PublishedResults(each.id, each.title, each.published_on) for each in results if each.published_on),
        )


def _make_offer(wave: Wave, settings: Settings) -> Offer:
    return Offer(
        id=wave.id,
        edition=_load_edition(wave.edition.document),
        opens=wave.opens,
        closes=wave.closes,
        results_on=wave.results_on,
        identity=wave.identity,
        entry=wave.entry,
        languages=tuple(wave.offered),
        schools=tuple((school.id, school.name) for school in wave.schools),
        burn_salt=wave.burn_salt,
        deleted_on=answers_deleted_on(wave, settings),
        privacy_notice=wave.privacy_notice,
        population=wave.population,
        on_the_web="web" in wave.modes.split(),
        on_paper="paper" in wave.modes.split(),
    )


_load_edition = lru_cache(maxsize=32)(load_edition)
