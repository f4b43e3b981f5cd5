"""The audit chain: each event contains the keyed digest of the one before, so that the key holder can detect changed,
removed, or reordered events (B. Schneier and J. Kelsey, ACM TISSEC 2, 1999, p. 159-176)."""

import hashlib
import hmac
import json
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import literal_column, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engage.base.clock import stored_utc_second
from engage.questionnaire.text_cleaning import clean_text
from engage.storage.models.audit import AuditEvent, AuditHead

AUDIT_KEY = "audit"  # purpose of the derived key for digests: `runtime().secret(AUDIT_KEY)`
COMMAND_LINE = "command line"  # the actor if nobody is signed in
SITE = "nightly run"  # the actor of the site's own actions
START = "0" * 64  # predecessor of the first event
BROKEN = "-" * 64  # predecessor of an event that was added after the chain was broken
BATCH = 1000  # events per batch
LONGEST = 255  # characters of an actor, and of the object

_FIRST: dict[str, Any] = {  # concurrent transactions may add the first event
    "sqlite": sqlite.insert(AuditHead).on_conflict_do_nothing(index_elements=["id"]),
    "postgresql": postgresql.insert(AuditHead).on_conflict_do_nothing(index_elements=["id"]),
}

DEEDS = {  # codes of actions and their English descriptions; pages translate them
    "sign in": "signed in",
    "sign out everywhere": "signed a person out everywhere",
    "change sign-in": "changed how a person signs in",
    "refuse passkey": "was refused: the passkey may be a copy",
    "add staff": "added a staff member",
    "change staff": "changed a person's access",
    "import roster": "imported a roster",
    "open wave": "opened a survey",
    "change wave": "changed the last day of a survey",
    "make access codes": "created access codes and downloaded the list",
    "download packet": "downloaded a packet of paper forms",
    "screen questions": "decided about a question in content screening",
    "opt out": "changed the opt-outs",
    "announce event": "announced a school event",
    "decide on bursts": "decided whether a burst of responses is counted",
    "export figures": "downloaded figures",
    "see who answered": "looked up which household gave an answer",
    "freeze checkpoint": "froze the figures of a checkpoint",
    "publish checkpoint": "published a checkpoint",
    "change privacy notice": "changed the privacy notice",
    "allow student surveys": "allowed surveys of students, or ended that",
    "record notice": "recorded the day of the notice to families about a survey of students",
    "change promise": "added or changed a promise to families",
    "write debrief": "wrote a debrief after an event",
    "correct answers": "corrected or withdrew a paper form",
    "export audit log": "downloaded the audit log",
    "read letter": "read an email that was not sent",
    "run retention": "deleted data that was due for deletion",
    "rotate keys": "encrypted everything with a new key",
    "restore backup": "restored a backup",
}

