"""Using an access code up, once. Anonymous waves: a keyed digest that nobody can follow back to the code. Confidential
waves: the day, and a link that is destroyed on a day fixed beforehand."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engage.domain.intake.group_assignment import assign_groups
from engage.storage.models.invitations import Invitation, UsedCode
from engage.storage.models.responses import Response, ResponseLink
from engage.storage.models.roster import OptOut
from engage.storage.models.waves import Wave

SPENT_KEY = "spent codes"  # the site's secret for this purpose: `runtime().secret(SPENT_KEY)`
COUNTED = {"preserve_rowcount": True}  # SQLAlchemy keeps it for updates only, unless asked
TURNS = 4_716_263_002  # any number nobody else uses
LATEST = timedelta(days=2)  # after the last day answers may still arrive: salts stay at least so long


class CodeWave(Protocol):
    """What must be known of a wave whose codes are used; a stored `Wave` will do."""

    @property
    def id(self) -> str: ...
    @property
    def identity(self) -> str: ...


@dataclass(frozen=True, slots=True)
class CodeUse:
    """The access code a response comes by. `invitation` is its digest; `spent` (anonymous waves) what it leaves behind,
    as `used_code_digest` makes it; `forget_on` (confidential waves) the day the link to the response is destroyed."""

    invitation: str
    spent: str | None = None
    forget_on: date | None = None


def used_code_digest(site_key: bytes, salt: str, code: str) -> str:
    """What a used code of an anonymous wave leaves behind: 64 hex digits that need the site's key for SPENT_KEY, the
    wave's `burn_salt` and the code."""
    return hmac.digest(hmac.digest(site_key, salt.encode(), hashlib.sha256), code.encode(), hashlib.sha256).hex()


