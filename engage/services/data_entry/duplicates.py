"""Whose answer a keyed sheet is, in a confidential wave, and what is done where a household answers twice.

A sheet that the packet says belongs to a household uses up the household's access code, as an answer on the phone does.
Where the code has done its work before, the answer that came first counts, as it does on the phone: nobody can tell
from paper which one the family meant, staff should not choose between a family's answers, and figures that were looked
at must not change under people's eyes. The second sheet is kept all the same: its marks stay as keyed, its question
goes to the school, and the person at the desk is told that its answers are not counted. If the answer that counts is
taken out again, the code is free, and the first sheet that was only kept counts in its place.

A sheet whose code is gone (another was made for the household, or it does not want to be asked any more) uses the one
the household has now; if it has none, it counts by itself, as a sheet does that belongs to nobody."""

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from engage.domain.intake.access_code_use import CodeUse
from engage.domain.intake.submission import find_response
from engage.services.data_entry.lookup import PaperSheet
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Keying, SheetLink
from engage.storage.models.responses import Response, ResponseLink


def submission_key(keying_id: str) -> str:
    """What makes a keying one response, however often it is sent."""
    return f"keying:{keying_id}"


def find_household_code(session: Session, paper: PaperSheet) -> CodeUse | None:
    """The access code that the sheet uses up; None where it belongs to nobody, or to a household without one."""
    link = select(SheetLink.invitation, SheetLink.household_id, SheetLink.forget_on)
    linked = session.execute(link.where(SheetLink.serial == paper.serial)).one_or_none() if paper.serial else None
    if linked is None:
        return None
    code = linked.invitation or (linked.household_id and _find_current_code(session, paper, linked.household_id))
    return CodeUse(code, forget_on=linked.forget_on) if code else None


def _find_current_code(session: Session, paper: PaperSheet, household_id: str) -> str | None:
    """The household's only code in the wave; of several its only one at the sheet's school, or, where each child has a
    code, the only one there that no sheet is printed for."""
    theirs = select(Invitation.digest).where(
        Invitation.wave_id == paper.wave.id, Invitation.household_id == household_id
    )
    there = theirs.where(Invitation.school_id == paper.school.id)
    free = there.where(~exists().where(SheetLink.invitation == Invitation.digest))
    candidates = (session.scalars(codes).all() for codes in (theirs, there, free))
    return next((codes[0] for codes in candidates if len(codes) == 1), None)


def is_counted(session: Session, keying: Keying) -> bool:
    """Whether a keyed sheet is a response; else it is only kept, since its household had answered before."""
    return find_response(session.connection(), submission_key(keying.id)) is not None


def find_uncounted_keyings(session: Session, invitation: str) -> list[Keying]:
    """Keyed sheets of the household with this code that do not count, the first first."""
    theirs = select(Invitation.household_id).where(Invitation.digest == invitation).scalar_subquery()
    wave = select(Invitation.wave_id).where(Invitation.digest == invitation).scalar_subquery()
    keyings = (
        select(Keying)
        .join(SheetLink, SheetLink.serial == Keying.serial)
        .where(SheetLink.wave_id == wave, or_(SheetLink.invitation == invitation, SheetLink.household_id == theirs))
        .order_by(Keying.keyed_at, Keying.id)
    )
    return [each for each in session.scalars(keyings) if not is_counted(session, each)]


def find_earlier_mode(session: Session, paper: PaperSheet) -> str | None:
    """How the household answered before ("web", "paper" …), where the entered sheet belongs to a household."""
    chance = find_household_code(session, paper)
    mode = select(Response.mode).join(ResponseLink, ResponseLink.response_id == Response.id)
    return session.scalar(mode.where(ResponseLink.invitation == chance.invitation)) if chance else None
