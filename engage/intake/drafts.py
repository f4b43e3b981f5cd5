"""Answers on the way: every Continue is kept under a key that only the family's phone can make."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engage.intake.submission import Raw, merge, packed, unpacked
from engage.records.quick import QuickRead
from engage.records.responses import Draft

COUNTED = {"preserve_rowcount": True}  # SQLAlchemy keeps it for updates only, unless asked
SEEN = "~seen"  # in a draft's raw object: the numbers of the pages sent; no slot key starts with "~"


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft as it is stored. `invitation` is the digest it was opened with, if any; `seen` the pages sent so far."""

    school_id: str
    language: str
    invitation: str | None
    raw: dict[str, list[str]]

    @property
    def seen(self) -> frozenset[int]:
        return frozenset(int(number) for number in self.raw.get(SEEN, ()))


_columns = (Draft.school_id, Draft.language, Draft.invitation, Draft.raw)
_read = select(*_columns).where(Draft.key == bindparam("draft"))
_quick = QuickRead(_read)
_locked = _read.with_for_update()  # PostgreSQL: two tabs take turns. SQLite has one writer anyway
_begin: dict[str, Any] = {  # two taps at the same moment begin one draft
    "sqlite": sqlite.insert(Draft).on_conflict_do_nothing(index_elements=["key"]),
    "postgresql": postgresql.insert(Draft).on_conflict_do_nothing(index_elements=["key"]),
}
_save = (
    update(Draft)
    .where(Draft.key == bindparam("draft"))
    .values(raw=bindparam("text"), language=bindparam("tag"), touched_on=bindparam("day"))
)
_move = update(Draft).where(Draft.key == bindparam("draft")).values(school_id=bindparam("school"))


def read(connection: Connection, key: bytes) -> Kept | None:
    """The draft under a key, if there is one; nobody else changes it before the transaction ends."""
    return _kept(connection.execute(_locked, {"draft": key}).one_or_none())


def look(engine: Engine, key: bytes) -> Kept | None:
    """The draft under a key as it stands now, read quickly and outside any transaction."""
    return _kept(_quick.one(engine, {"draft": key}))


def begin(
    connection: Connection,
    key: bytes,
    *,
    wave_id: str,
    school_id: str,
    language: str,
    invitation: str | None,
    today: date,
) -> None:
    """Begin a draft; one that is there goes on, for the school now chosen."""
    row: dict[str, Any] = {"key": key, "wave_id": wave_id, "school_id": school_id, "language": language}
    row |= {"invitation": invitation, "raw": "{}", "touched_on": today}
    if connection.execute(_begin[connection.dialect.name], row, execution_options=COUNTED).rowcount == 0:
        connection.execute(_move, {"draft": key, "school": school_id})


def save(
    connection: Connection, key: bytes, *, page: int, keys: Iterable[str], sent: Raw, language: str, today: date
) -> Kept | None:
    """Keep one page as sent, and return the whole draft; None where there is no draft. Raises TooMuch.

    `keys` are the page's slot keys: what was kept for them before is replaced."""
    kept = _kept(connection.execute(_locked, {"draft": key}).one_or_none())
    if kept is None:
        return None
    raw = merge(kept.raw, sent, keys)
    raw[SEEN] = [str(number) for number in sorted(kept.seen | {page})]
    connection.execute(_save, {"draft": key, "text": packed(raw), "tag": language, "day": today})
    return Kept(kept.school_id, language, kept.invitation, raw)


def sweep(connection: Connection, before: date) -> int:
    """Destroy drafts that nobody has touched since `before`; returns how many."""
    return connection.execute(delete(Draft).where(Draft.touched_on < before)).rowcount


def _kept(row: Sequence[str | None] | None) -> Kept | None:
    if row is None:
        return None
    school_id, language, invitation, raw = row
    return Kept(str(school_id), str(language), invitation, unpacked(str(raw)))
