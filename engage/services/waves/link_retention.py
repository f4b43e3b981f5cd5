"""Whom a wave asked, and whose its sheets were, is forgotten when it is long over; how many were asked, in which school
and language, stays."""

from datetime import date

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from engage.storage.models.paper import Sheet, SheetLink
from engage.storage.models.responses import Invitation
from engage.storage.models.schools import Wave


def invitations_due(before: date) -> ColumnElement[bool]:
    """What is true of an invitation that still names a household or a student of a wave closed before the day."""
    named = or_(Invitation.household_id.is_not(None), Invitation.student_id.is_not(None))
    return and_(named, Invitation.wave_id.in_(select(Wave.id).where(Wave.closes < before)))


def unlink_invitations(session: Session, before: date) -> None:
    """Unlink those invitations from their households and students."""
    session.execute(update(Invitation).where(invitations_due(before)).values(household_id=None, student_id=None))


def delete_sheet_links(session: Session, today: date) -> None:
    """Destroy the links from sheets to households whose day has come, and with them the places in the pile: sorted as
    it was, a place in it would tell the household."""
    due = SheetLink.forget_on <= today
    placed = update(Sheet).where(Sheet.serial.in_(select(SheetLink.serial).where(due)))
    session.execute(placed.values(position=None))
    session.execute(delete(SheetLink).where(due))
