"""Keyed sheets of anonymous waves are cut loose: on the next day no sheet leads to its answers any more, and when the
wave is over the marks go too. A question on the sheet keeps the serial, so that its answer can be carried back."""

from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from engage.records.schools import Wave
from engage.records.sheets import Keying, KeyingDraft

NOTHING = "{}"  # no marks


def numbered_before(midnight: datetime) -> ColumnElement[bool]:
    """What is true of a keying of an anonymous wave that still names its sheet; `midnight` in UTC without a zone."""
    anonymous = Keying.wave_id.in_(select(Wave.id).where(Wave.identity == "anonymous"))
    return and_(anonymous, Keying.serial.is_not(None), Keying.keyed_at < midnight)


def forget_serials(session: Session, midnight: datetime) -> None:
    """Forget which sheets those were, and what was begun on them anew."""
    due = numbered_before(midnight)
    again = or_(*(KeyingDraft.sheet.in_(select(each).where(due)) for each in (Keying.serial, Keying.id)))
    session.execute(delete(KeyingDraft).where(again))
    session.execute(update(Keying).where(due).values(serial=None))


def marked_before(closed: date) -> ColumnElement[bool]:
    """What is true of a keying with marks, of an anonymous wave that closed before the day."""
    over = select(Wave.id).where(Wave.identity == "anonymous", Wave.closes < closed)
    return and_(Keying.wave_id.in_(over), Keying.raw != NOTHING)


def forget_marks(session: Session, closed: date) -> None:
    """Forget the marks; the answers they gave are stored."""
    session.execute(update(Keying).where(marked_before(closed)).values(raw=NOTHING))
