"""How many have answered, told so that nobody can be picked out."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engage.records.responses import Invitation, Response

LEAST = 5  # fewer answers than this are told as "fewer than 5" (design.md: n < 5 for leaders)


@dataclass(frozen=True, slots=True)
class Progress:
    """Responses and invitations of a wave. `responses` is None where it is from 1 to 4."""

    responses: int | None
    invited: int


def progress(session: Session) -> dict[str, Progress]:
    """How far every wave has come, by wave id; a wave without responses and invitations is not in it."""
    answered = dict(session.execute(select(Response.wave_id, func.count()).group_by(Response.wave_id)).tuples().all())
    invited = dict(
        session.execute(select(Invitation.wave_id, func.count()).group_by(Invitation.wave_id)).tuples().all()
    )
    return {
        wave: Progress(None if 0 < answered.get(wave, 0) < LEAST else answered.get(wave, 0), invited.get(wave, 0))
        for wave in answered.keys() | invited.keys()
    }
