"""Leases: of all workers of a site, one works on a thing at a time.

On PostgreSQL a lease is an advisory lock of a connection of its own. The server releases it when that connection ends,
however the worker died, so no clock decides. On SQLite one worker serves a site (its data directory is locked), and
nothing is leased.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

_TRY = text("select pg_try_advisory_lock(:kind, :name)")
_WAIT = text("select pg_advisory_lock(:kind, :name)")
_RELEASE = text("select pg_advisory_unlock(:kind, :name)")
_KIND = 490_617  # first number of these locks, so that they never meet others (see ONE_WRITER in storage/engine.py)


@contextmanager
def hold_lease(engine: Engine, name: str) -> Iterator[None]:
    """Hold the lease of this name, after waiting for whoever holds it. Raises DBAPIError if the database is away before
    it is held."""
    if engine.dialect.name != "postgresql":
        yield
        return
    with _open_connection(engine) as connection:
        connection.execute(_WAIT, _numbers(name))
        try:
            yield
        finally:
            _release(connection, name)


def is_lease_free(engine: Engine, name: str) -> bool:
    """Whether nobody holds the lease of this name now."""
    if engine.dialect.name != "postgresql":
        return True
    with _open_connection(engine) as connection:
        free = bool(connection.scalar(_TRY, _numbers(name)))
        if free:
            _release(connection, name)
        return free


@contextmanager
def _open_connection(engine: Engine) -> Iterator[Connection]:
    """A connection outside of any transaction: an open one would keep deleted rows in the tables."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


def _release(connection: Connection, name: str) -> None:
    try:
        connection.execute(_RELEASE, _numbers(name))
    except DBAPIError:  # the connection is lost, and the lease with it; the work is done
        connection.invalidate()


def _numbers(name: str) -> dict[str, Any]:
    """The two 32-bit numbers of the advisory lock. Two names rarely have the same ones; they only wait longer."""
    digest = hashlib.sha256(name.encode()).digest()
    return {"kind": _KIND, "name": int.from_bytes(digest[:4], "big", signed=True)}
