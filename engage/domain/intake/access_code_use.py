"""Single use of access codes.

In an anonymous wave, a used code is recorded as a keyed digest that cannot be traced to the code. In a confidential
wave, the day and a link to the response are recorded; the link is deleted on a day set in advance.
"""

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

SPENT_KEY = "spent codes"  # purpose of the derived key: `runtime().secret(SPENT_KEY)`
COUNTED = {"preserve_rowcount": True}  # SQLAlchemy reports it for updates only, unless requested
TURNS = 4_716_263_002  # an arbitrary number, unique to this advisory lock
LATEST = timedelta(days=2)  # answers may still arrive this long after the last day, so salts stay at least this long


class CodeWave(Protocol):
    """The attributes of a wave that this module needs. A stored `Wave` has them."""

    @property
    def id(self) -> str: ...
    @property
    def identity(self) -> str: ...


@dataclass(frozen=True, slots=True)
class CodeUse:
    """The access code of a response. `invitation` is its digest; `spent` (anonymous waves) is the result of
    `used_code_digest`; `forget_on` (confidential waves) is the day on which the link to the response is deleted."""

    invitation: str
    spent: str | None = None
    forget_on: date | None = None


def used_code_digest(site_key: bytes, salt: str, code: str) -> str:
    """Return the record of a used code of an anonymous wave: 64 hex digits that depend on the site's key for SPENT_KEY,
    the wave's `burn_salt`, and the code."""
    return hmac.digest(hmac.digest(site_key, salt.encode(), hashlib.sha256), code.encode(), hashlib.sha256).hex()


# Codes used before migration 0003 are stored under the invitation's own digest.
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
    """Whether a code of an anonymous wave has been used. Both arguments are as in `CodeUse`."""
    return connection.execute(_used_code_query, {"spent": spent, "code": invitation}).first() is not None


def is_confidential_code_used(connection: Connection, invitation: str) -> bool:
    """Whether a code of a confidential wave has been used; `invitation` is its digest."""
    used = select(Invitation.digest).where(Invitation.digest == invitation, Invitation.used_on.is_not(None))
    return connection.execute(used).first() is not None


def is_code_replaced(connection: Connection, wave: CodeWave, invitation: str) -> bool:
    """Whether the wave has no invitation with this digest, because another code replaced it."""
    return connection.execute(_invitation_query, {"code": invitation, "wave": wave.id}).first() is None


def use_code(connection: Connection, wave: CodeWave, chance: CodeUse, today: date) -> bool:
    """Mark the code as used; return whether it was unused. Only an invitation of this wave counts. Raises ValueError if
    `chance` lacks the field that the wave's identity requires."""
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
    """Wait until concurrent uses of this wave's codes are finished, and block others until the transaction ends.

    Call it before looking up whether a code was used, in order to invalidate the code.
    """
    if wave.identity == "anonymous":
        _lock_wave(session.connection(), wave, "")


def _lock_wave(connection: Connection, wave: CodeWave, shared: str) -> None:
    # An advisory lock instead of a row lock on the invitation: PostgreSQL writes row locks into the row, which would
    # reveal which code was used. SQLite has a single writer.
    if connection.dialect.name == "postgresql":
        turn = text(f"select pg_advisory_xact_lock{shared}(hashtextextended(:wave, {TURNS}))")
        connection.execute(turn, {"wave": wave.id})


def link_response(connection: Connection, wave: CodeWave, chance: CodeUse, response_id: str) -> None:
    """Store the link from a response of a confidential wave to its invitation. A constraint refuses it for other
    waves."""
    row = {"response_id": response_id, "wave_id": wave.id, "identity": wave.identity}
    connection.execute(_insert_link, row | {"invitation": chance.invitation, "forget_on": chance.forget_on})


def release_code(connection: Connection, response_id: str) -> str | None:
    """Release the code of a response of a confidential wave, because the response is withdrawn.

    Returns the invitation's digest, or None if the link is no longer stored. If the household has opted out, the
    invitation is deleted instead.
    """
    by = select(ResponseLink.invitation).where(ResponseLink.response_id == response_id)
    invitation = connection.execute(by).scalar_one_or_none()
    used_code = Invitation.digest == invitation
    connection.execute(delete(ResponseLink).where(ResponseLink.response_id == response_id))
    connection.execute(update(Invitation).where(used_code).values(used=False, used_on=None))
    out = select(OptOut.household_id).where(OptOut.household_id == Invitation.household_id)
    connection.execute(delete(Invitation).where(used_code, out.exists()))
    return invitation


def is_link_due(today: date) -> ColumnElement[bool]:
    """SQL condition for links that are due for deletion."""
    return ResponseLink.forget_on <= today


def destroy_due_links(session: Session, today: date) -> int:
    """Delete due links and return their number.

    Also removes what could replace a link: the day in the invitation and in the response, and, once a wave has no links
    left, the day of its other responses and groups that are too small.
    """
    connection, due = session.connection(), is_link_due(today)
    waves = connection.scalars(select(ResponseLink.wave_id).where(due).distinct().order_by(ResponseLink.wave_id)).all()
    codes, responses = select(ResponseLink.invitation).where(due), select(ResponseLink.response_id).where(due)
    connection.execute(update(Invitation).where(Invitation.digest.in_(codes)).values(used_on=None))
    first = select(Wave.opens).where(Wave.id == Response.wave_id).scalar_subquery()
    connection.execute(update(Response).where(Response.id.in_(responses)).values(day=first))
    gone = connection.execute(delete(ResponseLink).where(due), execution_options=COUNTED).rowcount
    for wave_id in waves:
        if not connection.scalar(select(exists().where(ResponseLink.wave_id == wave_id))):
            connection.execute(update(Response).where(Response.wave_id == wave_id).values(day=first))
            assign_groups(connection, wave_id, b"")
    return gone


def destroy_salts(session: Session, today: date, after_days: int) -> int:
    """Delete the salts of waves that closed more than `after_days` ago (at least two, since answers may arrive late).

    Returns their number. Afterwards nobody can tell which codes were used, even with all keys.
    """
    closed = Wave.closes < today - max(timedelta(days=after_days), LATEST)
    old = update(Wave).where(closed, Wave.burn_salt.is_not(None)).values(burn_salt=None)
    return session.connection().execute(old).rowcount
