"""On PostgreSQL a row carries the number of the transaction that wrote it (xmin), and lies behind those written before
it (ctid). By these a family's question can be joined to the answers sent with it, whatever else was kept apart.

So all rows of a wave are written anew in one transaction, in the order of their random keys, whenever they carry more
than one such number; `erasure` then takes the old rows out of the files and puts the new ones in the same order. Rows
are only locked against changes, so families go on answering; what comes in meanwhile is written anew the next night.

SQLite has neither: its tables lie in the order of their keys (storage/models/base.py WITHOUT_ROWID).
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, LargeBinary, Table, Text, text

from engage.services.retention.erasure import LOCK, RetryPolicy, try_with_lock
from engage.storage.models.base import Base

LINKED = (
    *("responses", "unfolded", "response_links", "spent", "threads", "messages", "keyings", "sheets", "sheet_links"),
    "invitations",  # last: a family that uses its code waits until the transaction ends
)
"""The tables that something written with a response stands in."""
OWNERS = {"messages": ("thread_id", "threads"), "sheets": ("run_id", "print_runs")}
"""By table without a wave of its own: its column, and the table to whose ids that points."""


def _transaction_query(table: str) -> str:
    if table in OWNERS:
        column, owner = OWNERS[table]
        joined = f"{table} join {owner} on {owner}.id = {table}.{column}"
        return f"select {owner}.wave_id, {table}.xmin::text as number from {joined}"  # noqa: S608  our own names
    return f"select wave_id, xmin::text as number from {table}"  # noqa: S608  our own names


_JOINABLE = f"""
    select wave_id from ({" union ".join(map(_transaction_query, LINKED))}) as found
    group by wave_id having count(*) > 1 order by wave_id
"""  # noqa: S608  our own names


def rewrite_waves(engine: Engine, patience: RetryPolicy | None = None) -> tuple[int, str]:
    """Write anew what could be joined by the transaction that wrote it; returns how many waves, and what went wrong,
    empty if nothing did. Does nothing on SQLite."""
    if engine.dialect.name != "postgresql":
        return 0, ""
    patience, joinable = patience or RetryPolicy(), find_joinable_waves(engine)
    problems = {patience.until(_rewrite_attempt(engine, wave)) for wave in joinable}
    return len(joinable), "; ".join(sorted(problems - {""}))


def _rewrite_attempt(engine: Engine, wave: str) -> Callable[[], str]:
    return lambda: try_with_lock(lambda: _rewrite_wave(engine, wave))


def find_joinable_waves(engine: Engine) -> list[str]:
    """The waves whose rows carry more than one transaction's number."""
    with engine.connect() as connection:
        return list(connection.execute(text(_JOINABLE)).scalars())


def _rewrite_wave(engine: Engine, wave: str) -> str:
    with engine.begin() as connection:
        connection.execute(text(f"set local lock_timeout = {LOCK // 2}"))  # shorter than deadlock_timeout: others win
        connection.execute(text("select set_config('engage.wave', :wave, true)"), {"wave": wave})
        for table in LINKED:
            connection.execute(text(_rewrite_statement(Base.metadata.tables[table])))
    return ""


def _rewrite_statement(table: Table) -> str:
    """A statement that writes the rows anew one by one: an UPDATE of many goes through them in the order in which they
    lie, and so would the numbers that PostgreSQL gives to long values."""
    key = ", ".join(column.name for column in table.primary_key)
    same = " and ".join(f"{table.name}.{column.name} = found.{column.name}" for column in table.primary_key)
    values = (
        ", ".join(_value_expression(column) for column in table.columns if _is_long_column(column))
        or f"{key} = {table.name}.{key}"
    )
    keys = f"select {key} from {table.name} where {_wave_condition(table.name)} order by {key}"  # noqa: S608  our own names
    change = f"update {table.name} set {values} where {same}"  # noqa: S608  our own names
    return f"do $$ declare found record; begin for found in {keys} loop {change}; end loop; end $$"


def _wave_condition(table: str) -> str:
    in_wave = "wave_id = current_setting('engage.wave')"
    if table in OWNERS:
        column, owner = OWNERS[table]
        return f"{column} in (select id from {owner} where {in_wave})"  # noqa: S608  our own names
    return in_wave


def _is_long_column(column: Any) -> bool:
    return isinstance(column.type, Text | LargeBinary)


def _value_expression(column: Any) -> str:
    """A column's own value, as if it were a new one: a long value that is left alone keeps its old number."""
    empty = "''::bytea" if isinstance(column.type, LargeBinary) else "''"
    return f"{column.name} = {column.name} || {empty}"
