"""What an engine runs: its SQL statements, and for each write transaction how long it was open and what it ran."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event


@dataclass(slots=True)
class WriteTransaction:
    """A write transaction: seconds for which it was open, and its statements."""

    seconds: float = 0.0
    statements: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Log:
    """What ran: all statements, and the write transactions that have ended. `is_writing` while one is open."""

    statements: list[str] = field(default_factory=list)
    writes: list[WriteTransaction] = field(default_factory=list)
    open: dict[int, tuple[float, WriteTransaction]] = field(default_factory=dict)

    @property
    def is_writing(self) -> bool:
        """Whether a write transaction is open."""
        return bool(self.open)

    @property
    def longest(self) -> WriteTransaction:
        """The write transaction that was open longest; an empty one if there was none."""
        return max(self.writes, key=lambda each: each.seconds, default=WriteTransaction())


@contextmanager
def watched(engine: Engine) -> Iterator[Log]:
    """Log what an engine runs. On SQLite, a transaction counts from the moment when it has the write lock."""
    log = Log()

    def begins(connection: Connection) -> None:
        if not connection.get_execution_options().get("reads"):
            log.open[id(connection)] = time.perf_counter(), WriteTransaction()

    def runs(connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        log.statements.append(statement)
        if id(connection) in log.open:
            log.open[id(connection)][1].statements.append(statement)

    def ends(connection: Connection) -> None:
        if began := log.open.pop(id(connection), None):
            began[1].seconds = time.perf_counter() - began[0]
            log.writes.append(began[1])

    listeners = [("begin", begins), ("before_cursor_execute", runs), ("commit", ends), ("rollback", ends)]
    for name, each in listeners:
        event.listen(engine, name, each)
    try:
        yield log
    finally:
        for name, each in listeners:
            event.remove(engine, name, each)
