"""Group commit: many small writes share one fsync, and none is acknowledged before it is on disk."""

import contextvars
import os
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection, Engine, Pool

from engage.base.measurements import recorder

T = TypeVar("T")

MOST = 64  # writes in one transaction; measured: more gains nothing and makes other processes wait


class CommitFailed(Exception):
    """The commit failed. Nothing of the work is stored, and it may be tried again."""


class _PendingWrite(Generic[T]):
    """A queued write, and afterwards its result or its exception."""

    __slots__ = ("done", "failure", "result", "work")

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.work = work
        self.done = False
        self.failure: BaseException | None = None
        self.result: T | None = None

    def attempt(self, connection: Connection) -> bool:
        """Do the work. Returns whether it succeeded."""
        try:
            # An empty context: the committing thread may be serving another family's request, and work that used "the
            # current request" would get that one. Here it finds none and fails at once, in tests too.
            self.result = contextvars.Context().run(self.work, connection)
        except BaseException as problem:
            self.failure = problem
        return self.failure is None

    def answer(self) -> T:
        """Return the result, or raise the exception of the work."""
        if self.failure is not None:
            raise self.failure
        return cast(T, self.result)


class GroupWriter:
    """Commits writes in groups: those queued during one commit are committed together in the next.

    The thread that holds the lock commits for all queued writes, so a single write needs no switch of threads.
    """

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
        """Run `work(connection)`, commit, and return its result.

        `work` must neither commit nor roll back, and must capture its values: it has no access to the request. An
        exception of `work` undoes only its own writes. Raises CommitFailed if the transaction could not be committed.
        """
        began = time.perf_counter()
        try:
            return self._run_grouped(work) if self._grouped else self._run_alone(work)
        finally:
            recorder().record_write(time.perf_counter() - began)

    def _run_alone(self, work: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return contextvars.Context().run(work, connection)

    def _run_grouped(self, work: Callable[[Connection], T]) -> T:
        deed = _PendingWrite(work)
        self._waiting.append(deed)
        with self._turn:
            while not deed.done:
                self._commit([self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))])
        return deed.answer()

    def stop(self) -> None:
        """Close the connection after the current write. A later `run` opens it again."""
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
        # After a fork, SQLite connections of the parent must be neither used nor closed: keep a reference, open new
        # ones.
        self._inherited.append((self._connection, self._engine.pool))
        self._engine.dispose(close=False)
        self._begin_anew()


class _RollBack(Exception):
    """The only write of the transaction failed, so roll back. The write itself stores its exception."""


def _attempt_all(deeds: list[_PendingWrite[Any]], connection: Connection) -> None:
    if len(deeds) == 1:
        if not deeds[0].attempt(connection):
            raise _RollBack
        return
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    for deed in deeds:
        driver.execute("SAVEPOINT deed")
        if not deed.attempt(connection):
            driver.execute("ROLLBACK TO deed")  # fails if SQLite aborted the whole transaction, as on a full disk
        driver.execute("RELEASE deed")


_writers: weakref.WeakSet[GroupWriter] = weakref.WeakSet()


def _reset_after_fork() -> None:
    for writer in _writers:
        writer._after_fork()


os.register_at_fork(after_in_child=_reset_after_fork)
