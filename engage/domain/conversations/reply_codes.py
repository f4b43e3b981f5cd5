"""A family comes back with its reply code. One code opens up to two threads: a question, and a request for help."""

import hashlib
from typing import Unpack

from sqlalchemy import Connection

from engage.domain.conversations.threads import Conversation, FamilyMessage, load_conversations, post_family_message

KINDS = ("question", "help")


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
