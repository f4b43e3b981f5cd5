"""Threads of messages between a family and its school: opened, continued, read by reply code, and found unanswered.

A family's question or request opens a thread. Nothing in it points to a response, a phone or a household. One reply
code opens up to two threads: a question, and a request for help."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, NotRequired, TypedDict, Unpack

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.orm import aliased

from engage.questionnaire.text_cleaning import clean_text
from engage.storage.models.conversations import Message, Thread
from engage.storage.models.waves import Wave

KINDS = ("question", "help")


ID_BITS = 128
LONGEST = 4000  # characters of one message


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """One message. `author` is "family" or "staff"; `language` is the tag it was written in."""

    author: str
    text: str
    language: str
    written_on: date


@dataclass(frozen=True, slots=True)
class Conversation:
    """One thread and all its messages, first to last. `kind` is "question" or "help"."""

    id: str
    kind: str
    wave_id: str
    school_id: str
    language: str
    weekly: bool
    """Whether of what the family wrote only the week is stored, as in an anonymous wave."""
    said: tuple[ThreadMessage, ...]

    @property
    def answered(self) -> bool:
        """Whether staff have written in it."""
        return any(message.author == "staff" for message in self.said)


class FamilyMessage(TypedDict):
    """What a family says, and about what. `kind` is "question" or "help"; `language` is the family's, `written_in` that
    of the text, where it is another (marks, put down in staff's words)."""

    wave_id: str
    school_id: str
    language: str
    kind: str
    text: str
    today: date
    rng: Random
    written_in: NotRequired[str | None]


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be added: `author` is "family" or "staff", `language` the tag of the text."""

    author: str
    text: str
    language: str
    staff_id: int | None = None


class InvalidMessage(ValueError):
    """A message without words, or too long to be read; `length` in characters."""

    def __init__(self, length: int) -> None:
        super().__init__(f"a message has 1 to {LONGEST} characters, not {length}")
        self.length = length


def open_thread(
    connection: Connection,
    *,
    reply_hash: str | None = None,
    serial: str | None = None,
    **message: Unpack[FamilyMessage],
) -> str:
    """Open a thread with the family's first message; returns its id. Raises InvalidMessage.

    `reply_hash` as `replies.door` makes it, None where the family has no code. `serial` of the sheet it came on, to
    which the answer is carried by hand."""
    thread_id = f"{message['rng'].getrandbits(ID_BITS):032x}"
    day = _day_to_store(connection, message["wave_id"], message["today"])
    row: dict[str, object] = {"id": thread_id, "reply_hash": reply_hash, "serial": serial, "opened_on": day}
    row |= {each: message[each] for each in ("wave_id", "school_id", "language", "kind")}
    connection.execute(insert(Thread), row)
    _add_family_message(connection, thread_id, message)
    return thread_id


def post_family_message(
    connection: Connection,
    thread_id: str | None,
    *,
    reply_hash: str | None = None,
    serial: str | None = None,
    **message: Unpack[FamilyMessage],
) -> None:
    """Let the family write on in a thread; open one, as `open_thread` does, where there is none. Raises
    InvalidMessage."""
    if thread_id is None:
        open_thread(connection, reply_hash=reply_hash, serial=serial, **message)
    else:
        _add_family_message(connection, thread_id, message)


def _add_family_message(connection: Connection, thread_id: str, message: FamilyMessage) -> None:
    language = message.get("written_in") or message["language"]
    new = NewMessage("family", message["text"], language)
    add_message(connection, thread_id, new, today=message["today"], rng=message["rng"])


def add_message(connection: Connection, thread_id: str, message: NewMessage, *, today: date, rng: Random) -> None:
    """Add a message at the end of a thread; of a family in an anonymous wave only the week is stored. The same words
    again, by the same side and with nothing in between, are the same message sent twice and are stored once. Raises
    InvalidMessage."""
    author, words = message.author, clean_text(message.text)
    if not 1 <= len(words) <= LONGEST:
        raise InvalidMessage(len(words))
    last = _last_message(connection, thread_id)
    if last is not None and last[1:] == (author, words):
        return
    row = {"id": f"{rng.getrandbits(ID_BITS):032x}", "thread_id": thread_id, "position": last[0] + 1 if last else 1}
    wave_id = select(Thread.wave_id).where(Thread.id == thread_id).scalar_subquery()
    day = _day_to_store(connection, wave_id, today) if author == "family" else today
    row |= {"author": author, "staff_id": message.staff_id, "text": words, "language": message.language}
    row |= {"written_on": day}
    connection.execute(insert(Message), row)


def load_conversations(connection: Connection, reply_hashes: Sequence[str]) -> list[Conversation]:
    """The threads behind these hashes, with their messages, questions before requests for help."""
    weekly = (Wave.identity == "anonymous").label("weekly")
    columns = (Thread.id, Thread.kind, Thread.wave_id, Thread.school_id, Thread.language, weekly)
    threads = select(*columns).join(Wave, Wave.id == Thread.wave_id).where(Thread.reply_hash.in_(reply_hashes))
    rows = connection.execute(threads.order_by(Thread.kind.desc())).all()
    return [Conversation(*row, said=_load_messages(connection, row.id)) for row in rows]


def week_start(day: date) -> date:
    """The first day (Monday) of the day's week."""
    return day - timedelta(days=day.weekday())


def _day_to_store(connection: Connection, wave_id: Any, today: date) -> date:
    """The day of what a family wrote, as it is stored: in an anonymous wave the first of the week."""
    identity = connection.scalar(select(Wave.identity).where(Wave.id == wave_id))
    return week_start(today) if identity == "anonymous" else today


def _last_message(connection: Connection, thread_id: str) -> tuple[int, str, str] | None:
    newest = select(func.max(Message.position)).where(Message.thread_id == thread_id).scalar_subquery()
    query = select(Message.position, Message.author, Message.text)
    row = connection.execute(query.where(Message.thread_id == thread_id, Message.position == newest)).first()
    return None if row is None else (row.position, row.author, row.text)


def _load_messages(connection: Connection, thread_id: str) -> tuple[ThreadMessage, ...]:
    columns = select(Message.author, Message.text, Message.language, Message.written_on)
    rows = connection.execute(columns.where(Message.thread_id == thread_id).order_by(Message.position))
    return tuple(ThreadMessage(*row) for row in rows)


def find_waiting_threads(
    connection: Connection, schools: Collection[str] | None, languages: Collection[str] | None = None
) -> dict[str, date]:
    """Thread id to the day of the first thing the family said that nobody has answered. None means every school, and
    every language of the family."""
    answer = aliased(Message)
    answered = select(func.max(answer.position)).where(answer.thread_id == Message.thread_id, answer.author == "staff")
    since = (
        select(Message.thread_id, func.min(Message.written_on).label("since"))
        .join(Thread, Thread.id == Message.thread_id)
        .where(Message.author == "family", Message.position > func.coalesce(answered.scalar_subquery(), 0))
        .group_by(Message.thread_id)
    )
    query = since if schools is None else since.where(Thread.school_id.in_(schools))
    query = query if languages is None else query.where(Thread.language.in_(languages))
    return {row.thread_id: row.since for row in connection.execute(query)}


def thread_reply_hash(reply_hash: str, kind: str) -> str:
    """What a thread of this kind keeps of the reply code. The two look unrelated to whoever lacks the code."""
    if kind == "question":
        return reply_hash
    return hashlib.sha256(f"{kind}:{reply_hash}".encode()).hexdigest()


def find_conversations(connection: Connection, reply_hash: str) -> list[Conversation]:
    """Every conversation that the reply code opens; empty where there is none."""
    return load_conversations(connection, [thread_reply_hash(reply_hash, kind) for kind in KINDS])


def post_by_reply_code(connection: Connection, reply_hash: str, **message: Unpack[FamilyMessage]) -> None:
    """Ask under a reply code: opens the thread, or writes on in it where it is open already. Raises InvalidMessage."""
    thread_hash = thread_reply_hash(reply_hash, message["kind"])
    conversations = load_conversations(connection, [thread_hash])
    post_family_message(connection, conversations[0].id if conversations else None, reply_hash=thread_hash, **message)
