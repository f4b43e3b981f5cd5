"""How long what families answered in a wave is stored, and deleting it."""

from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.storage.models.conversations import Message, Thread
from engage.storage.models.invitations import Invitation, UsedCode
from engage.storage.models.paper import Keying, KeyingDraft, Packet, PrintRun, Sheet, SheetLink
from engage.storage.models.responses import Draft, PendingResponse, Response, ResponseLink, WaveColumns
from engage.storage.models.waves import Wave

ANSWERS = (ResponseLink, PendingResponse, Response, Keying, KeyingDraft, Draft, UsedCode, WaveColumns)
"""What holds answers of a wave, or tells of them; in the order in which rows can go."""


def answers_deleted_on(wave: Wave, settings: Settings) -> date:
    """The day on which the answers of a wave are deleted; the last day they are stored is the day before."""
    return wave.delete_on or wave.closes + timedelta(days=settings.keep_answers_days)


def fix_deletion_date(wave: Wave, settings: Settings) -> None:
    """Decide on the day, which families are told from then on: a setting that is changed later does not move it. It
    only comes earlier, where the wave closes earlier."""
    latest = wave.closes + timedelta(days=settings.keep_answers_days)
    wave.delete_on = min(wave.delete_on or latest, latest)


def answers_due(today: date, settings: Settings) -> ColumnElement[bool]:
    """What is true of a wave whose answers are to be deleted by now; again where paper was keyed after that day."""
    as_set = and_(Wave.delete_on.is_(None), Wave.closes <= today - timedelta(days=settings.keep_answers_days))
    stored = or_(*(select(table.wave_id).where(table.wave_id == Wave.id).exists() for table in (Response, Keying)))
    return and_(or_(Wave.delete_on <= today, as_set), or_(Wave.deleted_on.is_(None), stored))


def delete_answers(session: Session, today: date, settings: Settings) -> None:
    """Delete them, with what was keyed from paper. Frozen figures of checkpoints stay: they name nobody."""
    waves = session.scalars(select(Wave.id).where(answers_due(today, settings))).all()
    for table in ANSWERS:
        session.execute(delete(table).where(table.wave_id.in_(waves)))
    session.execute(update(Wave).where(Wave.id.in_(waves)).values(deleted_on=today, edits=Wave.edits + 1))


def conversations_due(before: date) -> ColumnElement[bool]:
    """What is true of a conversation in which nothing was written since the day."""
    later = select(Message.id).where(Message.thread_id == Thread.id, Message.written_on >= before)
    return and_(Thread.opened_on < before, ~later.exists())


def delete_conversations(session: Session, before: date) -> None:
    """Delete them: their reply codes open nothing any more."""
    over = select(Thread.id).where(conversations_due(before))
    ids = session.scalars(over).all()
    for start in range(0, len(ids), 5_000):
        some = ids[start : start + 5_000]
        session.execute(delete(Message).where(Message.thread_id.in_(some)))
        session.execute(delete(Thread).where(Thread.id.in_(some)))


def ledgers_due(table: type[PrintRun] | type[Packet], before: date) -> ColumnElement[bool]:
    """What is true of a print run, or a packet, of a wave that closed before the day."""
    return table.wave_id.in_(select(Wave.id).where(Wave.closes < before))


def delete_ledgers(session: Session, before: date) -> None:
    """Delete which sheets were printed, returned and keyed; what was keyed from them goes with the answers."""
    serials = select(Sheet.serial).join(PrintRun, PrintRun.id == Sheet.run_id).where(ledgers_due(PrintRun, before))
    for table in (Keying, Thread):
        session.execute(update(table).where(table.serial.in_(serials)).values(serial=None))
    session.execute(delete(SheetLink).where(SheetLink.serial.in_(serials)))
    session.execute(delete(Sheet).where(Sheet.serial.in_(serials)))
    for each in (PrintRun, Packet):
        session.execute(delete(each).where(ledgers_due(each, before)))


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
