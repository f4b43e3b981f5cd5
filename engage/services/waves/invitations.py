"""Access codes for the households of a wave: who still needs one, the letters with them, and replacement of lost ones.
Only the codes' digests are stored."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from gettext import NullTranslations
from random import Random
from types import MappingProxyType
from typing import TypeVar

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.orm import Session

from engage.domain.roster.staging_db import batches
from engage.services.waves.opening import NewInvitation, add_invitations
from engage.services.waves.targets import SamplingTarget, TargetKey, invitation_language, target_key
from engage.storage.language_groups import LEAST, count_invitations
from engage.storage.models.invitations import Invitation, WithdrawnInvitation
from engage.storage.models.responses import Draft, NamedLanguages, Response
from engage.storage.models.waves import Wave

AT_ONCE = 500  # ids per query: databases limit the number of parameters
FEW = 4 * AT_ONCE  # units up to which their invitations are looked up; of more, the whole wave is read
Target = TypeVar("Target", bound=SamplingTarget)
Mint = Callable[[], str]
Digest = Callable[[str], str]
WITHDRAWN_COLUMNS = ("digest", "wave_id", "school_id", "language", "household_id", "identity", "student_id")


@dataclass(frozen=True, slots=True)
class InvitationLetter:
    """A household's or student's access code for a letter. `language` is the language of the letter; `household_id` and
    `student_id` are the roster's."""

    code: str
    school_id: str
    language: str
    household_id: str
    student_id: str | None


@dataclass(frozen=True, slots=True)
class DrawnInvitations:
    """Codes that are drawn but not stored yet: the letters with them, and the invitations to add."""

    letters: list[InvitationLetter]
    invited: list[NewInvitation]


class CodeUnknown(LookupError):
    """No invitation of this wave has this code."""


class CodeUsed(Exception):
    """The code has been used: with a new one the household could answer twice."""


def find_uninvited_units(session: Session, wave: Wave, units: Iterable[Target]) -> list[Target]:
    """The units of a wave that have no invitation yet."""
    every = list(units)
    taken = _invited_targets(session, wave, every)
    return [unit for unit in every if _target_key(wave, unit) not in taken]


def draw_invitations(
    wave: Wave, units: Sequence[SamplingTarget], mint: Mint, digest: Digest, rng: Random
) -> DrawnInvitations:
    """Draw a code for each unit. The letters are in an order drawn from `rng`. Reads and writes nothing, so it can run
    before the transaction that stores the invitations."""
    letters = [
        InvitationLetter(
            mint(), unit.school_id, invitation_language(wave, unit.language), unit.household_id, unit.student_id
        )
        for unit in units
    ]
    invited = [
        NewInvitation(digest(letter.code), unit.school_id, unit.language, unit.household_id, unit.student_id)
        for letter, unit in zip(letters, units, strict=True)
    ]
    rng.shuffle(letters)
    return DrawnInvitations(letters, invited)


def create_invitations(
    session: Session, wave: Wave, units: Sequence[SamplingTarget], mint: Mint, digest: Digest, rng: Random
) -> list[InvitationLetter]:
    """Create an invitation for each unit. Returns the letters in an order drawn from `rng`. Never commits."""
    drawn = draw_invitations(wave, units, mint, digest, rng)
    add_invitations(session, wave, drawn.invited)
    return drawn.letters


def replace_invitation(
    session: Session, wave: Wave, old: str, new: str, used: Callable[[Invitation], bool]
) -> Invitation:
    """Replace the digest `old` by `new`, for the same household; the old code becomes invalid.

    `used` returns whether an invitation has been used; it is called while others cannot change that. Raises
    CodeUnknown, CodeUsed.
    """
    invitation = session.get(Invitation, old, with_for_update=True, populate_existing=True)
    if invitation is None or invitation.wave_id != wave.id:
        raise CodeUnknown(wave.id)
    if invitation.used or used(invitation):
        raise CodeUsed(wave.id)
    session.delete(invitation)
    session.flush()
    add_invitations(
        session,
        wave,
        [NewInvitation(new, invitation.school_id, invitation.language, invitation.household_id, invitation.student_id)],
    )
    return session.get_one(Invitation, new)


def can_revoke_codes(session: Session, wave: Wave) -> bool:
    """Whether no code can have been used, because nobody has begun to answer. Then letters can be made again."""
    begun = select(Draft.wave_id).where(Draft.wave_id == wave.id)
    sent = select(Response.wave_id).where(Response.wave_id == wave.id)
    return not (session.scalar(select(begun.exists())) or session.scalar(select(sent.exists())))


def revoke_codes(session: Session, wave: Wave, most: int) -> int:
    """Make at most this many codes of a wave invalid. Returns how many. Check `can_revoke_codes` first."""
    some = select(Invitation.digest).where(Invitation.wave_id == wave.id).order_by(Invitation.digest).limit(most)
    number = len(session.scalars(some).all())
    session.execute(delete(Invitation).where(Invitation.digest.in_(some)))
    if number < most:  # none is left
        session.execute(delete(WithdrawnInvitation).where(WithdrawnInvitation.wave_id == wave.id))
        session.execute(delete(NamedLanguages).where(NamedLanguages.wave_id == wave.id))
    return number


