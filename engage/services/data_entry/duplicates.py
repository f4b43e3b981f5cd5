"""Which household a keyed sheet of a confidential wave belongs to, and what happens if a household answers twice.

A sheet that belongs to a household uses the household's access code, as an answer on the phone does. If the code is
already used, the earlier answer counts, as it does on the phone: paper does not say which answer the family meant,
staff should not choose between a family's answers, and figures that were already viewed must not change. The second
sheet is stored but not counted: its marks stay as keyed, its question goes to the school, and the keyer is informed
that its answers are not counted. If the counted answer is withdrawn, the code is free again, and the household's
earliest uncounted sheet is counted instead.

A sheet whose code is gone (it was replaced, or the household opted out) uses the code that the household has now; if it
has none, the sheet is counted by itself, like a sheet that belongs to no household.
"""

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from engage.domain.intake.access_code_use import CodeUse
from engage.domain.intake.submission import find_response
from engage.services.data_entry.lookup import PaperSheet
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Keying, SheetLink
from engage.storage.models.responses import Response, ResponseLink


def submission_key(keying_id: str) -> str:
    """The submission key of a keying, so that submitting it twice stores one response."""
    return f"keying:{keying_id}"


def find_household_code(session: Session, paper: PaperSheet) -> CodeUse | None:
    """The access code that the sheet uses; None if it belongs to no household, or to one without a code."""
    link = select(SheetLink.invitation, SheetLink.household_id, SheetLink.forget_on)
    linked = session.execute(link.where(SheetLink.serial == paper.serial)).one_or_none() if paper.serial else None
    if linked is None:
        return None
    code = linked.invitation or (linked.household_id and _find_current_code(session, paper, linked.household_id))
    return CodeUse(code, forget_on=linked.forget_on) if code else None


def _find_current_code(session: Session, paper: PaperSheet, household_id: str) -> str | None:
    """The household's only code in the wave; of several, its only one at the sheet's school, or, where each child has a
    code, the only one there that no sheet is printed for."""
    theirs = select(Invitation.digest).where(
        Invitation.wave_id == paper.wave.id, Invitation.household_id == household_id
    )
    there = theirs.where(Invitation.school_id == paper.school.id)
    free = there.where(~exists().where(SheetLink.invitation == Invitation.digest))
    candidates = (session.scalars(codes).all() for codes in (theirs, there, free))
    return next((codes[0] for codes in candidates if len(codes) == 1), None)


def is_counted(session: Session, keying: Keying) -> bool:
    """Whether a keying has a response; otherwise it is stored without being counted, because its household had answered
    before."""
    return find_response(session.connection(), submission_key(keying.id)) is not None


def find_uncounted_keyings(session: Session, invitation: str) -> list[Keying]:
    """Uncounted keyings of the household with this code, earliest first."""
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
    """How the household answered before ("web", "paper" …), if the sheet belongs to a household."""
    chance = find_household_code(session, paper)
    mode = select(Response.mode).join(ResponseLink, ResponseLink.response_id == Response.id)
    return session.scalar(mode.where(ResponseLink.invitation == chance.invitation)) if chance else None
