"""Rewriting of rows on PostgreSQL, where a row has the number of the transaction that wrote it (xmin), and is stored
after those written before it (ctid). These could link a family's question to the answers sent with it, although the
tables have no link.

Therefore all rows of a wave are rewritten in one transaction, in the order of their random keys, if they have more than
one such number; `erasure` then removes the old rows from the files and puts the new ones in the same order. Rows are
only locked against changes, so families can still answer; answers received meanwhile are rewritten the next night.

SQLite has neither: its tables are in the order of their keys (storage/models/base.py WITHOUT_ROWID).
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
"""The tables with rows written in the same transaction as a response."""
OWNERS = {"messages": ("thread_id", "threads"), "sheets": ("run_id", "print_runs")}
"""For tables without a wave column: the foreign key column, and its table."""


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
    """Rewrite waves whose rows could be linked by their transaction. Returns how many, and the problem, empty if there
    was none. Does nothing on SQLite."""
    if engine.dialect.name != "postgresql":
        return 0, ""
    patience, joinable = patience or RetryPolicy(), find_joinable_waves(engine)
    problems = {patience.until(_rewrite_attempt(engine, wave)) for wave in joinable}
    return len(joinable), "; ".join(sorted(problems - {""}))


def _rewrite_attempt(engine: Engine, wave: str) -> Callable[[], str]:
    return lambda: try_with_lock(lambda: _rewrite_wave(engine, wave))


def find_joinable_waves(engine: Engine) -> list[str]:
    """The waves whose rows have more than one transaction number."""
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
    """A statement that rewrites the rows one by one: an UPDATE of many rows would process them in storage order, and so
    would the numbers that PostgreSQL assigns to long values."""
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
    """A column's own value as a new value: an unchanged long value would keep its old number."""
    empty = "''::bytea" if isinstance(column.type, LargeBinary) else "''"
    return f"{column.name} = {column.name} || {empty}"
