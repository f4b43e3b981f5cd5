"""The number of responses of each wave, rounded so that no single response can be identified."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engage.domain.summaries.published_figures import audience_minimums
from engage.domain.summaries.suppression import LEADERS
from engage.services.waves.populations import LIAISON
from engage.storage.models.bursts import is_counted
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import Response
from engage.storage.models.waves import Wave

STEP = 10  # while a wave is open: comparing the number before and after a visit must not reveal one answer


@dataclass(frozen=True, slots=True)
class WaveProgress:
    """Responses and invitations of a wave. `responses` is None if there are some but fewer than `least`; while the wave
    is open, also if there are none, and it is rounded down to a multiple of ten (`exact` is False)."""

    responses: int | None
    invited: int
    exact: bool = True
    minimum: int = LEADERS.minimum
    """The least number shown of a closed wave."""

    @property
    def least(self) -> int:
        """The smallest number that is shown."""
        return self.minimum if self.exact else STEP


def count_progress(session: Session, today: date, *wave_ids: str) -> dict[str, WaveProgress]:
    """Count the progress of these waves, or of every wave, by wave id."""
    answered = dict(session.execute(_count_by_wave(Response.wave_id, wave_ids).where(is_counted())).all())
    invited = dict(session.execute(_count_by_wave(Invitation.wave_id, wave_ids)).all())
    counts, waves = {}, select(Wave.id, Wave.opens, Wave.closes, Wave.population)
    for id, opens, closes, population in session.execute(waves.where(Wave.id.in_(wave_ids)) if wave_ids else waves):
        number = answered.get(id, 0)
        if population == LIAISON:  # each debrief is read by the same people who see the number
            counts[id] = WaveProgress(number, 0)
        elif opens <= today <= closes:
            counts[id] = WaveProgress(number - number % STEP or None, invited.get(id, 0), exact=False)
        else:
            least = audience_minimums(population)["leaders"]
            counts[id] = WaveProgress(None if 0 < number < least else number, invited.get(id, 0), minimum=least)
    return counts


def _count_by_wave(wave_id: InstrumentedAttribute[str], only: Collection[str]) -> Select[str, int]:
    counted = select(wave_id, func.count()).group_by(wave_id)
    return counted.where(wave_id.in_(only)) if only else counted