def withdraw_codes(session: Session, household_id: str, waves: Iterable[Wave]) -> int:
    """Invalidate a household's codes in these waves, except used codes of confidential waves (in an anonymous wave it
    is unknown which are used, and responses stay). Returns how many there were. They are stored for
    `restore_withdrawn_codes`, because the family may already have the letters."""
    of_household = Invitation.household_id == household_id, Invitation.wave_id.in_([wave.id for wave in waves])
    unused = (*of_household, ~Invitation.used)
    columns = [getattr(Invitation, name) for name in WITHDRAWN_COLUMNS]
    session.execute(insert(WithdrawnInvitation).from_select(WITHDRAWN_COLUMNS, select(*columns).where(*unused)))
    gone = delete(Invitation).where(*unused)
    return len(session.scalars(gone.returning(Invitation.digest)).all())


def restore_withdrawn_codes(session: Session, household_id: str, today: date) -> int:
    """Make a household's withdrawn codes valid again in the waves that have not ended. Returns how many."""
    running = select(Wave.id).where(Wave.closes >= today)
    of_household = WithdrawnInvitation.household_id == household_id, WithdrawnInvitation.wave_id.in_(running)
    columns = [getattr(WithdrawnInvitation, name) for name in WITHDRAWN_COLUMNS]
    session.execute(insert(Invitation).from_select(WITHDRAWN_COLUMNS, select(*columns).where(*of_household)))
    gone = delete(WithdrawnInvitation).where(WithdrawnInvitation.household_id == household_id)
    return len(session.scalars(gone.returning(WithdrawnInvitation.digest)).all())


def delete_withdrawn_codes(session: Session, today: date) -> int:
    """Delete the withdrawn codes of waves that have ended. Returns how many."""
    over = WithdrawnInvitation.wave_id.in_(select(Wave.id).where(Wave.closes < today))
    gone = delete(WithdrawnInvitation).where(over).returning(WithdrawnInvitation.digest)
    return len(session.scalars(gone).all())


def find_running_waves(session: Session, household_id: str, today: date) -> list[Wave]:
    """The waves that have not ended in which a household has a code, by id."""
    has = select(Invitation.wave_id).where(Invitation.household_id == household_id)
    return list(session.scalars(select(Wave).where(Wave.id.in_(has), Wave.closes >= today).order_by(Wave.id)))


def _invited_targets(session: Session, wave: Wave, units: Sequence[SamplingTarget]) -> set[TargetKey]:
    """The targets that have an invitation, at least among these units."""
    columns = Invitation.household_id, Invitation.school_id, Invitation.student_id
    query = select(*columns).where(Invitation.wave_id == wave.id, Invitation.household_id.is_not(None))
    by_student = wave.counting == "student"
    ids = sorted({str(unit.student_id if by_student else unit.household_id) for unit in units})
    wanted = Invitation.student_id if by_student else Invitation.household_id
    some = [query] if len(ids) > FEW else [query.where(wanted.in_(part)) for part in batches(ids, AT_ONCE)]
    return {
        target_key(wave.counting, str(household), school, student)
        for each in some
        for household, school, student in session.execute(each)
    }


def _target_key(wave: Wave, unit: SamplingTarget) -> TargetKey:
    return target_key(wave.counting, unit.household_id, unit.school_id, unit.student_id)


def find_small_schools(
    connection: Connection, wave: Wave, added: Mapping[str, int] = MappingProxyType({})
) -> dict[str, int]:
    """Schools with some invitations, but fewer than LEAST, and how many they have, with those to be `added`, by school;
    none in a confidential wave."""
    if wave.identity != "anonymous":
        return {}
    sizes = dict(added)
    for (school, _), number in count_invitations(connection, wave.id).items():
        sizes[school] = sizes.get(school, 0) + number
    return {school: number for school, number in sizes.items() if number < LEAST}


def read_all_invitations(session: Session, wave_id: str) -> None:
    """Read every invitation of the wave right after the commit: PostgreSQL marks a row in its file when it is first
    read (a hint bit), and a copy of the files must not reveal which household's code was used first. A read session is
    enough."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.count(Invitation.used)).where(Invitation.wave_id == wave_id))


def explain_small_schools(wave: Wave, small: dict[str, int], words: NullTranslations) -> str:
    """Why no codes are made, and what to do, for the result of `find_small_schools`."""
    # translators: staff form: why no access codes are made. %(schools)s are names of schools, %(least)s is a number
    sentence = words.gettext(
        "This survey is anonymous, and fewer than %(least)s households at a school would have a code "
        "(%(schools)s). With so few, someone could guess who answered. Create at least %(least)s codes for each "
        "school, or open a confidential survey."
    )
    names = [school.name for school in wave.schools if school.id in small]
    return sentence % {"least": LEAST, "schools": ", ".join(names)}
