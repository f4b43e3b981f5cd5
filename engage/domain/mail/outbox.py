"""The outbox: a message is written in the transaction of the event it reports, and stays until it is sent.

`tries` is also the message's turn: every finished attempt, and every manual retry, starts a new turn. Results of an
earlier turn are ignored.
"""

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
PAUSES = (_MINUTE, 5 * _MINUTE, 30 * _MINUTE, 120 * _MINUTE)  # seconds after each attempt; the last value repeats


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """Content and recipient of an email."""

    to: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class DueMail:
    """A waiting email: its id, its turn, and the delay in seconds before the next attempt (0 for at once)."""

    id: str
    turn: int
    pause: int


def queue_mail(session: Session, kind: str, letter: OutgoingMail, seal: Callable[[str], bytes], now: datetime) -> str:
    """Add an email to the outbox and return its id. It is sent after the caller's transaction has committed."""
    document = json.dumps({"to": letter.to, "subject": letter.subject, "text": letter.text}, ensure_ascii=False)
    mail = Mail(
        id=secrets.token_hex(RANDOM_ID // 2), kind=kind[:40], sealed=seal(document), written_at=stored_utc_second(now)
    )
    session.add(mail)
    return mail.id


def open_mail(mail: Mail, unseal: Callable[[bytes], str]) -> OutgoingMail:
    """Decrypt an unsent email. Raises what `unseal` raises, and ValueError if the content is invalid."""
    document = json.loads(unseal(mail.sealed))
    try:
        return OutgoingMail(str(document["to"]), str(document["subject"]), str(document["text"]))
    except (TypeError, KeyError) as problem:
        raise ValueError("this is not a letter") from problem


def list_waiting_mail(session: Session) -> list[DueMail]:
    """Return all waiting emails, oldest first."""
    query = select(Mail.id, Mail.tries, Mail.problem).where(Mail.state == "waiting")
    rows = session.execute(query.order_by(Mail.written_at, Mail.id))
    return [DueMail(id, tries, retry_delay(tries) if problem else 0) for id, tries, problem in rows]


def retry_delay(tries: int) -> int:
    """Return the delay in seconds after this number of attempts."""
    return PAUSES[min(tries, len(PAUSES)) - 1] if tries > 0 else 0


def find_due_mail(session: Session, id: str, turn: int) -> Mail | None:
    """Return an email that is waiting in this turn; None if it was sent, has failed, or is in a later turn."""
    return session.scalar(select(Mail).where(*_turn_conditions(id, turn)))


def mark_sent(session: Session, id: str, now: datetime) -> bool:
    """Mark an email as sent, in any turn, and erase its content. False if it was marked already."""
    changed = {
        "state": "sent",
        "sealed": b"",
        "sent_at": stored_utc_second(now),
        "tries": Mail.tries + 1,
        "problem": "",
    }
    return _has_changed_rows(session, update(Mail).where(Mail.id == id, Mail.state != "sent").values(**changed))


def mark_tried(session: Session, id: str, turn: int, problem: str) -> bool:
    """Record a failed attempt; after MOST_TRIES the email has failed for good. False if it was not waiting in this
    turn."""
    state = "waiting" if turn + 1 < MOST_TRIES else "failed"
    return _update_in_turn(session, id, turn, {"state": state, "tries": turn + 1, "problem": _shorten_problem(problem)})


def mark_failed(session: Session, id: str, turn: int, problem: str) -> bool:
    """Record that the email can never be sent. False if it was not waiting in this turn."""
    return _update_in_turn(
        session, id, turn, {"state": "failed", "tries": turn + 1, "problem": _shorten_problem(problem)}
    )


def retry_mail(session: Session, id: str) -> bool:
    """Retry a waiting or failed email at once. False if there is none."""
    unsent = (Mail.id == id, Mail.state != "sent")
    return _has_changed_rows(
        session, update(Mail).where(*unsent).values(state="waiting", problem="", tries=Mail.tries + 1)
    )


def retry_all_mail(session: Session) -> int:
    """Retry all emails at once that failed or wait after a failed attempt; return their number."""
    failed = (Mail.state != "sent") & (Mail.problem != "")
    retry = update(Mail).where(failed).values(state="waiting", problem="", tries=Mail.tries + 1)
    return cast("CursorResult[Any]", session.execute(retry)).rowcount


def list_unsent_mail(session: Session, most: int) -> list[Mail]:
    """Return the failed and waiting emails, newest first."""
    query = select(Mail).where(Mail.state != "sent").order_by(Mail.written_at.desc(), Mail.id).limit(most)
    return list(session.scalars(query))


def count_stuck_mail(session: Session, *, sends: bool) -> int:
    """Return the number of emails that need attention: those that failed, and those waiting after a failed attempt.

    `sends`: whether a mail server is configured. If not, all waiting emails count.
    """
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
    """SQL condition for sent or failed emails written before `before` (UTC, no zone)."""
    return and_(Mail.state.in_(("sent", "failed")), Mail.written_at < before)


def destroy_expired_mail(session: Session, before: datetime) -> None:
    """Delete expired emails."""
    session.execute(delete(Mail).where(is_mail_expired(before)))
