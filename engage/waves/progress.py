"""How many have answered, told so that nobody can be picked out."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engage.records.responses import Invitation, Response

LEAST = 5  # fewer answers than this are told as "fewer than 5" (design.md: n < 5 for leaders)


@dataclass(frozen=True, slots=True)
class Progress:
    """Responses and invitations of a wave. `responses` is None where it is from 1 to 4."""

    responses: int | None
    invited: int


def progress(session: Session) -> dict[str, Progress]:
    """How far every wave has come, by wave id; a wave without responses and invitations is not in it."""
    answered = dict(session.execute(_counted(Response.wave_id)).all())
    invited = dict(session.execute(_counted(Invitation.wave_id)).all())
    return {
        wave: Progress(None if 0 < answered.get(wave, 0) < LEAST else answered.get(wave, 0), invited.get(wave, 0))
        for wave in answered.keys() | invited.keys()
    }


def _counted(wave_id: InstrumentedAttribute[str]) -> Select[str, int]:
    return select(wave_id, func.count()).group_by(wave_id)
