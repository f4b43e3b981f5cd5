"""Caching of results that are the same in every test, once per process, which saves half of the suite's time.

It changes only how long things take. Werkzeug compiles URLs and SQLAlchemy compiles statements as usual, but once for
all sites that the tests build. Passwords and reply codes are hashed as usual, with little memory.
"""

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
LITTLE = 8  # KiB, the minimum of Argon2
STATEMENTS_MOST = 5000  # compiled and cached


def install() -> None:
    """Install the caches in this process."""
    _hash_quickly()
    _share_rules()
    _share_statements()


def _hash_quickly() -> None:
    passwords.PASSES = access_codes.ARGON2_PASSES = 1
    passwords.MEMORY = access_codes.ARGON2_MEMORY = LITTLE
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=LITTLE, parallelism=1, hash_len=32, salt_len=16)


def _share_rules() -> None:
    """Share the code that Werkzeug compiles per rule. It depends on the parts of the rule only, and gets converters
    from the rule that calls it."""
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
    """Share compiled statements between all engines of the same dialect."""
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
        dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    shared: LRUCache[Any, Any] = LRUCache(STATEMENTS_MOST)
    Engine._compiled_cache = property(lambda _engine: shared, lambda _engine, _own: None)  # type: ignore[assignment]


_released: dict[bytes, bytes] = {}


def release_figures_once(*arguments: Any) -> Released:
    """Call `release_figures`, cached by counts, without progress. For tests of pages that show one district's answers,
    not for those that compare figures."""
    about = arguments[:5]
    key = hashlib.sha256(pickle.dumps(about)).digest()
    if key not in _released:
        _released[key] = pickle.dumps(release_figures(*about))
    found: Released = pickle.loads(_released[key])
    return found
