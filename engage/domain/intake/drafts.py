"""Answers on the way: every Continue is kept under a key that only the family's phone can make, and sealed. Phones of
a household that share a draft (confidential waves with access codes) find it through a row of their own."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engage.domain.intake.draft_authors import joined, with_answers, without_phone
from engage.domain.intake.draft_encryption import Kept, Pocket, opened, seal, with_page
from engage.domain.intake.form_data import Raw, check_first_page, merge
from engage.storage.fast_statements import QuickRead, QuickWrite, QuickWrites
from engage.storage.models.responses import Draft

_read = select(Draft.sealed).where(Draft.key == bindparam("draft"))
_quick = QuickRead(_read)
_locked = QuickRead(_read.with_for_update())  # PostgreSQL: two tabs take turns. SQLite has one writer anyway
_begin = QuickWrites(  # two taps at the same moment begin one draft
    sqlite=sqlite.insert(Draft).on_conflict_do_nothing(index_elements=["key"]),
    postgresql=postgresql.insert(Draft).on_conflict_do_nothing(index_elements=["key"]),
)
_delete = delete(Draft).where(Draft.key == bindparam("draft"))
_touch = update(Draft).where(Draft.key == bindparam("draft")).values(touched_on=bindparam("day"))
_save = QuickWrite(
    update(Draft)
    .where(Draft.key == bindparam("draft"))
    .values(sealed=bindparam("text"), touched_on=bindparam("day"), is_empty=bindparam("empty"))
)


def read(connection: Connection, pocket: Pocket) -> Kept | None:
    """The draft in a pocket, if there is one; nobody else changes it before the transaction ends."""
    return _kept(pocket, _locked.within(connection, {"draft": pocket.key}))


def look(engine: Engine, pocket: Pocket) -> Kept | None:
    """The draft in a pocket as it stands now, read quickly and outside any transaction."""
    return _kept(pocket, _quick.one(engine, {"draft": pocket.key}))


def read_through(connection: Connection, pocket: Pocket) -> tuple[Pocket, Kept] | None:
    """Where the answers of a phone lie, in its own draft or its household's, and that draft; nobody else changes it
    before the transaction ends."""
    kept = read(connection, pocket)
    if kept is not None and kept.shared is not None:
        pocket, kept = kept.shared, read(connection, kept.shared)
    return None if kept is None else (pocket, kept)


def look_through(engine: Engine, pocket: Pocket) -> Kept | None:
    """The draft of a phone, or its household's, as it stands now, read as quickly as by `look`."""
    kept = look(engine, pocket)
    return look(engine, kept.shared) if kept is not None and kept.shared is not None else kept


def begin(
    connection: Connection,
    pocket: Pocket,
    *,
    wave_id: str,
    school_id: str,
    today: date,
    invitation: str | None = None,
    spent: str | None = None,
) -> Kept:
    """Begin a draft; one that is there goes on, for the school now chosen and the code it came by now. Returns it."""
    new = Kept(school_id, invitation, spent, {})
    if _begin.run(connection, _row(pocket, new, wave_id, today)) == 0:
        kept = read(connection, pocket)
        new = replace(new, raw=kept.raw) if kept else new
        _put(connection, pocket, new, today)
    return new


def begin_shared(connection: Connection, pocket: Pocket, new: Kept, *, wave_id: str, today: date) -> Kept:
    """Give a phone the way (`new.shared`) to its household's draft, which is begun where it is not there; returns the
    draft. Where the phone knew the way to another one, its household has a new code: what was kept is carried over."""
    assert new.shared is not None
    before = read(connection, pocket)
    for place, kept in ((pocket, new), (new.shared, replace(new, shared=None))):
        _begin.run(connection, _row(place, kept, wave_id, today))
    _put(connection, pocket, new, today)
    now = read(connection, new.shared) or replace(new, shared=None)
    if before is None or before.shared in (None, new.shared) or (old := read(connection, before.shared)) is None:
        return now
    _put(connection, new.shared, joined(now, old), today)
    connection.execute(_delete, {"draft": before.shared.key})
    return joined(now, old)


def save(
    connection: Connection,
    pocket: Pocket,
    *,
    page: int,
    keys: Collection[str],
    sent: Raw,
    today: date,
    finished: bool = True,
    phone: str = "",
) -> Kept | None:
    """Keep one page as sent, and return the whole draft; None where there is no draft. Raises TooMuch.

    `keys` are the page's slot keys: what was kept for them before is replaced. A page that is not `finished` is not
    among those sent. `phone` tells the phone from others of its household, where they share a draft."""
    kept = read(connection, pocket)
    if kept is not None and not kept.raw:
        check_first_page(sent)
    if kept is not None and kept.shared is not None:
        connection.execute(_touch, {"draft": pocket.key, "day": today})
        pocket, kept = kept.shared, read(connection, kept.shared)
        kept = kept and with_answers(kept, sent, keys, page, finished, phone)
    elif kept is not None:
        kept = with_page(kept, merge(kept.raw, sent, keys), page if finished else None)
    if kept is not None:
        _put(connection, pocket, kept, today)
    return kept


def destroy(connection: Connection, pocket: Pocket, phone: str, today: date) -> None:
    """Destroy what a phone answered; what other phones of its household answered stays."""
    kept = read(connection, pocket)
    if kept is not None and kept.shared is not None and (shared := read(connection, kept.shared)):
        _put(connection, kept.shared, without_phone(shared, phone), today)
    connection.execute(_delete, {"draft": pocket.key})


def close(connection: Connection, pocket: Pocket) -> None:
    """Forget a phone's row: its draft, or only the way to its household's, which stays."""
    connection.execute(_delete, {"draft": pocket.key})


def sweep(connection: Connection, before: date) -> int:
    """Destroy drafts that nobody has touched since `before`; returns how many."""
    return connection.execute(delete(Draft).where(Draft.touched_on < before)).rowcount


def total_bytes(connection: Connection) -> int:
    """How much room all drafts take, without what the database adds."""
    return int(connection.scalar(select(func.coalesce(func.sum(func.length(Draft.sealed)), 0))) or 0)


def make_room(connection: Connection, most: int) -> bool:
    """Destroy drafts in which no page was sent, the oldest days first, until all of them take at most `most` bytes;
    whether they do then. What a family has sent is never destroyed for room."""
    taken = total_bytes(connection)
    days = select(Draft.touched_on).where(Draft.is_empty).distinct().order_by(Draft.touched_on)
    for day in connection.scalars(days).all():
        if taken <= most:
            break
        connection.execute(delete(Draft).where(Draft.is_empty, Draft.touched_on == day))
        taken = total_bytes(connection)
    return taken <= most


def _put(connection: Connection, pocket: Pocket, kept: Kept, today: date) -> None:
    empty = not kept.raw and kept.shared is None
    _save.run(connection, {"draft": pocket.key, "text": seal(pocket, kept), "day": today, "empty": empty})


def _row(pocket: Pocket, kept: Kept, wave_id: str, today: date) -> dict[str, Any]:
    """A draft in which no page was sent yet."""
    row = {"key": pocket.key, "wave_id": wave_id, "sealed": seal(pocket, kept)}
    return {**row, "touched_on": today, "is_empty": True}


def _kept(pocket: Pocket, row: Sequence[Any] | None) -> Kept | None:
    return None if row is None else opened(pocket, bytes(row[0]))
