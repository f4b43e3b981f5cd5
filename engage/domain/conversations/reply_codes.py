"""A family comes back with its reply code. One code opens up to two threads: a question, and a request for help."""

import hashlib
from typing import Unpack

from sqlalchemy import Connection

from engage.domain.conversations.threads import Asked, Conversation, conversations, say

KINDS = ("question", "help")


def door(reply_hash: str, kind: str) -> str:
    """What a thread of this kind keeps of the reply code. The two look unrelated to whoever lacks the code."""
    if kind == "question":
        return reply_hash
    return hashlib.sha256(f"{kind}:{reply_hash}".encode()).hexdigest()


def behind(connection: Connection, reply_hash: str) -> list[Conversation]:
    """Every conversation that the reply code opens; empty where there is none."""
    return conversations(connection, [door(reply_hash, kind) for kind in KINDS])


def ask(connection: Connection, reply_hash: str, **asked: Unpack[Asked]) -> None:
    """Ask under a reply code: opens the thread, or writes on in it where it is open already. Raises Unwritten."""
    own = door(reply_hash, asked["kind"])
    known = conversations(connection, [own])
    say(connection, known[0].id if known else None, reply_hash=own, **asked)
