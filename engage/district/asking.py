"""Whom a wave asks, as the roster knows it today."""

from collections.abc import Iterator

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from engage.records.responses import Invitation
from engage.records.roster import OptOut
from engage.records.schools import Household, Wave
from engage.waves.rostered import units as rostered
from engage.waves.units import Unit


def units(session: Session, wave: Wave) -> Iterator[Unit]:
    """The units of a wave by its own way of counting; households that do not want to be asked are not among them."""
    yield from rostered(session, wave.counting, {school.id for school in wave.schools}, wave.asked)


def opted_out(session: Session, wave: Wave) -> int:
    """Households of the wave's schools that do not want to be asked."""
    here = Household.school_id.in_([school.id for school in wave.schools])
    found = select(func.count()).select_from(OptOut).join(Household, Household.id == OptOut.household_id).where(here)
    return session.scalar(found) or 0


def has_codes(session: Session, wave: Wave) -> bool:
    """Whether any invitation was made."""
    return bool(session.scalar(select(exists().where(Invitation.wave_id == wave.id))))
