"""Retention of keyings in anonymous waves: 14 days after a sheet was keyed, its keying is deleted with serial, times,
and order, so that nothing leads from the sheet to its answers. The response stays. A question on the sheet keeps the
serial longer, so that its answer can be delivered (domain/conversations/paper_threads.py)."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, bindparam, delete, select, update
from sqlalchemy.orm import Session

from engage.services.data_entry.duplicates import submission_key
from engage.storage.models.paper import Keying, KeyingDraft
from engage.storage.models.responses import Response
from engage.storage.models.waves import Wave

KEYED_DAYS = 14  # after keying, the sheet no longer leads to its answers, as its cover states
DIGEST_BITS = 256

_UNLINK_RESPONSE = update(Response).where(Response.submission == bindparam("old"))
_UNLINK_RESPONSE = _UNLINK_RESPONSE.values(submission=bindparam("new"), provenance=None)


def is_keying_expired(keyed_on: date, today: date) -> bool:
    """Whether a sheet of an anonymous wave, keyed on a day of the district, no longer leads to its answers."""
    return keyed_on <= today - timedelta(days=KEYED_DAYS)


def keying_cutoff(timezone: str, today: date) -> datetime:
    """The moment before which keyings are due on `today`, the district's day; UTC without a zone."""
    midnight = datetime.combine(today - timedelta(days=KEYED_DAYS - 1), time(), ZoneInfo(timezone))
    return midnight.astimezone(UTC).replace(tzinfo=None)


def keyings_due(moment: datetime) -> ColumnElement[bool]:
    """Condition for keyings of anonymous waves made before the moment."""
    return and_(Keying.wave_id.in_(_anonymous_waves()), Keying.keyed_at < moment)


def keying_drafts_due(moment: datetime) -> ColumnElement[bool]:
    """Condition for unfinished sheets of anonymous waves, unchanged since the moment."""
    return and_(KeyingDraft.wave_id.in_(_anonymous_waves()), KeyingDraft.touched_at < moment)


def delete_keyings(session: Session, moment: datetime, rng: Random) -> None:
    """Delete the keyings of anonymous waves made before the moment, and newer drafts of their sheets. Their responses
    get a new submission key from `rng` (pass a SystemRandom), because the old one contains the keying's id."""
    due: Any = select(Keying.id, Keying.serial).where(keyings_due(moment))
    keyings = session.execute(due.order_by(Keying.id)).all()
    rows = [{"old": submission_key(id), "new": f"{rng.getrandbits(DIGEST_BITS):064x}"} for id, _ in keyings]
    if rows:
        session.connection().execute(_UNLINK_RESPONSE, rows)
    for names in (select(Keying.id).where(keyings_due(moment)), select(Keying.serial).where(keyings_due(moment))):
        session.execute(delete(KeyingDraft).where(KeyingDraft.sheet.in_(names)))
    session.execute(delete(KeyingDraft).where(keying_drafts_due(moment)))
    session.execute(delete(Keying).where(keyings_due(moment)))


def _anonymous_waves() -> Any:
    return select(Wave.id).where(Wave.identity == "anonymous")
