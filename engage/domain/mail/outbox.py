"""The outbox: a letter is written in the transaction of the deed it tells of, and stays until it was sent.

`tries` is also the letter's turn: every attempt that ended, and every wish of a person to try again, begins a new one.
What belongs to an earlier turn changes nothing any more."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Update, func, or_, select, update
from sqlalchemy.orm import Session

from engage.storage.models.base import RANDOM_ID
from engage.storage.models.mail import Mail

MOST_TRIES = 8
LONGEST_PROBLEM = 200  # characters, as the column holds
_MINUTE = 60
PAUSES = (_MINUTE, 5 * _MINUTE, 30 * _MINUTE, 120 * _MINUTE)  # seconds after the first, second … try; the last repeats


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says, and to whom."""

    to: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Due:
    """A letter that waits: which, its turn, and how many seconds to let pass before it (0 for at once)."""

    id: str
    turn: int
    pause: int


def write(session: Session, kind: str, letter: Letter, seal: Callable[[str], bytes], now: datetime) -> str:
    """Put a letter in the outbox; it leaves once the caller's transaction has committed. Returns its id."""
    told = json.dumps({"to": letter.to, "subject": letter.subject, "text": letter.text}, ensure_ascii=False)
    made = Mail(id=secrets.token_hex(RANDOM_ID // 2), kind=kind[:40], sealed=seal(told), written_at=_moment(now))
    session.add(made)
    return made.id


def opened(mail: Mail, unseal: Callable[[bytes], str]) -> Letter:
    """What is in a letter that was not sent. Raises what `unseal` raises, and ValueError where it is no letter."""
    told = json.loads(unseal(mail.sealed))
    try:
        return Letter(str(told["to"]), str(told["subject"]), str(told["text"]))
    except (TypeError, KeyError) as problem:
        raise ValueError("this is not a letter") from problem


def waiting(session: Session) -> list[Due]:
    """All letters that wait, the oldest first."""
    found = select(Mail.id, Mail.tries, Mail.problem).where(Mail.state == "waiting")
    rows = session.execute(found.order_by(Mail.written_at, Mail.id))
    return [Due(id, tries, pause(tries) if problem else 0) for id, tries, problem in rows]


def pause(tries: int) -> int:
    """Seconds to wait after so many tries."""
    return PAUSES[min(tries, len(PAUSES)) - 1] if tries > 0 else 0


def the_due(session: Session, id: str, turn: int) -> Mail | None:
    """A letter that waits in this turn; None for one that was sent, given up or is in a later turn."""
    return session.scalar(select(Mail).where(*_in_turn(id, turn)))


def mark_sent(session: Session, id: str, now: datetime) -> bool:
    """The mail server took it, in whichever turn: nothing of it is kept. False if that was known."""
    changed = {"state": "sent", "sealed": b"", "sent_at": _moment(now), "tries": Mail.tries + 1, "problem": ""}
    return _changed(session, update(Mail).where(Mail.id == id, Mail.state != "sent").values(**changed))


def mark_tried(session: Session, id: str, turn: int, problem: str) -> bool:
    """It could not be sent now; after MOST_TRIES it has failed. False if it was not waiting in this turn."""
    state = "waiting" if turn + 1 < MOST_TRIES else "failed"
    return _change(session, id, turn, {"state": state, "tries": turn + 1, "problem": _short(problem)})


def mark_failed(session: Session, id: str, turn: int, problem: str) -> bool:
    """It can never be sent as it is. False if it was not waiting in this turn."""
    return _change(session, id, turn, {"state": "failed", "tries": turn + 1, "problem": _short(problem)})


def try_again(session: Session, id: str) -> bool:
    """Let a letter that waits or has failed be tried at once. False if there is none."""
    unsent = (Mail.id == id, Mail.state != "sent")
    return _changed(session, update(Mail).where(*unsent).values(state="waiting", problem="", tries=Mail.tries + 1))


def try_all_again(session: Session) -> int:
    """Let every letter that has failed or waits longer be tried at once; returns how many."""
    held = (Mail.state != "sent") & (Mail.problem != "")
    again = update(Mail).where(held).values(state="waiting", problem="", tries=Mail.tries + 1)
    return cast("CursorResult[Any]", session.execute(again)).rowcount


def unsent(session: Session, most: int) -> list[Mail]:
    """Letters that failed or wait, the newest first."""
    found = select(Mail).where(Mail.state != "sent").order_by(Mail.written_at.desc(), Mail.id).limit(most)
    return list(session.scalars(found))


def stuck(session: Session, *, sends: bool) -> int:
    """How many letters a person should look at: those that failed, and those that wait for more than their turn.
    `sends`: whether a mail server is set up; without one, all that wait."""
    waits = Mail.state == "waiting"
    held = waits & (Mail.problem != "") if sends else waits
    return session.scalar(select(func.count()).select_from(Mail).where(or_(Mail.state == "failed", held))) or 0


def _in_turn(id: str, turn: int) -> tuple[ColumnElement[bool], ...]:
    return Mail.id == id, Mail.state == "waiting", Mail.tries == turn


def _change(session: Session, id: str, turn: int, values: dict[str, object]) -> bool:
    return _changed(session, update(Mail).where(*_in_turn(id, turn)).values(**values))


def _changed(session: Session, statement: Update) -> bool:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount > 0


def _short(problem: str) -> str:
    return (problem or "no reason was given")[:LONGEST_PROBLEM]


def _moment(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(microsecond=0, tzinfo=None)
