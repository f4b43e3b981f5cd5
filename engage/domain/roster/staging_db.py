"""The staging database: a private SQLite file with the data of the files and of the current roster, so that neither has
to fit into memory. It is as confidential as the roster itself, and is deleted with its folder."""

import json
import secrets
import shutil
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from engage.base.files import modification_time, sync_path, try_lock
from engage.domain.roster.grades import grade_rank
from engage.domain.roster.names import full_name
from engage.domain.roster.remarks import UNREAD, RowProblem, shorten_value

FOLDER = "rosters"  # in the site's directory
FILE = "stage.db"
CLAIM_FILE = "claimed"  # locked while the import is stored, so that one process stores it
LASTS = timedelta(days=1)  # how long a roster waits for confirmation
BATCH = 1000  # rows per batch
CACHE = -16_000  # KiB of pages in memory (negative: KiB, not pages)

SCHEMA = """
create table meta (name text primary key, value text) without rowid;
create table problems (file text, line integer, code text, value text, id text);
create table orgs (id text, line integer, gone integer, kind text, name text);
create table users (id text, line integer, gone integer, role text, main_org text, grade text, given text, family text,
    email text, phone text, agents integer, reads text, speaks text, language text, learner integer, disability integer,
    home text, number text);
create table user_orgs (user text, position integer, org text, line integer);
create table agents (user text, agent text, position integer, line integer);
create table roles (user text, line integer, gone integer, kind text, main integer, org text);
create table classes (id text, line integer, gone integer, kind text, title text, org text);
create index classes_id on classes (id);
create table enrollments (user text, school text, line integer, class text, state text, main integer);
create table traits (id text, line integer, gone integer, reads text, speaks text, language text, learner integer,
    disability integer);
create table languages (id text, line integer, what text, language text);
create table programs (student text, line integer, by_number integer, program text);
create table teachers (user text, line integer, org text);
create table refused (id text);
create table refused_orgs (id text);
create table unsure (user text);
create table gone_already (id text);

create table now_schools (id text primary key, name text, source text, active integer, teachers integer)
  without rowid;
create table now_students (id text primary key, school text, grade text, language text, learner integer,
    disability integer, name text, class text) without rowid;
create table now_guardians (id text primary key, reads text, speaks text, home text, contact text) without rowid;
create table now_links (student text, guardian text, position integer, primary key (student, guardian)) without rowid;
create table now_households (id text primary key, school text, language text, speaks text, greeting text) without rowid;
create table now_members (kind text, member text, household text, primary key (kind, member, household)) without rowid;
"""


