"""What every test would do again with the same result, done once in each process: half of the suite's time.

Only how long things take is changed: addresses are compiled by Werkzeug and statements by SQLAlchemy as ever, once for
all the sites that the tests build; passwords and reply codes are hashed as ever, with little memory."""

import hashlib
import pickle
from collections.abc import Callable
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from engage.domain.security import access_codes, passwords
from engage.domain.summaries.release_history import Released, release_figures

REAL_PASSWORDS = (passwords.PASSES, passwords.MEMORY, passwords.LANES)
REAL_REPLY_CODES = (access_codes.ARGON2_PASSES, access_codes.ARGON2_MEMORY, access_codes.ARGON2_LANES)
LITTLE = 8  # KiB, the least that Argon2 takes
STATEMENTS_MOST = 5000  # compiled and kept


def install() -> None:
    """Do so from now on in this process."""
    _hash_quickly()
    _share_rules()
    _share_statements()


def _hash_quickly() -> None:
    passwords.PASSES = access_codes.ARGON2_PASSES = 1
    passwords.MEMORY = access_codes.ARGON2_MEMORY = LITTLE
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=LITTLE, parallelism=1, hash_len=32, salt_len=16)


def _share_rules() -> None:
    """A rule's builder is code made from its parts alone; it reads converters from the rule that calls it."""
    build = Rule._compile_builder
    made: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}

    def compile_builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:
            return build(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in made:
            made[key] = build(rule, append_unknown)
        return made[key]

    Rule._compile_builder = compile_builder  # type: ignore[method-assign]


def _share_statements() -> None:
    """Statements are compiled for a kind of database, and kept for all engines of that kind."""
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
        dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    shared: LRUCache[Any, Any] = LRUCache(STATEMENTS_MOST)
    Engine._compiled_cache = property(lambda _engine: shared, lambda _engine, _own: None)  # type: ignore[assignment]


_released: dict[bytes, bytes] = {}


def release_figures_once(*arguments: Any, **named: Any) -> Released:
    """`release_figures`; the same counts are suppressed once. For tests of pages that show one district's answers, not
    for those that compare figures."""
    key = hashlib.sha256(pickle.dumps((arguments, named))).digest()
    if key not in _released:
        _released[key] = pickle.dumps(release_figures(*arguments, **named))
    found: Released = pickle.loads(_released[key])
    return found
