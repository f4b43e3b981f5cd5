"""Retention of a wave's answers: how long they are stored, and their deletion."""

from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.questionnaire.editions import load_edition
from engage.questionnaire.model import Survey
from engage.storage.models.conversations import Message, Thread
from engage.storage.models.invitations import Invitation, UsedCode
from engage.storage.models.paper import Keying, KeyingDraft, Packet, PrintRun, Sheet, SheetLink
from engage.storage.models.responses import Draft, PendingResponse, Response, ResponseLink, WaveColumns
from engage.storage.models.waves import Wave

SENSITIVE_DAYS = 365
ANSWERS = (ResponseLink, PendingResponse, Response, Keying, KeyingDraft, Draft, UsedCode, WaveColumns)
"""The tables with answers of a wave, or data about them, in the order of deletion."""


def answers_deleted_on(wave: Wave, settings: Settings) -> date:
    """The day on which the answers of a wave are deleted; the last day of storage is the day before."""
    return wave.delete_on or wave.closes + timedelta(days=settings.keep_answers_days)


def last_deletion_date(closes: date, survey: Survey, settings: Settings) -> date:
    """The latest day on which the answers to a survey that closes on a day are deleted. What help a child needs is
    stored for a year at most."""
    days = min(settings.keep_answers_days, SENSITIVE_DAYS) if survey.sensitive else settings.keep_answers_days
    return closes + timedelta(days=days)


def fix_deletion_date(wave: Wave, settings: Settings) -> None:
    """Fix the day of deletion, which families are informed of: a later change of the setting does not move it. It
    becomes earlier only if the wave closes earlier."""
    latest = last_deletion_date(wave.closes, load_edition(wave.edition.document).survey("en"), settings)
    wave.delete_on = min(wave.delete_on or latest, latest)


def answers_due(today: date, settings: Settings) -> ColumnElement[bool]:
    """Condition for waves whose answers are due for deletion; again if paper was keyed after that day."""
    as_set = and_(Wave.delete_on.is_(None), Wave.closes <= today - timedelta(days=settings.keep_answers_days))
    stored = or_(*(select(table.wave_id).where(table.wave_id == Wave.id).exists() for table in (Response, Keying)))
    return and_(or_(Wave.delete_on <= today, as_set), or_(Wave.deleted_on.is_(None), stored))


def delete_answers(session: Session, today: date, settings: Settings) -> None:
    """Delete answers that are due, with their keyings. Frozen figures of checkpoints stay: they name nobody."""
    waves = session.scalars(select(Wave.id).where(answers_due(today, settings))).all()
    for table in ANSWERS:
        session.execute(delete(table).where(table.wave_id.in_(waves)))
    session.execute(update(Wave).where(Wave.id.in_(waves)).values(deleted_on=today, edits=Wave.edits + 1))


def conversations_due(before: date) -> ColumnElement[bool]:
    """Condition for conversations without a new message since the day."""
    later = select(Message.id).where(Message.thread_id == Thread.id, Message.written_on >= before)
    return and_(Thread.opened_on < before, ~later.exists())


def delete_conversations(session: Session, before: date) -> None:
    """Delete conversations that are due; their reply codes become invalid."""
    over = select(Thread.id).where(conversations_due(before))
    ids = session.scalars(over).all()
    for start in range(0, len(ids), 5_000):
        some = ids[start : start + 5_000]
        session.execute(delete(Message).where(Message.thread_id.in_(some)))
        session.execute(delete(Thread).where(Thread.id.in_(some)))


def ledgers_due(table: type[PrintRun] | type[Packet], before: date) -> ColumnElement[bool]:
    """Condition for print runs, or packets, of waves that closed before the day."""
    return table.wave_id.in_(select(Wave.id).where(Wave.closes < before))


def delete_ledgers(session: Session, before: date) -> None:
    """Delete the records of which sheets were printed, returned and keyed; their keyings are deleted with the
    answers."""
    serials = select(Sheet.serial).join(PrintRun, PrintRun.id == Sheet.run_id).where(ledgers_due(PrintRun, before))
    for table in (Keying, Thread):
        session.execute(update(table).where(table.serial.in_(serials)).values(serial=None))
    session.execute(delete(SheetLink).where(SheetLink.serial.in_(serials)))
    session.execute(delete(Sheet).where(Sheet.serial.in_(serials)))
    for each in (PrintRun, Packet):
        session.execute(delete(each).where(ledgers_due(each, before)))


def invitations_due(before: date) -> ColumnElement[bool]:
    """Condition for invitations of waves closed before the day that still name a household or a student."""
    named = or_(Invitation.household_id.is_not(None), Invitation.student_id.is_not(None))
    return and_(named, Invitation.wave_id.in_(select(Wave.id).where(Wave.closes < before)))


def unlink_invitations(session: Session, before: date) -> None:
    """Unlink invitations that are due from their households and students."""
    session.execute(update(Invitation).where(invitations_due(before)).values(household_id=None, student_id=None))


def delete_sheet_links(session: Session, today: date) -> None:
    """Delete links from sheets to households that are due, and the sheets' positions in the packet, since a position in
    the sorted packet would identify the household."""
    due = SheetLink.forget_on <= today
    placed = update(Sheet).where(Sheet.serial.in_(select(SheetLink.serial).where(due)))
    session.execute(placed.values(position=None))
    session.execute(delete(SheetLink).where(due))
