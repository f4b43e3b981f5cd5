"""Keyed sheets of anonymous waves are cut loose: 14 days after a sheet was keyed, what was keyed from it is deleted
with its serial, its times and its order, and nothing leads from the sheet to its answers any more. The response stays.
A question on the sheet keeps the serial for longer, so that its answer can be carried back
(domain/conversations/paper_threads.py)."""

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

KEYED_DAYS = 14  # a sheet leads to its answers for no longer after it was keyed, as its cover says
DIGEST_BITS = 256

_UNLINK_RESPONSE = update(Response).where(Response.submission == bindparam("old"))
_UNLINK_RESPONSE = _UNLINK_RESPONSE.values(submission=bindparam("new"), provenance=None)


def is_keying_expired(keyed_on: date, today: date) -> bool:
    """Whether a sheet of an anonymous wave, keyed on one day of the district, leads to its answers no more."""
    return keyed_on <= today - timedelta(days=KEYED_DAYS)


def keying_cutoff(timezone: str, today: date) -> datetime:
    """The moment before which a keying is due on `today`, the district's day; UTC without a zone."""
    midnight = datetime.combine(today - timedelta(days=KEYED_DAYS - 1), time(), ZoneInfo(timezone))
    return midnight.astimezone(UTC).replace(tzinfo=None)


def keyings_due(moment: datetime) -> ColumnElement[bool]:
    """What is true of a keying of an anonymous wave that was made before the moment."""
    return and_(Keying.wave_id.in_(_anonymous_waves()), Keying.keyed_at < moment)


def keying_drafts_due(moment: datetime) -> ColumnElement[bool]:
    """What is true of a sheet of an anonymous wave that was begun, and not touched since the moment."""
    return and_(KeyingDraft.wave_id.in_(_anonymous_waves()), KeyingDraft.touched_at < moment)


def delete_keyings(session: Session, moment: datetime, rng: Random) -> None:
    """Delete the keyings of anonymous waves made before the moment, and what was begun on their sheets anew. Their
    responses get a new submission key from `rng` (give it a SystemRandom): the old one names the keying."""
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
