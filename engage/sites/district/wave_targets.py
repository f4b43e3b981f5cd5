"""Whom a wave asks, as the roster knows it today."""

from collections.abc import Iterator

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from engage.domain.roster.sampling_units import SamplingUnit
from engage.domain.roster.sampling_units import list_sampling_units as rostered
from engage.services.waves.targets import group_targets
from engage.storage.language_groups import store_language_groups
from engage.storage.models.invitations import Invitation
from engage.storage.models.waves import Wave


def wave_units(session: Session, wave: Wave) -> Iterator[SamplingUnit]:
    """The units of a wave by its own way of counting; households that do not want to be asked are not among them."""
    return rostered(session, wave.counting, [school.id for school in wave.schools], wave.asked)


def store_named_languages(session: Session, wave: Wave) -> None:
    """Store which languages of each school are large enough to be named, where an anonymous wave has one open link.
    Where there are codes, they decide."""
    if (wave.identity, wave.entry) == ("anonymous", "open"):
        store_language_groups(session.connection(), wave.id, group_targets(wave, wave_units(session, wave)).sizes)


def count_opted_out(session: Session, wave: Wave) -> int:
    """Households the wave would ask, if they did not want not to be asked."""
    here = [school.id for school in wave.schools]
    return len({unit.household_id for unit in rostered(session, "family", here, wave.asked, opted_out=True)})


def has_codes(session: Session, wave: Wave) -> bool:
    """Whether any invitation was made."""
    return bool(session.scalar(select(exists().where(Invitation.wave_id == wave.id))))
