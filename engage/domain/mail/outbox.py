"""The outbox: a message is written in the transaction of the event it reports, and stays until it was sent.

`tries` is also the letter's turn: every attempt that ended, and every wish of a person to try again, begins a new one.
What belongs to an earlier turn changes nothing any more."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Update, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from engage.base.clock import stored_utc_second
from engage.storage.models.base import RANDOM_ID
from engage.storage.models.mail import Mail

MOST_TRIES = 8
LONGEST_PROBLEM = 200  # characters, as the column holds
_MINUTE = 60
PAUSES = (_MINUTE, 5 * _MINUTE, 30 * _MINUTE, 120 * _MINUTE)  # seconds after the first, second … try; the last repeats


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """What a letter says, and to whom."""

    to: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class DueMail:
    """A letter that waits: which, its turn, and how many seconds to let pass before it (0 for at once)."""

    id: str
    turn: int
    pause: int


def queue_mail(session: Session, kind: str, letter: OutgoingMail, seal: Callable[[str], bytes], now: datetime) -> str:
    """Put a letter in the outbox; it leaves once the caller's transaction has committed. Returns its id."""
    document = json.dumps({"to": letter.to, "subject": letter.subject, "text": letter.text}, ensure_ascii=False)
    mail = Mail(
        id=secrets.token_hex(RANDOM_ID // 2), kind=kind[:40], sealed=seal(document), written_at=stored_utc_second(now)
    )
    session.add(mail)
    return mail.id


def open_mail(mail: Mail, unseal: Callable[[bytes], str]) -> OutgoingMail:
    """What is in a letter that was not sent. Raises what `unseal` raises, and ValueError where it is no letter."""
    document = json.loads(unseal(mail.sealed))
    try:
        return OutgoingMail(str(document["to"]), str(document["subject"]), str(document["text"]))
    except (TypeError, KeyError) as problem:
        raise ValueError("this is not a letter") from problem


def list_waiting_mail(session: Session) -> list[DueMail]:
    """All letters that wait, the oldest first."""
    query = select(Mail.id, Mail.tries, Mail.problem).where(Mail.state == "waiting")
    rows = session.execute(query.order_by(Mail.written_at, Mail.id))
    return [DueMail(id, tries, retry_delay(tries) if problem else 0) for id, tries, problem in rows]


def retry_delay(tries: int) -> int:
    """Seconds to wait after so many tries."""
    return PAUSES[min(tries, len(PAUSES)) - 1] if tries > 0 else 0


def find_due_mail(session: Session, id: str, turn: int) -> Mail | None:
    """A letter that waits in this turn; None for one that was sent, given up or is in a later turn."""
    return session.scalar(select(Mail).where(*_turn_conditions(id, turn)))


def mark_sent(session: Session, id: str, now: datetime) -> bool:
    """The mail server took it, in whichever turn: nothing of it is kept. False if that was known."""
    changed = {
        "state": "sent",
        "sealed": b"",
        "sent_at": stored_utc_second(now),
        "tries": Mail.tries + 1,
        "problem": "",
    }
    return _has_changed_rows(session, update(Mail).where(Mail.id == id, Mail.state != "sent").values(**changed))


def mark_tried(session: Session, id: str, turn: int, problem: str) -> bool:
    """It could not be sent now; after MOST_TRIES it has failed. False if it was not waiting in this turn."""
    state = "waiting" if turn + 1 < MOST_TRIES else "failed"
    return _update_in_turn(session, id, turn, {"state": state, "tries": turn + 1, "problem": _shorten_problem(problem)})


def mark_failed(session: Session, id: str, turn: int, problem: str) -> bool:
    """It can never be sent as it is. False if it was not waiting in this turn."""
    return _update_in_turn(
        session, id, turn, {"state": "failed", "tries": turn + 1, "problem": _shorten_problem(problem)}
    )


def retry_mail(session: Session, id: str) -> bool:
    """Let a letter that waits or has failed be tried at once. False if there is none."""
    unsent = (Mail.id == id, Mail.state != "sent")
    return _has_changed_rows(
        session, update(Mail).where(*unsent).values(state="waiting", problem="", tries=Mail.tries + 1)
    )


def retry_all_mail(session: Session) -> int:
    """Let every letter that has failed or waits longer be tried at once; returns how many."""
    failed = (Mail.state != "sent") & (Mail.problem != "")
    retry = update(Mail).where(failed).values(state="waiting", problem="", tries=Mail.tries + 1)
    return cast("CursorResult[Any]", session.execute(retry)).rowcount


def list_unsent_mail(session: Session, most: int) -> list[Mail]:
    """Letters that failed or wait, the newest first."""
    query = select(Mail).where(Mail.state != "sent").order_by(Mail.written_at.desc(), Mail.id).limit(most)
    return list(session.scalars(query))


def count_stuck_mail(session: Session, *, sends: bool) -> int:
    """How many letters a person should look at: those that failed, and those that wait for more than their turn.
    `sends`: whether a mail server is set up; without one, all that wait."""
    waits = Mail.state == "waiting"
    failed = waits & (Mail.problem != "") if sends else waits
    return session.scalar(select(func.count()).select_from(Mail).where(or_(Mail.state == "failed", failed))) or 0


def _turn_conditions(id: str, turn: int) -> tuple[ColumnElement[bool], ...]:
    return Mail.id == id, Mail.state == "waiting", Mail.tries == turn


def _update_in_turn(session: Session, id: str, turn: int, values: dict[str, object]) -> bool:
    return _has_changed_rows(session, update(Mail).where(*_turn_conditions(id, turn)).values(**values))


def _has_changed_rows(session: Session, statement: Update) -> bool:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount > 0


def _shorten_problem(problem: str) -> str:
    return (problem or "no reason was given")[:LONGEST_PROBLEM]


def is_mail_expired(before: datetime) -> ColumnElement[bool]:
    """What is true of a letter that is kept no longer: it waits for nothing and was written before (UTC, no zone)."""
    return and_(Mail.state.in_(("sent", "failed")), Mail.written_at < before)


def destroy_expired_mail(session: Session, before: datetime) -> None:
    """Destroy them."""
    session.execute(delete(Mail).where(is_mail_expired(before)))
