"""The targets of a wave by the current roster."""

from collections.abc import Iterator

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from engage.domain.roster.import_state import require_complete_roster
from engage.domain.roster.sampling_units import SamplingUnit
from engage.domain.roster.sampling_units import list_sampling_units as rostered
from engage.services.waves.targets import group_targets
from engage.storage.language_groups import store_language_groups
from engage.storage.models.invitations import Invitation
from engage.storage.models.waves import Wave


def wave_units(session: Session, wave: Wave) -> Iterator[SamplingUnit]:
    """The units of a wave by its own way of counting; households that opted out are excluded."""
    return rostered(session, wave.counting, [school.id for school in wave.schools], wave.asked)


def store_named_languages(session: Session, wave: Wave) -> None:
    """Store which languages of each school are large enough to be named, for an anonymous wave with an open link. In a
    wave with codes, the invitations determine this. Raises RosterIncomplete."""
    if (wave.identity, wave.entry) == ("anonymous", "open"):
        require_complete_roster(session)
        store_language_groups(session.connection(), wave.id, group_targets(wave, wave_units(session, wave)).sizes)


def count_opted_out(session: Session, wave: Wave) -> int:
    """The number of households that the wave would ask if they had not opted out."""
    here = [school.id for school in wave.schools]
    return len({unit.household_id for unit in rostered(session, "family", here, wave.asked, opted_out=True)})


def has_codes(session: Session, wave: Wave) -> bool:
    """Whether the wave has any invitation."""
    return bool(session.scalar(select(exists().where(Invitation.wave_id == wave.id))))
