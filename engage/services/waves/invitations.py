"""Access codes for the households of a wave: who still needs one, the letters they go into, and a code in place of a
lost one. Only the codes' digests are kept."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from engage.services.waves.opening import Invited, invite_each
from engage.services.waves.targets import Place, Unit, asked_in, place
from engage.storage.models.responses import Draft, Invitation, Response, WaveStratum
from engage.storage.models.roster import WithdrawnInvitation
from engage.storage.models.schools import Wave

Mint = Callable[[], str]
Digest = Callable[[str], str]
WITHDRAWN_COLUMNS = ("digest", "wave_id", "school_id", "language", "household_id", "identity", "student_id")


@dataclass(frozen=True, slots=True)
class Letter:
    """One household's, or student's, code as it is handed over. `language` is the one the letter is written in;
    `household_id` and `student_id` are the roster's."""

    code: str
    school_id: str
    language: str
    household_id: str
    student_id: str | None


class CodeUnknown(LookupError):
    """No invitation of this wave has this code."""


class CodeUsed(Exception):
    """The code has been used: a new one would let the household answer twice."""


def waiting(session: Session, wave: Wave, units: Iterable[Unit]) -> list[Unit]:
    """The units of a wave that have no invitation yet."""
    taken = _taken(session, wave)
    return [unit for unit in units if _place(wave, unit) not in taken]


def make(session: Session, wave: Wave, units: Sequence[Unit], mint: Mint, digest: Digest, rng: Random) -> list[Letter]:
    """An invitation for each unit; returns the letters in an order drawn from `rng`. Never commits."""
    letters = [
        Letter(mint(), unit.school_id, asked_in(wave, unit.language), unit.household_id, unit.student_id)
        for unit in units
    ]
    invited = (
        Invited(digest(letter.code), unit.school_id, unit.language, unit.household_id, unit.student_id)
        for letter, unit in zip(letters, units, strict=True)
    )
    invite_each(session, wave, invited)
    rng.shuffle(letters)
    return letters


def replace(session: Session, wave: Wave, old: str, new: str, used: Callable[[Invitation], bool]) -> Invitation:
    """Put the digest `new` in the place of `old`, for the same household; the old code opens nothing any more.

    `used` says whether an invitation has done its work; it is asked once nobody else can change that.
    Raises CodeUnknown, CodeUsed."""
    kept = session.get(Invitation, old, with_for_update=True, populate_existing=True)
    if kept is None or kept.wave_id != wave.id:
        raise CodeUnknown(wave.id)
    if kept.used or used(kept):
        raise CodeUsed(wave.id)
    session.delete(kept)
    session.flush()
    invite_each(session, wave, [Invited(new, kept.school_id, kept.language, kept.household_id, kept.student_id)])
    return session.get_one(Invitation, new)


def may_be_taken_back(session: Session, wave: Wave) -> bool:
    """Whether no code can have been used: nobody has answered or begun. Then letters can be made anew."""
    begun = select(Draft.wave_id).where(Draft.wave_id == wave.id)
    sent = select(Response.wave_id).where(Response.wave_id == wave.id)
    return not (session.scalar(select(begun.exists())) or session.scalar(select(sent.exists())))


def take_back(session: Session, wave: Wave) -> int:
    """Make every code of a wave worthless; returns how many there were. Ask `may_be_taken_back` first."""
    number = session.scalar(select(func.count()).where(Invitation.wave_id == wave.id)) or 0
    session.execute(delete(Invitation).where(Invitation.wave_id == wave.id))
    session.execute(delete(WithdrawnInvitation).where(WithdrawnInvitation.wave_id == wave.id))
    session.execute(delete(WaveStratum).where(WaveStratum.wave_id == wave.id))
    return number


def withdraw(session: Session, household_id: str, waves: Iterable[Wave]) -> int:
    """Let a household's codes open nothing in these waves, but for those that a confidential wave knows to be used (an
    anonymous one knows of none, and whoever has answered has answered); returns how many there were. They are set aside
    for `restore_withdrawn`: the letters with them may be in the family's hands already."""
    mine = Invitation.household_id == household_id, Invitation.wave_id.in_([wave.id for wave in waves])
    unused = (*mine, ~Invitation.used)
    columns = [getattr(Invitation, name) for name in WITHDRAWN_COLUMNS]
    session.execute(insert(WithdrawnInvitation).from_select(WITHDRAWN_COLUMNS, select(*columns).where(*unused)))
    gone = delete(Invitation).where(*unused)
    return len(session.scalars(gone.returning(Invitation.digest)).all())


def restore_withdrawn(session: Session, household_id: str, today: date) -> int:
    """Let a household's withdrawn codes open again in the waves that have not ended; returns how many."""
    running = select(Wave.id).where(Wave.closes >= today)
    mine = WithdrawnInvitation.household_id == household_id, WithdrawnInvitation.wave_id.in_(running)
    columns = [getattr(WithdrawnInvitation, name) for name in WITHDRAWN_COLUMNS]
    session.execute(insert(Invitation).from_select(WITHDRAWN_COLUMNS, select(*columns).where(*mine)))
    gone = delete(WithdrawnInvitation).where(WithdrawnInvitation.household_id == household_id)
    return len(session.scalars(gone.returning(WithdrawnInvitation.digest)).all())


def destroy_withdrawn(session: Session, today: date) -> int:
    """Destroy the withdrawn codes of waves that have ended; returns how many."""
    over = WithdrawnInvitation.wave_id.in_(select(Wave.id).where(Wave.closes < today))
    gone = delete(WithdrawnInvitation).where(over).returning(WithdrawnInvitation.digest)
    return len(session.scalars(gone).all())


def running(session: Session, household_id: str, today: date) -> list[Wave]:
    """The waves that have not ended in which a household has a code, by id."""
    has = select(Invitation.wave_id).where(Invitation.household_id == household_id)
    return list(session.scalars(select(Wave).where(Wave.id.in_(has), Wave.closes >= today).order_by(Wave.id)))


def _taken(session: Session, wave: Wave) -> set[Place]:
    """What the invitations there are stand for."""
    kept = select(Invitation).where(Invitation.wave_id == wave.id, Invitation.household_id.is_not(None))
    return {_place(wave, each) for each in session.scalars(kept)}


def _place(wave: Wave, chance: Unit | Invitation) -> Place:
    return place(wave.counting, str(chance.household_id), chance.school_id, chance.student_id)
