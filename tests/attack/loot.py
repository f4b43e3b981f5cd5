"""What an attacker has: the whole database, all its earlier states, and the list of codes, but not the site's key."""

import hashlib
import hmac
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from engage.domain.security.access_codes import ALPHABET, format_access_code
from tests.attack.pages import Commit, Value, record

GUESSES = (b"", b"engage", b"spent codes", b"access codes", b"drafts", b"secret")  # keys to guess


@dataclass(frozen=True)
class Invited:
    """One line of the list of codes, with the digest in its row of the database (the attacker may know that too)."""

    code: str
    digest: str
    school: str
    language: str


@dataclass
class Loot:
    """All data. `listed` is in the order in which the codes were handed out; `tables` are rows by column."""

    listed: Sequence[Invited]
    tables: dict[str, list[dict[str, Value]]]
    commits: Sequence[Commit]
    pages: dict[int, bytes]
    wave: dict[str, Value]
    backups: Sequence[dict[str, list[dict[str, Value]]]] = field(default_factory=list)

    @property
    def responses(self) -> list[dict[str, Value]]:
        """Return the responses by id."""
        return sorted(self.tables["responses"], key=lambda row: str(row["id"]))

    @cached_property
    def stratum(self) -> dict[str, list[int]]:
        """Return, for each response, the invitations with the same school and language."""
        return {
            str(row["id"]): [
                number
                for number, one in enumerate(self.listed)
                if row["school_id"] in (None, one.school) and row["language"] in (one.language, "mul")
            ]
            for row in self.responses
        }

    @cached_property
    def commit_of(self) -> dict[str, Commit]:
        """Return the commit of each response, located by its id in the write-ahead log."""
        found = {}
        for commit in self.commits:
            new = {value for cell in commit.came for value in record(cell)[:1] if isinstance(value, str)}
            for row in self.responses:
                if row["id"] in new:
                    found.setdefault(str(row["id"]), commit)
        return found

    @cached_property
    def values_of(self) -> dict[str, set[str]]:
        """Return, for each response, all text and bytes (as hex) that were added or removed in its commit."""
        return {id: _values([*commit.came, *commit.went]) for id, commit in self.commit_of.items()}

    @cached_property
    def marks(self) -> list[set[str]]:
        """Return, for each invitation, everything that could identify it: its code, its digest, and digests of both
        under every guessable key."""
        salt = str(self.wave.get("burn_salt") or "")
        keys = [*GUESSES, str(self.wave["id"]).encode(), salt.encode(), bytes.fromhex(salt)]
        keys += [hmac.digest(key, salt.encode(), hashlib.sha256) for key in keys]
        return [_marks(one, keys) for one in self.listed]


def _marks(one: Invited, keys: Sequence[bytes]) -> set[str]:
    found = {one.code, one.digest, format_access_code(one.code)}
    for word in (one.code, format_access_code(one.code), one.code.lower(), one.digest):
        found.add(hashlib.sha256(word.encode()).hexdigest())
        for key in keys:
            found.add(hmac.digest(key, word.encode(), hashlib.sha256).hex())
            found.add(hashlib.sha256(key + word.encode()).hexdigest())
    return found


def _values(cells: Iterable[bytes]) -> set[str]:
    found: set[str] = set()
    for cell in cells:
        for value in record(cell):
            if isinstance(value, bytes):
                found |= {value.hex(), value.decode(errors="ignore")}
            elif isinstance(value, str):
                found.add(value)
    return found


def tables(path: Path) -> dict[str, list[dict[str, Value]]]:
    """Return every row of a database file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        return {name: [dict(row) for row in connection.execute(f'select * from "{name}"')] for name in names}


def number(code: str) -> int:
    """Return a code as a number, for measuring distances."""
    total = 0
    for symbol in code:
        total = total * len(ALPHABET) + ALPHABET.index(symbol)
    return total