REASONS = {
    "missing": "an event before it is missing",
    "order": "it does not follow the event before it",
    "changed": "it was changed after it was written",
    "unreadable": "it cannot be read",
    "found broken": "the log was already broken when it was written",
    "cut": "the end of the log is missing",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a verification. `events` is the number checked; `broken` is the number of the first invalid event,
    or None; `reason` is one of REASONS."""

    events: int
    broken: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry of the audit log: who did what (`deed` is one of DEEDS) to which object, with further values."""

    actor: str
    deed: str
    about: str
    detail: Mapping[str, int | str]


def record_event(session: Session, entry: AuditEntry, *, key: bytes, now: datetime) -> None:
    """Add an event in the caller's transaction; concurrent calls wait until it ends. Raises KeyError for an unknown
    deed.

    A chain found to be broken continues, with a permanent mark where it was broken.
    """
    DEEDS[entry.deed]
    head = _lock_head(session, key)
    number, previous = _next_position(session, head, key)
    event = AuditEvent(
        number=number,
        at=stored_utc_second(now),
        actor=clean_text(entry.actor, lines=False)[:LONGEST],
        deed=entry.deed,
        about=clean_text(entry.about, lines=False)[:LONGEST],
        detail=_canonical_detail(entry.detail),
        previous=previous,
    )
    event.digest = _event_digest(key, _event_fields(event))
    session.add(event)
    head.number, head.digest = event.number, _end_mac(event.number, event.digest, key)
    session.flush()


def _lock_head(session: Session, key: bytes) -> AuditHead:
    """Return the end of the chain, locked until the end of the transaction; created if missing."""
    if head := session.get(AuditHead, 1, with_for_update=True):
        return head
    row = {"id": 1, "number": 0, "digest": _end_mac(0, START, key)}
    session.execute(_FIRST[session.get_bind().dialect.name], row)
    return session.get_one(AuditHead, 1, with_for_update=True)


def _next_position(session: Session, head: AuditHead, key: bytes) -> tuple[int, str]:
    """Return the next event's number and its predecessor's digest.

    Continues only from an end that the key authenticates: continuing from a truncated or forged end would hide it.
    """
    last = select(AuditEvent.number, AuditEvent.digest).order_by(AuditEvent.number.desc()).limit(1)
    number, digest = session.execute(last).one_or_none() or (0, START)
    vouched = head.number == number and _is_same_digest(head.digest, _end_mac(number, digest, key))
    return number + 1, digest if vouched else BROKEN


def verify_chain(session: Session, key: bytes) -> Verdict:
    """Verify the whole chain."""
    previous, number, head = START, 0, None
    try:
        with closing(_event_rows(session)) as rows:
            for row in rows:
                head = (row.head_number, row.head_digest)
                if row.number is None:  # the head exists, but no event
                    break
                number += 1
                if reason := _event_problem(row, number, previous, key):
                    return Verdict(number, number, reason)
                previous = row.digest
    except (ValueError, TypeError, AttributeError, OperationalError) as problem:
        if isinstance(problem, OperationalError) and "decode" not in str(problem).lower():
            raise
        return Verdict(number, max(number, 1), "unreadable")  # a value of a type that this module never writes
    if head is None or head == (None, None):
        return Verdict(number, 1 if number else None, "cut" if number else "")
    whole = head[0] == number and _is_same_digest(str(head[1]), _end_mac(number, previous, key))
    return Verdict(number, None) if whole else Verdict(number, number + 1, "cut")


def _event_rows(session: Session) -> Generator[Any, None, None]:
    """Yield every event with the head, in one statement, so that concurrent events are in neither."""
    one = select(literal_column("1").label("one")).subquery()
    query = (
        select(AuditHead.number.label("head_number"), AuditHead.digest.label("head_digest"), *_event_columns())
        .select_from(one)
        .outerjoin(AuditHead, AuditHead.id == 1)
        .outerjoin(AuditEvent, true())
        .order_by(AuditEvent.number)
        .execution_options(yield_per=BATCH)
    )
    with session.execute(query) as rows:  # closed even if the iteration ends early
        yield from rows


def _event_columns() -> list[Any]:
    table = AuditEvent.__table__.columns
    return [table[name] for name in ("number", "at", "actor", "deed", "about", "detail", "previous", "digest")]


def _event_problem(row: Any, number: int, previous: str, key: bytes) -> str:
    """Return the problem of an event, one of REASONS; empty if there is none."""
    if row.number != number:
        return "missing"
    if not _is_same_digest(row.digest, _event_digest(key, _event_fields(row))):
        return "changed"
    if row.previous == BROKEN:
        return "found broken"
    return "" if row.previous == previous else "order"


def _event_fields(event: Any) -> list[Any]:
    return [event.number, event.at.isoformat(), event.actor, event.deed, event.about, event.detail, event.previous]


def _canonical_detail(detail: Mapping[str, int | str]) -> str:
    plain = {name: clean_text(each, lines=False) if isinstance(each, str) else each for name, each in detail.items()}
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _event_digest(key: bytes, fields: list[Any]) -> str:
    return hmac.new(key, json.dumps(fields).encode(), hashlib.sha256).hexdigest()


def _end_mac(number: int, digest: str, key: bytes) -> str:
    return hmac.new(key, f"end {number} {digest}".encode(), hashlib.sha256).hexdigest()


def _is_same_digest(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
