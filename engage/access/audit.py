"""The audit chain: each event carries the keyed digest of the one before, so that an edit, a removal or an exchange is
found by whoever holds the key (B. Schneier and J. Kelsey, ACM TISSEC 2, 1999, p. 159-176)."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.records.audit import AuditEvent, AuditHead

AUDIT_KEY = "audit"  # the site's secret for this purpose makes the digests: `state().secret(AUDIT_KEY)`
START = "0" * 64  # before the first event
BATCH = 1000  # events read at a time

DEEDS = {
    "sign in": "signed in",
    "sign out everywhere": "ended every session of a person",
    "change sign-in": "changed how a person signs in",
    "add staff": "let a person sign in",
    "change staff": "changed what a person may do",
    "import roster": "imported a roster",
    "open wave": "opened a wave",
    "make access codes": "made access codes and handed over their list",
    "screen questions": "decided whether a question touches a protected area",
    "opt out": "changed who is not to be asked",
    "export figures": "downloaded figures",
    "see who answered": "looked up which household gave an answer",
    "freeze checkpoint": "froze the figures of a checkpoint",
    "publish checkpoint": "published a checkpoint",
    "run retention": "destroyed what is kept no longer",
    "rotate keys": "sealed everything under a new key",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`events` looked at; `broken` is the number of the first event that is not what was written, None if all are."""

    events: int
    broken: int | None
    reason: str = ""


def record(
    session: Session,
    *,
    key: bytes,
    actor: str,
    deed: str,
    about: str,
    detail: Mapping[str, int | str],
    now: datetime,
) -> None:
    """Add an event in the caller's transaction. `deed` is one of DEEDS; raises KeyError for any other."""
    DEEDS[deed]
    head = session.get(AuditHead, 1, with_for_update=True)
    if head is None:
        head = AuditHead(id=1, number=0, digest=_end(0, START, key))
        session.add(head)
        previous = START
    else:
        previous = START if head.number == 0 else session.get_one(AuditEvent, head.number).digest
    at = now.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    event = AuditEvent(
        number=head.number + 1,
        at=at,
        actor=actor[:255],
        deed=deed,
        about=about[:255],
        detail=json.dumps(dict(detail), sort_keys=True, ensure_ascii=False, separators=(",", ":")),
        previous=previous,
    )
    event.digest = _digest(event, key)
    session.add(event)
    head.number, head.digest = event.number, _end(event.number, event.digest, key)
    session.flush()


def verify(session: Session, key: bytes) -> Verdict:
    """Walk the whole chain."""
    previous, number = START, 0
    for event in session.scalars(select(AuditEvent).order_by(AuditEvent.number).execution_options(yield_per=BATCH)):
        number += 1
        if event.number != number:
            return Verdict(number, number, "an event is missing")
        if event.previous != previous:
            return Verdict(number, number, "it does not follow the event before it")
        if not hmac.compare_digest(event.digest, _digest(event, key)):
            return Verdict(number, number, "it was changed")
        previous = event.digest
    head = session.get(AuditHead, 1)
    if (head is None) != (number == 0) or (
        head is not None and (head.number, head.digest) != (number, _end(number, previous, key))
    ):
        return Verdict(number, number + 1, "the end of the chain is missing")
    return Verdict(number, None)


def _digest(event: AuditEvent, key: bytes) -> str:
    told = [event.number, event.at.isoformat(), event.actor, event.deed, event.about, event.detail, event.previous]
    return hmac.new(key, json.dumps(told).encode(), hashlib.sha256).hexdigest()


def _end(number: int, digest: str, key: bytes) -> str:
    return hmac.new(key, f"end {number} {digest}".encode(), hashlib.sha256).hexdigest()
