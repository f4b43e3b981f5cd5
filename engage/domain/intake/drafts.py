"""Storage of drafts: every page that a family sends is saved, encrypted.

Phones of a household that share a draft (confidential waves with access codes) find it through their own row.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engage.domain.intake.draft_authors import add_phone_answers, merge_drafts, remove_phone
from engage.domain.intake.draft_encryption import DraftContent, DraftKeys, add_page, open_draft, seal_draft
from engage.domain.intake.form_data import Raw, check_first_page_size, merge_page
from engage.storage.fast_statements import QuickRead, QuickWrite, QuickWrites
from engage.storage.models.responses import Draft

_select_draft = select(Draft.sealed).where(Draft.key == bindparam("draft"))
_draft_query = QuickRead(_select_draft)
_locked_draft_query = QuickRead(
    _select_draft.with_for_update()
)  # PostgreSQL: two tabs take turns. SQLite has a single writer
_insert_draft = QuickWrites(  # two concurrent requests begin one draft
    sqlite=sqlite.insert(Draft).on_conflict_do_nothing(index_elements=["key"]),
    postgresql=postgresql.insert(Draft).on_conflict_do_nothing(index_elements=["key"]),
)
_delete_draft = delete(Draft).where(Draft.key == bindparam("draft"))
_touch_draft = update(Draft).where(Draft.key == bindparam("draft")).values(touched_on=bindparam("day"))
_update_draft = QuickWrite(
    update(Draft)
    .where(Draft.key == bindparam("draft"))
    .values(sealed=bindparam("text"), touched_on=bindparam("day"), is_empty=bindparam("empty"))
)


def read_draft(connection: Connection, pocket: DraftKeys) -> DraftContent | None:
    """Return the draft with these keys, or None. Locks it until the end of the transaction."""
    return _open_row(pocket, _locked_draft_query.within(connection, {"draft": pocket.key}))


def peek_draft(engine: Engine, pocket: DraftKeys) -> DraftContent | None:
    """Return the draft with these keys, or None. A fast read outside any transaction."""
    return _open_row(pocket, _draft_query.one(engine, {"draft": pocket.key}))


def read_answer_draft(connection: Connection, pocket: DraftKeys) -> tuple[DraftKeys, DraftContent] | None:
    """Return the draft that has a phone's answers, and its keys: the phone's own or its household's.

    None if there is none. Locks it until the end of the transaction.
    """
    draft = read_draft(connection, pocket)
    if draft is not None and draft.shared is not None:
        pocket, draft = draft.shared, read_draft(connection, draft.shared)
    return None if draft is None else (pocket, draft)


def peek_answer_draft(engine: Engine, pocket: DraftKeys) -> DraftContent | None:
    """Return the draft of a phone, or of its household. A fast read like `peek_draft`."""
    draft = peek_draft(engine, pocket)
    return peek_draft(engine, draft.shared) if draft is not None and draft.shared is not None else draft


def begin_draft(
    connection: Connection, pocket: DraftKeys, new: DraftContent, *, wave_id: str, today: date
) -> DraftContent:
    """Begin a draft and return it. If one exists, it continues with the school and the access code of `new`."""
    if _insert_draft.run(connection, _new_draft_row(pocket, new, wave_id, today)) == 0:
        existing = read_draft(connection, pocket)
        new = replace(new, raw=existing.raw) if existing else new
        _write_draft(connection, pocket, new, today)
    return new


def begin_shared_draft(
    connection: Connection, pocket: DraftKeys, new: DraftContent, *, wave_id: str, today: date
) -> DraftContent:
    """Connect a phone to its household's draft (`new.shared`), create that if needed, and return it.

    If the phone was connected to another draft, the household has a new code: the old draft's answers are merged into
    the new one, and the old draft is deleted.
    """
    assert new.shared is not None
    before = read_draft(connection, pocket)
    for place, content in ((pocket, new), (new.shared, replace(new, shared=None))):
        _insert_draft.run(connection, _new_draft_row(place, content, wave_id, today))
    _write_draft(connection, pocket, new, today)
    now = read_draft(connection, new.shared) or replace(new, shared=None)
    if before is None or before.shared in (None, new.shared) or (old := read_draft(connection, before.shared)) is None:
        return now
    _write_draft(connection, new.shared, merge_drafts(now, old), today)
    connection.execute(_delete_draft, {"draft": before.shared.key})
    return merge_drafts(now, old)


@dataclass(frozen=True, slots=True)
class SentPage:
    """One page as a family sent it.

    `keys` are the page's slot keys, whose earlier answers are replaced. A page that is not `finished` does not count as
    sent. `phone` distinguishes phones of a household that share a draft.
    """

    number: int
    keys: Collection[str]
    raw: Raw
    finished: bool = True
    phone: str = ""


def save_page(connection: Connection, pocket: DraftKeys, page: SentPage, *, today: date) -> DraftContent | None:
    """Save one page and return the whole draft; None if there is no draft. Raises FormTooLarge."""
    draft = read_draft(connection, pocket)
    if draft is not None and not draft.raw:
        check_first_page_size(page.raw)
    if draft is not None and draft.shared is not None:
        connection.execute(_touch_draft, {"draft": pocket.key, "day": today})
        pocket, draft = draft.shared, read_draft(connection, draft.shared)
        draft = draft and add_phone_answers(draft, page.raw, page.keys, page.number, page.finished, page.phone)
    elif draft is not None:
        draft = add_page(draft, merge_page(draft.raw, page.raw, page.keys), page.number if page.finished else None)
    if draft is not None:
        _write_draft(connection, pocket, draft, today)
    return draft


def destroy_phone_answers(connection: Connection, pocket: DraftKeys, phone: str, today: date) -> None:
    """Delete a phone's draft and its answers in the household's draft. Answers from other phones stay."""
    draft = read_draft(connection, pocket)
    if draft is not None and draft.shared is not None and (shared := read_draft(connection, draft.shared)):
        _write_draft(connection, draft.shared, remove_phone(shared, phone), today)
    connection.execute(_delete_draft, {"draft": pocket.key})


def close_phone_draft(connection: Connection, pocket: DraftKeys) -> None:
    """Delete a phone's row: its draft, or only its reference to the household's draft, which stays."""
    connection.execute(_delete_draft, {"draft": pocket.key})


def delete_stale_drafts(connection: Connection, before: date) -> int:
    """Delete drafts that were last changed before `before`; return their number."""
    return connection.execute(delete(Draft).where(Draft.touched_on < before)).rowcount


def total_draft_bytes(connection: Connection) -> int:
    """Return the size of all drafts in bytes, without the overhead of the database."""
    return int(connection.scalar(select(func.coalesce(func.sum(func.length(Draft.sealed)), 0))) or 0)


def evict_empty_drafts(connection: Connection, most: int) -> bool:
    """Delete drafts without a sent page, oldest days first, until all drafts take at most `most` bytes.

    Returns whether they do. Drafts with a sent page are never deleted to save space.
    """
    taken = total_draft_bytes(connection)
    days = select(Draft.touched_on).where(Draft.is_empty).distinct().order_by(Draft.touched_on)
    for day in connection.scalars(days).all():
        if taken <= most:
            break
        connection.execute(delete(Draft).where(Draft.is_empty, Draft.touched_on == day))
        taken = total_draft_bytes(connection)
    return taken <= most


def _write_draft(connection: Connection, pocket: DraftKeys, draft: DraftContent, today: date) -> None:
    empty = not draft.raw and draft.shared is None
    _update_draft.run(
        connection, {"draft": pocket.key, "text": seal_draft(pocket, draft), "day": today, "empty": empty}
    )


def _new_draft_row(pocket: DraftKeys, draft: DraftContent, wave_id: str, today: date) -> dict[str, object]:
    """Return the row of a draft in which no page was sent."""
    row = {"key": pocket.key, "wave_id": wave_id, "sealed": seal_draft(pocket, draft)}
    return {**row, "touched_on": today, "is_empty": True}


def _open_row(pocket: DraftKeys, row: Sequence[Any] | None) -> DraftContent | None:
    return None if row is None else open_draft(pocket, bytes(row[0]))
