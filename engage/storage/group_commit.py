"""Many small writes share one fsync, and none is acknowledged before it is on the disk."""

import contextvars
import os
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection, Engine, Pool

T = TypeVar("T")

MOST = 64  # deeds in one transaction; measured: more gains nothing and keeps other processes waiting


class CommitFailed(Exception):
    """The commit failed: nothing of the work is stored, and it may be tried again."""


class _PendingWrite(Generic[T]):
    """A write that waits for its turn, then holds its result or its failure."""

    __slots__ = ("done", "failure", "result", "work")

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.work = work
        self.done = False
        self.failure: BaseException | None = None
        self.result: T | None = None

    def attempt(self, connection: Connection) -> bool:
        """Do the work; whether it went well."""
        try:
            # An empty context: the thread that commits may serve another family's page, and work that looked at "the
            # current request" would find that family's. Here it finds none and fails at once, in tests too.
            self.result = contextvars.Context().run(self.work, connection)
        except BaseException as problem:
            self.failure = problem
        return self.failure is None

    def answer(self) -> T:
        """The result, or the failure raised."""
        if self.failure is not None:
            raise self.failure
        return cast(T, self.result)


class GroupWriter:
    """Deeds that wait while another transaction reaches the disk are committed together after it. Whoever gets the
    turn commits for all who wait, so a lone deed costs no change of thread."""

    _turn: threading.Lock
    _waiting: deque[_PendingWrite[Any]]
    _connection: Connection | None

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._grouped = engine.dialect.name == "sqlite"  # PostgreSQL groups commits itself
        self._inherited: list[tuple[Connection | None, Pool]] = []
        self._begin_anew()
        _writers.add(self)

    def run(self, work: Callable[[Connection], T]) -> T:
        """What `work(connection)` returns, after it is committed. `work` must neither commit nor roll back, and takes
        what it needs as values: it sees no request. An exception from `work` undoes its own writes only.
        Raises CommitFailed where the transaction could not be kept."""
        if not self._grouped:
            with self._engine.begin() as connection:
                return contextvars.Context().run(work, connection)
        deed = _PendingWrite(work)
        self._waiting.append(deed)
        with self._turn:
            while not deed.done:
                self._commit([self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))])
        return deed.answer()

    def stop(self) -> None:
        """Close the connection when the deed in hand is done. A later `run` opens it again."""
        with self._turn:
            self._hang_up()

    def _commit(self, deeds: list[_PendingWrite[Any]]) -> None:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            with self._connection.begin():
                _attempt_all(deeds, self._connection)
        except _RollBack:
            pass
        except BaseException as problem:
            for deed in deeds:
                deed.failure = CommitFailed(f"the database did not keep it ({problem}); try again")
                deed.failure.__cause__ = problem
            self._hang_up()
            if not isinstance(problem, Exception):
                raise
        finally:
            for deed in deeds:
                deed.done = True

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _begin_anew(self) -> None:
        self._turn = threading.Lock()
        self._waiting = deque()
        self._connection = None

    def _after_fork(self) -> None:
        # SQLite connections must be neither used nor closed on the other side of a fork: keep them, open new ones.
        self._inherited.append((self._connection, self._engine.pool))
        self._engine.dispose(close=False)
        self._begin_anew()


class _RollBack(Exception):
    """The only deed of the transaction failed: roll it back. The deed itself holds why."""


def _attempt_all(deeds: list[_PendingWrite[Any]], connection: Connection) -> None:
    if len(deeds) == 1:
        if not deeds[0].attempt(connection):
            raise _RollBack
        return
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    for deed in deeds:
        driver.execute("SAVEPOINT deed")
        if not deed.attempt(connection):
            driver.execute("ROLLBACK TO deed")  # fails where SQLite gave up the whole transaction, as on a full disk
        driver.execute("RELEASE deed")


_writers: weakref.WeakSet[GroupWriter] = weakref.WeakSet()


def _reset_after_fork() -> None:
    for writer in _writers:
        writer._after_fork()


os.register_at_fork(after_in_child=_reset_after_fork)
