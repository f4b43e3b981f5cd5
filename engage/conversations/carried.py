"""Questions that come on paper: a thread whose answer is carried by hand, and can be read with the reply code too
where the family tore one off its sheet.

A sheet has one thread of each kind, however often its keying is corrected.
"""

from typing import Unpack

from sqlalchemy import Connection, Row, delete, select, update

from engage.conversations.replies import door
from engage.conversations.threads import LONGEST, Asked, say
from engage.questionnaire.text import clean
from engage.records.threads import Message, Thread


def bring(connection: Connection, serial: str, reply_hash: str | None = None, **asked: Unpack[Asked]) -> None:
    """Open the sheet's thread; where it is open already put its words right, or write on if somebody has answered.
    Words beyond what a message holds are cut: the sheet itself still has them. `reply_hash`: of the code on the strip
    that was torn off; None where the sheet had none."""
    asked["text"] = words = clean(asked["text"])[:LONGEST]
    said = _said(connection, serial, asked["kind"])
    if not words:
        take_back(connection, serial, asked["kind"])
    elif said and _unanswered(said):
        connection.execute(update(Message).where(Message.id == said[-1].id).values(text=words))
    elif words not in [message.text for message in said]:
        own = reply_hash and door(reply_hash, asked["kind"])
        say(connection, said[0].thread_id if said else None, serial=serial, reply_hash=own, **asked)


def take_back(connection: Connection, serial: str, kind: str) -> None:
    """Remove a sheet's thread, unless somebody has answered it."""
    said = _said(connection, serial, kind)
    if said and _unanswered(said):
        connection.execute(delete(Message).where(Message.thread_id == said[0].thread_id))
        connection.execute(delete(Thread).where(Thread.id == said[0].thread_id))


def _unanswered(said: list[Row[tuple[str, str, str, str]]]) -> bool:
    return all(message.author == "family" for message in said)


def _said(connection: Connection, serial: str, kind: str) -> list[Row[tuple[str, str, str, str]]]:
    columns = select(Message.id, Message.thread_id, Message.author, Message.text).join(Thread)
    found = columns.where(Thread.serial == serial, Thread.kind == kind).order_by(Message.position)
    return list(connection.execute(found))
