"""Update of a wave's column files from its stored responses, and verification of their number."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engage.domain.summaries.column_store import (
    Columns,
    ColumnsDamaged,
    ExpectedColumns,
    ResponseRow,
    columns_folder,
    update_columns,
)
from engage.domain.summaries.counting import count_figures
from engage.domain.summaries.release_history import Released, release_figures
from engage.questionnaire.editions import load_edition
from engage.questionnaire.model import Survey
from engage.storage.language_groups import OTHER
from engage.storage.models.bursts import is_counted, is_excluded
from engage.storage.models.responses import PendingResponse, Response, WaveColumns
from engage.storage.models.waves import Wave

BATCH = 5_000  # rows fetched at a time
FORGOTTEN = 5_000  # ids in one statement; SQLite takes 32,766
ATTEMPTS = 3  # to update columns
_NOTHING = ExpectedColumns(rows=0, digest="", edits=0)  # no columns have this digest, so they are rebuilt
_inserts: dict[str, Any] = {"sqlite": sqlite.insert(WaveColumns), "postgresql": postgresql.insert(WaveColumns)}


class ColumnsMiscounted(Exception):
    """The columns of a wave do not have every stored response exactly once, even after a rebuild."""


class ColumnStatus(NamedTuple):
    """The database's state of a wave at one moment: the expected columns (`known`), the counter of changes, the number
    of stored responses, and the number of those that are not in the columns yet."""

    known: ExpectedColumns
    edits: int
    stored: int
    waiting: int

    def matches(self, columns: ExpectedColumns) -> bool:
        """Whether these columns have every response that is not pending exactly once."""
        return columns.edits == self.edits and columns.rows == self.stored - self.waiting

    def is_current(self, columns: ExpectedColumns) -> bool:
        """Whether these columns are the expected ones and have every response."""
        return self.known == columns and self.matches(columns) and not self.waiting


class PreparedColumns(NamedTuple):
    """Updated columns that are not registered in the database yet: the expected state `before`, and the ids of the
    pending responses that are now included."""

    before: ExpectedColumns
    columns: Columns
    folded: list[str]


def load_releases(session: Session, wave: Wave, site_dir: Path, earlier: Sequence[Released] = ()) -> Released:
    """Return the figures for leaders and for the public, together with those shown to each `earlier` (the same type).
    Writes the state of the columns; never commits."""
    survey = load_edition(wave.edition.document).survey("en")
    figures = count_figures(load_columns(session, wave, survey, site_dir))
    return release_figures(figures, survey, wave.identity, earlier=earlier)


def prepare_columns(session: Session, wave: Wave, survey: Survey, site_dir: Path) -> PreparedColumns:
    """Update the wave's column files without writing to the database. Pass the result to `load_columns`.

    Requires a session with a stable snapshot, such as a read session of SQLite, and only one call at a time.
    """
    now = read_status(session, wave.id)
    return PreparedColumns(now.known, *_update_columns(session, wave, survey, site_dir, now.known, now.edits))


def load_columns(
    session: Session, wave: Wave, survey: Survey, site_dir: Path, prepared: PreparedColumns | None = None
) -> Columns:
    """Return the wave's columns with every response exactly once. With `prepared`, responses since then are missing,
    unless something else has changed.

    Needs a writing session. Locks the wave (`lock_columns`) until the transaction ends, so commit soon. Raises
    ColumnsMiscounted; never commits.
    """
    for _ in range(ATTEMPTS):
        state = lock_columns(session, wave.id)
        expected, edits = _expected_columns(state), session.scalars(select(Wave.edits).where(Wave.id == wave.id)).one()
        if prepared is not None and (prepared.before, prepared.columns.expected.edits) == (expected, edits):
            columns, folded = prepared.columns, prepared.folded
        else:
            columns, folded = _update_columns(session, wave, survey, site_dir, expected, edits)
        state.rows, state.digest, state.edits = columns.expected
        _delete_pending(session, folded)
        if read_status(session, wave.id).matches(columns.expected):
            return columns
        state.rows, state.digest, state.edits = _NOTHING
    raise ColumnsMiscounted(f"the columns of wave {wave.id} do not hold each of its responses once")


def current_columns(session: Session, wave: Wave, survey: Survey, site_dir: Path) -> Columns | None:
    """Return the wave's columns if they have every response; None if `load_columns` must update them. Read-only."""
    try:
        columns = Columns.open(columns_folder(site_dir, wave.id), survey)
    except ColumnsDamaged:
        return None
    return columns if read_status(session, wave.id).is_current(columns.expected) else None


