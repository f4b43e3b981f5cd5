"""A family comes back with its reply code. One code opens up to two threads: a question, and a request for help."""

import hashlib
from datetime import date
from random import Random

from sqlalchemy import Connection

from engage.conversations.threads import Conversation, conversations, open_thread, write

KINDS = ("question", "help")


def door(reply_hash: str, kind: str) -> str:
    """What a thread of this kind keeps of the reply code. The two look unrelated to whoever lacks the code."""
    if kind == "question":
        return reply_hash
    return hashlib.sha256(f"{kind}:{reply_hash}".encode()).hexdigest()


def behind(connection: Connection, reply_hash: str) -> list[Conversation]:
    """Every conversation that the reply code opens; empty where there is none."""
    return conversations(connection, [door(reply_hash, kind) for kind in KINDS])


def ask(
    connection: Connection,
    reply_hash: str,
    *,
    wave_id: str,
    school_id: str,
    language: str,
    kind: str,
    text: str,
    today: date,
    rng: Random,
    written_in: str | None = None,
) -> None:
    """Ask under a reply code: opens the thread, or writes on in it where it is open already. Raises Unwritten.

    `language` is the family's; `written_in` that of the text, where it is another."""
    for known in conversations(connection, [door(reply_hash, kind)]):
        write(connection, known.id, author="family", text=text, language=written_in or language, today=today, rng=rng)
        return
    open_thread(
        connection,
        wave_id=wave_id,
        school_id=school_id,
        language=language,
        kind=kind,
        text=text,
        today=today,
        rng=rng,
        reply_hash=door(reply_hash, kind),
        written_in=written_in,
    )
