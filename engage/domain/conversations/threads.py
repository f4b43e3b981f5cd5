"""Threads of messages between a family and its school.

A family's question or request opens a thread. Nothing in it points to a response, a device, or a household. One reply
code gives access to up to two threads: a question and a request for help.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, NotRequired, TypedDict, Unpack

from sqlalchemy import Connection, Select, func, insert, select, update

from engage.questionnaire.text_cleaning import clean_text
from engage.storage.models.conversations import Message, Thread
from engage.storage.models.waves import Wave

KINDS = ("question", "help")


ID_BITS = 128
LONGEST = 4000  # characters of one message


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """One message. `author` is "family" or "staff"; `language` is the tag of the language it was written in."""

    author: str
    text: str
    language: str
    written_on: date


@dataclass(frozen=True, slots=True)
class Conversation:
    """One thread and its messages in order. `kind` is "question" or "help"."""

    id: str
    kind: str
    wave_id: str
    school_id: str
    language: str
    weekly: bool
    """Whether the family's messages have only the week as their date, as in an anonymous wave."""
    said: tuple[ThreadMessage, ...]

    @property
    def answered(self) -> bool:
        """Whether staff have replied."""
        return any(message.author == "staff" for message in self.said)


class FamilyMessage(TypedDict):
    """A message from a family and its context. `kind` is "question" or "help". `language` is the family's language;
    `written_in` is that of the text if it differs, since staff wrote it down from marked boxes."""

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
    """A message to add. `author` is "family" or "staff"; `language` is the tag of the text."""

    author: str
    text: str
    language: str
    staff_id: int | None = None


class InvalidMessage(ValueError):
    """A message that is empty or too long. `length` is in characters."""

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
    """Open a thread with the family's first message and return its id. Raises InvalidMessage.

    `reply_hash` is the result of `thread_reply_hash`, or None if the family has no reply code. `serial` is that of the
    sheet the question came on; its answer is delivered in person.
    """
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
    """Add a family's message to a thread. If `thread_id` is None, open one, like `open_thread`. Raises
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
    """Add a message at the end of a thread. Raises InvalidMessage.

    The date of a family's message in an anonymous wave is the week only. If the last message has the same author and
    text, it was sent twice and is stored once. The thread is locked, because a family and staff may write at once.
    """
    author, words = message.author, clean_text(message.text)
    if not 1 <= len(words) <= LONGEST:
        raise InvalidMessage(len(words))
    connection.execute(select(Thread.id).where(Thread.id == thread_id).with_for_update())
    last = _last_message(connection, thread_id)
    if last is not None and last[1:] == (author, words):
        return
    row = {"id": f"{rng.getrandbits(ID_BITS):032x}", "thread_id": thread_id, "position": last[0] + 1 if last else 1}
    wave_id = select(Thread.wave_id).where(Thread.id == thread_id).scalar_subquery()
    day = _day_to_store(connection, wave_id, today) if author == "family" else today
    row |= {"author": author, "staff_id": message.staff_id, "text": words, "language": message.language}
    row |= {"written_on": day}
    connection.execute(insert(Message), row)
    waiting_since = func.coalesce(Thread.waiting_since, day) if author == "family" else None
    connection.execute(update(Thread).where(Thread.id == thread_id).values(waiting_since=waiting_since))


def load_conversations(connection: Connection, reply_hashes: Sequence[str]) -> list[Conversation]:
    """Return the threads with these hashes and their messages, questions before requests for help."""
    weekly = (Wave.identity == "anonymous").label("weekly")
    columns = (Thread.id, Thread.kind, Thread.wave_id, Thread.school_id, Thread.language, weekly)
    threads = select(*columns).join(Wave, Wave.id == Thread.wave_id).where(Thread.reply_hash.in_(reply_hashes))
    rows = connection.execute(threads.order_by(Thread.kind.desc())).all()
    return [Conversation(*row, said=_load_messages(connection, row.id)) for row in rows]


def week_start(day: date) -> date:
    """Return the Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def _day_to_store(connection: Connection, wave_id: Any, today: date) -> date:
    """Return the date to store with a family's message: the Monday of the week in an anonymous wave, else today."""
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
    """Return the date of the first unanswered family message by thread id. None means every school, or every
    language."""
    query = _select_waiting(select(Thread.id, Thread.waiting_since), schools, languages)
    return {id: since for id, since in connection.execute(query) if since is not None}


def count_waiting_threads(
    connection: Connection, schools: Collection[str] | None, languages: Collection[str] | None = None
) -> int:
    """Return the number of threads that wait for an answer. None means every school, or every language."""
    query = _select_waiting(select(func.count()).select_from(Thread), schools, languages)
    return int(connection.execute(query).scalar_one())


def _select_waiting(
    query: Select[*tuple[Any, ...]], schools: Collection[str] | None, languages: Collection[str] | None
) -> Any:
    query = query.where(Thread.waiting_since.is_not(None))
    query = query if schools is None else query.where(Thread.school_id.in_(schools))
    return query if languages is None else query.where(Thread.language.in_(languages))


def thread_reply_hash(reply_hash: str, kind: str) -> str:
    """Return the hash that a thread of this kind stores. Without the code, the hashes of the two kinds cannot be
    linked."""
    if kind == "question":
        return reply_hash
    return hashlib.sha256(f"{kind}:{reply_hash}".encode()).hexdigest()


def find_conversations(connection: Connection, reply_hash: str) -> list[Conversation]:
    """Return all conversations of a reply code; empty if there are none."""
    return load_conversations(connection, [thread_reply_hash(reply_hash, kind) for kind in KINDS])


def post_by_reply_code(connection: Connection, reply_hash: str, **message: Unpack[FamilyMessage]) -> None:
    """Add a family's message under its reply code; opens the thread if there is none. Raises InvalidMessage."""
    thread_hash = thread_reply_hash(reply_hash, message["kind"])
    conversations = load_conversations(connection, [thread_hash])
    post_family_message(connection, conversations[0].id if conversations else None, reply_hash=thread_hash, **message)