class StagingDb:
    """The staging database of one roster import."""

    def __init__(self, file: Path) -> None:
        """Open the database in `file`, and create it if it does not exist."""
        self.file = file
        is_new = not file.exists()
        self.sql = sqlite3.connect(file, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size={CACHE}", "secure_delete=OFF"):
            self.sql.execute(f"pragma {pragma}")
        self.sql.create_function("shown", 1, shorten_value, deterministic=True)
        self.sql.create_function("rank", 1, grade_rank, deterministic=True)
        self.sql.create_function("contact", 4, merge_contact, deterministic=True)
        self.sql.create_function("full_name", 3, full_name, deterministic=True)
        if is_new:
            self.sql.executescript(SCHEMA)

    def __enter__(self) -> "StagingDb":
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.sql.close()

    def put(self, table: str, rows: Iterable[Sequence[Any]]) -> int:
        """Add rows to a table; returns their number."""
        total, marks = 0, None
        for batch in batches(rows):
            marks = marks or f"insert into {table} values ({', '.join('?' * len(batch[0]))})"  # noqa: S608  our own tables\' names
            self.sql.executemany(marks, batch)
            total += len(batch)
        return total

    def run(self, statements: str, **values: Any) -> None:
        """Run several statements, each with the named values it uses."""
        for statement in statements.split(";"):
            if statement.strip():
                self.sql.execute(statement, values)

    def all(self, query: str, *values: Any) -> Iterator[Any]:
        """Yield the rows of a query."""
        return iter(self.sql.execute(query, values))

    def one(self, query: str, *values: Any) -> Any:
        """Return the first value of a query's first row; None if there is none."""
        row = self.sql.execute(query, values).fetchone()
        return row[0] if row else None

    def keep(self, name: str, value: Any) -> None:
        """Store a value under a name, as JSON."""
        self.sql.execute("insert or replace into meta values (?, ?)", (name, json.dumps(value)))

    def size(self, table: str) -> int:
        """Return the number of rows of a table."""
        return int(self.one(f"select count(*) from {table}"))  # noqa: S608  our own tables' names

    def stored_value(self, name: str) -> Any:
        """Return the value stored under a name; None if there is none."""
        value = self.one("select value from meta where name = ?", name)
        return None if value is None else json.loads(value)

    def problem(self, file: str, line: int, code: str, value: str = "", id: str = "") -> None:
        """Report that a row, or part of one, is not used. `id` is the sourcedId it concerns."""
        row = file, line, code, shorten_value(value), shorten_value(id)
        self.sql.execute("insert into problems values (?, ?, ?, ?, ?)", row)

    def problems(self, most: int = -1) -> Iterator[RowProblem]:
        """Yield the reported problems by file and line."""
        rows = self.all("select file, line, code, value, id from problems order by file, line, code limit ?", most)
        return (RowProblem(*row) for row in rows)

    @property
    def unread(self) -> set[str]:
        """The files with a row that could not be read."""
        marks = ", ".join("?" * len(UNREAD))
        rows = self.all(f"select distinct file from problems where code in ({marks})", *UNREAD)  # noqa: S608  marks
        return {row[0] for row in rows}


def merge_contact(before: str | None, name: str | None, email: str | None, phone: str | None) -> str | None:
    """Return a guardian's contact as JSON, with previous values for missing parts; None if there is nothing."""
    contact: dict[str, str] = json.loads(before) if before else {}
    contact |= {key: text for key, text in (("name", name), ("email", email), ("phone", phone)) if text is not None}
    filled = {key: each for key, each in contact.items() if each}
    return json.dumps(filled, ensure_ascii=False, sort_keys=True) if filled else None


def batches(rows: Iterable[Any], size: int = BATCH) -> Iterator[list[Any]]:
    """Yield the rows in lists of at most `size`."""
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


def new_folder(site_dir: Path) -> Path:
    """Create a folder for one roster, with a random name, accessible to its owner only."""
    shelf = site_dir / FOLDER
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = shelf / secrets.token_hex(16)
    folder.mkdir(mode=0o700)
    return folder


def find_folder(site_dir: Path, token: str) -> Path | None:
    """Return the folder with this name; None if there is none."""
    if len(token) != 32 or not set(token) <= set("0123456789abcdef"):
        return None
    folder = site_dir / FOLDER / token
    return folder if (folder / FILE).is_file() else None


def delete_folder(folder: Path) -> None:
    """Delete a roster's folder and its content."""
    shutil.rmtree(folder, ignore_errors=True)


def claim_folder(folder: Path) -> AbstractContextManager[bool]:
    """Hold the folder's lock (`files.try_lock`)."""
    return try_lock(folder / CLAIM_FILE)


def sync_folder(folder: Path) -> None:
    """Write the staging database to disk, so that an import can continue after a power failure. Raises OSError."""
    for each in (folder / FILE, folder, folder.parent):
        sync_path(each)


def delete_stale_folders(site_dir: Path, now: datetime, needed: Collection[str]) -> int:
    """Delete rosters that were not confirmed within a day; returns their number. The folders with the names `needed`
    stay: an import is being stored from one, or an automatic update waits longer."""
    old = find_stale_folders(site_dir, now, needed)
    for each in old:
        delete_folder(each)
    return len(old)


def find_stale_folders(site_dir: Path, now: datetime, needed: Collection[str]) -> list[Path]:
    """Return the folders of rosters that were not confirmed within a day."""
    modified = {each: modification_time(each) for each in (site_dir / FOLDER).glob("*") if each.name not in needed}
    return [each for each, at in modified.items() if at is not None and now - at > LASTS]