# Codes that were used before version 0003 of the tables are stored under the invitation's own digest.
_unused_conditions = (
    Invitation.digest == bindparam("code"),
    Invitation.wave_id == bindparam("wave"),
    Invitation.identity == "anonymous",
    ~exists().where(UsedCode.digest == Invitation.digest),
)
_select_used_code = select(bindparam("spent", type_=UsedCode.digest.type).label("digest"), Invitation.wave_id).where(
    *_unused_conditions
)
_insert_used_code: dict[str, Any] = {
    name: dialect.insert(UsedCode)
    .from_select(["digest", "wave_id"], _select_used_code)
    .on_conflict_do_nothing(index_elements=["digest"])
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_mark_code_used = (
    update(Invitation)
    .where(Invitation.digest == bindparam("code"), Invitation.wave_id == bindparam("wave"))
    .where(~Invitation.used, Invitation.identity == "confidential")
    .values(used=True, used_on=bindparam("day"))
)
_insert_link = insert(ResponseLink)
_used_code_query = select(UsedCode.digest).where(UsedCode.digest.in_([bindparam("spent"), bindparam("code")]))

_invitation_query = select(Invitation.digest).where(
    Invitation.digest == bindparam("code"), Invitation.wave_id == bindparam("wave")
)


def is_anonymous_code_used(connection: Connection, invitation: str, spent: str) -> bool:
    """Whether a code of an anonymous wave has been used; both are digests of it, as in `Chance`."""
    return connection.execute(_used_code_query, {"spent": spent, "code": invitation}).first() is not None


def is_confidential_code_used(connection: Connection, invitation: str) -> bool:
    """Whether a code of a confidential wave has been used; `invitation` is its digest."""
    used = select(Invitation.digest).where(Invitation.digest == invitation, Invitation.used_on.is_not(None))
    return connection.execute(used).first() is not None


def is_code_replaced(connection: Connection, wave: CodeWave, invitation: str) -> bool:
    """Whether no invitation of the wave has this digest (any more): another code was given in its place."""
    return connection.execute(_invitation_query, {"code": invitation, "wave": wave.id}).first() is None


def use_code(connection: Connection, wave: CodeWave, chance: CodeUse, today: date) -> bool:
    """Use the code up; whether this was the first time. Its invitation must be one of this wave."""
    values = {"code": chance.invitation, "wave": wave.id}
    if wave.identity == "anonymous":
        if chance.spent is None:
            raise ValueError("a code of an anonymous wave is used up under its digest `spent`")
        _lock_wave(connection, wave, "_shared")
        statement, values = _insert_used_code[connection.dialect.name], values | {"spent": chance.spent}
        return connection.execute(statement, values, execution_options=COUNTED).rowcount == 1
    if chance.forget_on is None:
        raise ValueError("a code of a confidential wave is linked until a day `forget_on`")
    return connection.execute(_mark_code_used, values | {"day": today}).rowcount == 1


def lock_codes(session: Session, wave: CodeWave) -> None:
    """Wait for codes of this wave that are being used up, and let no other be until the transaction ends: ask for it
    before it is looked up whether a code was used, so that the code can be made worthless."""
    if wave.identity == "anonymous":
        _lock_wave(session.connection(), wave, "")


def _lock_wave(connection: Connection, wave: CodeWave, shared: str) -> None:
    # Not by locking the invitation: PostgreSQL writes such a lock into the row, where it would say which code was used.
    # SQLite has one writer anyway.
    if connection.dialect.name == "postgresql":
        turn = text(f"select pg_advisory_xact_lock{shared}(hashtextextended(:wave, {TURNS}))")
        connection.execute(turn, {"wave": wave.id})


def link_response(connection: Connection, wave: CodeWave, chance: CodeUse, response_id: str) -> None:
    """Keep by which invitation a response of a confidential wave came; the database refuses it for any other."""
    row = {"response_id": response_id, "wave_id": wave.id, "identity": wave.identity}
    connection.execute(_insert_link, row | {"invitation": chance.invitation, "forget_on": chance.forget_on})


def release_code(connection: Connection, response_id: str) -> str | None:
    """Give back the code that a response of a confidential wave came by, since the response is taken out; returns the
    invitation, None where no link is kept. Of a household that does not want to be asked any more the code goes."""
    by = select(ResponseLink.invitation).where(ResponseLink.response_id == response_id)
    invitation = connection.execute(by).scalar_one_or_none()
    used_code = Invitation.digest == invitation
    connection.execute(delete(ResponseLink).where(ResponseLink.response_id == response_id))
    connection.execute(update(Invitation).where(used_code).values(used=False, used_on=None))
    out = select(OptOut.household_id).where(OptOut.household_id == Invitation.household_id)
    connection.execute(delete(Invitation).where(used_code, out.exists()))
    return invitation


def is_link_due(today: date) -> ColumnElement[bool]:
    """What is true of a link whose day has come."""
    return ResponseLink.forget_on <= today


def destroy_due_links(session: Session, today: date) -> int:
    """Destroy the links whose day has come, and what only they explain: the day on both sides, and, once no link of a
    wave is left, groups of responses that are too small. Returns how many links there were."""
    connection, due = session.connection(), is_link_due(today)
    waves = connection.scalars(select(ResponseLink.wave_id).where(due).distinct().order_by(ResponseLink.wave_id)).all()
    codes, responses = select(ResponseLink.invitation).where(due), select(ResponseLink.response_id).where(due)
    connection.execute(update(Invitation).where(Invitation.digest.in_(codes)).values(used_on=None))
    first = select(Wave.opens).where(Wave.id == Response.wave_id).scalar_subquery()
    connection.execute(update(Response).where(Response.id.in_(responses)).values(day=first))
    gone = connection.execute(delete(ResponseLink).where(due), execution_options=COUNTED).rowcount
    for wave_id in waves:
        if not connection.scalar(select(exists().where(ResponseLink.wave_id == wave_id))):
            assign_groups(connection, wave_id, b"")
    return gone


def destroy_salts(session: Session, today: date, after_days: int) -> int:
    """Destroy the salts of waves that closed more than `after_days` ago (two at least: the last answers may come a day
    late); returns how many. From then on nobody, whatever key they hold, can tell which codes were used."""
    closed = Wave.closes < today - max(timedelta(days=after_days), LATEST)
    old = update(Wave).where(closed, Wave.burn_salt.is_not(None)).values(burn_salt=None)
    return session.connection().execute(old).rowcount
