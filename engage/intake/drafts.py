"""Answers on the way: every Continue is kept under a key that only the family's phone can make, and sealed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engage.intake.sealed import Kept, Pocket, opened, seal, with_page
from engage.intake.submission import Raw, merge
from engage.records.quick import QuickRead
from engage.records.responses import Draft

COUNTED = {"preserve_rowcount": True}  # SQLAlchemy keeps it for updates only, unless asked

_read = select(Draft.sealed).where(Draft.key == bindparam("draft"))
_quick = QuickRead(_read)
_locked = _read.with_for_update()  # PostgreSQL: two tabs take turns. SQLite has one writer anyway
_begin: dict[str, Any] = {  # two taps at the same moment begin one draft
    "sqlite": sqlite.insert(Draft).on_conflict_do_nothing(index_elements=["key"]),
    "postgresql": postgresql.insert(Draft).on_conflict_do_nothing(index_elements=["key"]),
}
_save = (
    update(Draft).where(Draft.key == bindparam("draft")).values(sealed=bindparam("text"), touched_on=bindparam("day"))
)


def read(connection: Connection, pocket: Pocket) -> Kept | None:
    """The draft in a pocket, if there is one; nobody else changes it before the transaction ends."""
    return _kept(pocket, connection.execute(_locked, {"draft": pocket.key}).one_or_none())


def look(engine: Engine, pocket: Pocket) -> Kept | None:
    """The draft in a pocket as it stands now, read quickly and outside any transaction."""
    return _kept(pocket, _quick.one(engine, {"draft": pocket.key}))


def begin(
    connection: Connection,
    pocket: Pocket,
    *,
    wave_id: str,
    school_id: str,
    today: date,
    invitation: str | None = None,
    spent: str | None = None,
) -> None:
    """Begin a draft; one that is there goes on, for the school now chosen and the code it came by now."""
    new = Kept(school_id, invitation, spent, {})
    row = {"key": pocket.key, "wave_id": wave_id, "sealed": seal(pocket, new), "touched_on": today}
    if connection.execute(_begin[connection.dialect.name], row, execution_options=COUNTED).rowcount == 0:
        kept = read(connection, pocket)
        _put(connection, pocket, replace(new, raw=kept.raw) if kept else new, today)


def save(
    connection: Connection, pocket: Pocket, *, page: int, keys: Iterable[str], sent: Raw, today: date
) -> Kept | None:
    """Keep one page as sent, and return the whole draft; None where there is no draft. Raises TooMuch.

    `keys` are the page's slot keys: what was kept for them before is replaced."""
    kept = read(connection, pocket)
    if kept is None:
        return None
    kept = with_page(kept, merge(kept.raw, sent, keys), page)
    _put(connection, pocket, kept, today)
    return kept


def sweep(connection: Connection, before: date) -> int:
    """Destroy drafts that nobody has touched since `before`; returns how many."""
    return connection.execute(delete(Draft).where(Draft.touched_on < before)).rowcount


def _put(connection: Connection, pocket: Pocket, kept: Kept, today: date) -> None:
    connection.execute(_save, {"draft": pocket.key, "text": seal(pocket, kept), "day": today})


def _kept(pocket: Pocket, row: Sequence[Any] | None) -> Kept | None:
    return None if row is None else opened(pocket, bytes(row[0]))
