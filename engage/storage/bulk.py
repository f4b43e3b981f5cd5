"""One statement for many rows, compiled once: SQLAlchemy's own way takes longer for each row than SQLite does, and the
database is kept from other writers meanwhile."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection


class BulkStatement:
    """`names` are the statement's bindparams, in the order in which rows have their values; `flags` those of them that
    are yes or no and come from SQLite as 1 or 0."""

    def __init__(self, connection: Connection, statement: Any, names: Sequence[str], flags: Sequence[str] = ()) -> None:
        compiled = statement.compile(connection)
        self._connection, self._text, self._names = connection, str(compiled), tuple(names)
        self._order = [self._names.index(name) for name in compiled.positiontup] if compiled.positional else None
        self._flags = [self._names.index(name) for name in flags]

    def run(self, rows: Sequence[Sequence[Any]]) -> None:
        """Run it for each row."""
        if not rows:
            return
        values = [self._convert_flags(row) for row in rows] if self._flags else rows
        if self._order is None:
            self._connection.exec_driver_sql(self._text, [dict(zip(self._names, row, strict=True)) for row in values])
        else:
            self._connection.exec_driver_sql(self._text, [tuple([row[at] for at in self._order]) for row in values])

    def _convert_flags(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for at in self._flags:
            values[at] = None if values[at] is None else bool(values[at])
        return values
