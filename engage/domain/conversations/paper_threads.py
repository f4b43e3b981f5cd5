"""Questions that come on paper. Staff deliver the answer in person; a family with a reply code from its sheet can also
read it online.

A sheet has one thread of each kind, however often its keying is corrected. The thread refers to the sheet until the
answer is delivered, and for at most SERIAL_DAYS, so that a family's question is not linked to its sheet permanently.
"""

from datetime import date, timedelta
from gettext import NullTranslations
from typing import Unpack

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, select, update

from engage.domain.conversations.threads import LONGEST, FamilyMessage, post_family_message, thread_reply_hash
from engage.questionnaire.text_cleaning import clean_text
from engage.storage.models.conversations import Message, Thread

SERIAL_DAYS = 90  # after the question was asked; the answer has been delivered by then, or never will be


def save_paper_message(
    connection: Connection, serial: str, reply_hash: str | None = None, **family_message: Unpack[FamilyMessage]
) -> None:
    """Save the message of a sheet: open its thread, correct the message there, or add one if staff have already
    answered.

    Text beyond the limit of a message is cut off; the keying of the sheet still has all of it. An empty text removes
    the thread. `reply_hash` is the hash of the code on the tear-off strip, or None if the sheet had none.
    """
    family_message["text"] = words = clean_text(family_message["text"])[:LONGEST]
    earlier = _load_messages(connection, serial, family_message["kind"])
    if not words:
        withdraw_paper_thread(connection, serial, family_message["kind"])
    elif earlier and _is_unanswered(earlier):
        connection.execute(update(Message).where(Message.id == earlier[-1].id).values(text=words))
    elif words not in [message.text for message in earlier]:
        thread_hash = reply_hash and thread_reply_hash(reply_hash, family_message["kind"])
        post_family_message(
            connection,
            earlier[0].thread_id if earlier else None,
            serial=serial,
            reply_hash=thread_hash,
            **family_message,
        )


def withdraw_paper_thread(connection: Connection, serial: str, kind: str) -> None:
    """Delete a sheet's thread, unless staff have answered it."""
    messages = _load_messages(connection, serial, kind)
    if messages and _is_unanswered(messages):
        connection.execute(delete(Message).where(Message.thread_id == messages[0].thread_id))
        connection.execute(delete(Thread).where(Thread.id == messages[0].thread_id))


def has_expired_serial(today: date) -> ColumnElement[bool]:
    """SQL condition for threads that have referred to their sheet for SERIAL_DAYS."""
    asked_by = today - timedelta(days=SERIAL_DAYS)
    return and_(Thread.serial.is_not(None), Thread.opened_on <= asked_by)


def clear_expired_serials(connection: Connection, today: date) -> None:
    """Remove the serial from threads that were opened at least SERIAL_DAYS ago."""
    connection.execute(update(Thread).where(has_expired_serial(today)).values(serial=None))


def mark_handed_over(connection: Connection, thread_id: str) -> None:
    """Record that the answer was delivered, by removing the serial from the thread."""
    connection.execute(update(Thread).where(Thread.id == thread_id).values(serial=None))


def _is_unanswered(messages: list[Row[tuple[str, str, str, str]]]) -> bool:
    return all(message.author == "family" for message in messages)


def _load_messages(connection: Connection, serial: str, kind: str) -> list[Row[tuple[str, str, str, str]]]:
    columns = select(Message.id, Message.thread_id, Message.author, Message.text).join(Thread)
    query = columns.where(Thread.serial == serial, Thread.kind == kind).order_by(Message.position)
    return list(connection.execute(query))


def author_headings(words: NullTranslations) -> dict[str, str]:
    """Return the headings above messages, by author ("family" or "staff")."""
    return {
        # translators: printed in a letter to a family, above what it asked
        "family": words.gettext("You asked"),
        # translators: printed in a letter to a family, above the school's answer
        "staff": words.gettext("The school answered"),
    }