def lock_columns(session: Session, wave_id: str) -> WaveColumns:
    """Return the state of a wave's columns, locked until the transaction ends.

    Take this lock BEFORE reading the pending responses: on PostgreSQL a concurrent transaction may add the same ones.
    SQLite has a single writer. Lock several waves in the order of their ids.
    """
    empty = {"wave_id": wave_id, **_NOTHING._asdict()}
    session.execute(_inserts[session.get_bind().dialect.name].on_conflict_do_nothing(), empty)
    return session.get_one(WaveColumns, wave_id, with_for_update=True, populate_existing=True)


def read_status(session: Session, wave_id: str) -> ColumnStatus:
    """Return the database's state of a wave, read in one statement: on PostgreSQL, two would see different snapshots.

    Responses that figures exclude are not counted. They are few, so they are subtracted from a count by index.
    """
    everybody, unfolded = (
        select(func.count()).select_from(each).where(each.wave_id == wave_id).scalar_subquery()
        for each in (Response, PendingResponse)
    )
    left_out = select(func.count()).select_from(Response).where(Response.wave_id == wave_id, is_excluded())
    stored = everybody - left_out.scalar_subquery()
    waiting = unfolded - left_out.join(PendingResponse, PendingResponse.response_id == Response.id).scalar_subquery()
    state = (WaveColumns.rows, WaveColumns.digest, WaveColumns.edits)
    query = select(*state, Wave.edits.label("now"), stored.label("stored"), waiting.label("waiting"))
    row = session.execute(query.select_from(Wave).outerjoin(WaveColumns).where(Wave.id == wave_id)).one()
    expected = _NOTHING if row.digest is None else ExpectedColumns(row.rows, row.digest, row.edits)
    return ColumnStatus(expected, row.now, row.stored, row.waiting)


def _expected_columns(state: WaveColumns) -> ExpectedColumns:
    return ExpectedColumns(state.rows, state.digest, state.edits)


def _update_columns(
    session: Session, wave: Wave, survey: Survey, site_dir: Path, expected: ExpectedColumns, edits: int
) -> tuple[Columns, list[str]]:
    """Update the columns and return them, with the ids of the pending responses that are now included."""
    # On PostgreSQL, responses may arrive between our statements. Only those read here are added and no longer pending.
    # A rebuilt wave has all responses that are not pending, and those read here.
    new = list(
        _stream_responses(
            session, _response_query(wave).join(PendingResponse, PendingResponse.response_id == Response.id)
        )
    )
    waiting = exists().where(PendingResponse.response_id == Response.id)

    def everything() -> Iterator[ResponseRow]:
        return _without_duplicates(
            merge(_stream_responses(session, _response_query(wave).where(~waiting)), new, key=attrgetter("id"))
        )

    columns = update_columns(columns_folder(site_dir, wave.id), survey, expected, edits, new, everything)
    return columns, [each.id for each in new]


def _without_duplicates(responses: Iterable[ResponseRow]) -> Iterator[ResponseRow]:
    """Yield responses in the order of their ids, without duplicates."""
    last = None
    for response in responses:
        if response.id != last:
            yield response
        last = response.id


def _response_query(wave: Wave) -> Select[str, str, str, str, str]:
    # In the order of their random ids, so that the order of arrival is not recorded.
    school = func.coalesce(Response.school_id, OTHER).label("school_id")
    query = select(Response.id, school, Response.language, Response.mode, Response.answers)
    return query.where(Response.wave_id == wave.id, is_counted()).order_by(Response.id)


def _stream_responses(session: Session, query: Select[str, str, str, str, str]) -> Iterator[ResponseRow]:
    for row in session.execute(query.execution_options(yield_per=BATCH)):
        yield ResponseRow(row.id, row.school_id, row.language, row.mode, row.answers)


def _delete_pending(session: Session, folded: list[str]) -> None:
    for start in range(0, len(folded), FORGOTTEN):
        session.execute(
            delete(PendingResponse).where(PendingResponse.response_id.in_(folded[start : start + FORGOTTEN]))
        )
    session.flush()
