"""Stored data about bursts: marked responses per day, announced events, and decisions whether marked responses
count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engage.storage.fast_statements import QuickWrites
from engage.storage.models.bursts import AnnouncedEvent, BurstDay, BurstDecision
from engage.storage.models.waves import Wave

STEP = 10  # numbers of marked responses are rounded down to multiples of ten for display
_AGAIN: dict[str, Any] = {"index_elements": ["wave_id", "day"], "set_": {"marked": BurstDay.marked + 1}}
_upsert_count = QuickWrites(
    sqlite=sqlite.insert(BurstDay).on_conflict_do_update(**_AGAIN),
    postgresql=postgresql.insert(BurstDay).on_conflict_do_update(**_AGAIN),
)


class BurstsUndecided(Exception):
    """Nobody has decided yet whether marked responses of these waves count, so no figures can be shown."""

    def __init__(self, waves: Sequence[Wave]) -> None:
        self.waves = tuple(waves)
        which = ", ".join(wave.id for wave in self.waves)
        super().__init__(f"responses came in bursts; a leader must decide first whether they count: {which}")


@dataclass(frozen=True, slots=True)
class MarkedDay:
    """A day with marked responses. `at_least` is their number rounded down to a multiple of ten."""

    day: date
    at_least: int


def count_marked(connection: Connection, wave_id: str, day: date) -> None:
    """Add one to the number of marked responses of a wave on a day."""
    _upsert_count.run(connection, {"wave_id": wave_id, "day": day, "marked": 1})


def marked_days(session: Session, wave_id: str) -> list[MarkedDay]:
    """Return the days of a wave with marked responses, in order."""
    days = session.scalars(select(BurstDay).where(BurstDay.wave_id == wave_id).order_by(BurstDay.day))
    return [MarkedDay(each.day, each.marked // STEP * STEP) for each in days]


def announced_events(session: Session, wave_id: str) -> frozenset[tuple[str, date]]:
    """Return the announced events of a wave as (school, day)."""
    events = select(AnnouncedEvent.school_id, AnnouncedEvent.day).where(AnnouncedEvent.wave_id == wave_id)
    return frozenset((row.school_id, row.day) for row in session.execute(events))


def find_burst_decision(session: Session, wave_id: str) -> BurstDecision | None:
    """Return the decision about the marked responses of a wave, or None."""
    return session.get(BurstDecision, wave_id)


def needs_burst_decision(session: Session, wave_id: str) -> bool:
    """Whether a wave has marked responses and no decision whether they count."""
    marked = exists().where(BurstDay.wave_id == wave_id)
    return find_burst_decision(session, wave_id) is None and bool(session.scalar(select(marked)))


def require_decisions(session: Session, waves: Iterable[Wave]) -> None:
    """Raise BurstsUndecided if one of these waves needs a decision first."""
    undecided = [wave for wave in waves if needs_burst_decision(session, wave.id)]
    if undecided:
        raise BurstsUndecided(undecided)


def published_reason(session: Session, wave_id: str) -> str:
    """Return the code of the reason why marked responses of a wave count or not; empty if none were marked."""
    decision = find_burst_decision(session, wave_id)
    return decision.reason if decision is not None else ""
