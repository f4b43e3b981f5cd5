"""How long the answers of a wave are stored."""

from datetime import date, timedelta

from engage.config import Settings
from engage.records.schools import Wave


def answers_deleted_on(wave: Wave, settings: Settings) -> date:
    """The day on which the answers of a wave are deleted; the last day they are stored is the day before."""
    return wave.closes + timedelta(days=settings.keep_answers_days)
