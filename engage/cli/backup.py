"""`engage backup` and `engage restore`: copy the database to a file while the site runs, and restore such a file."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import click

from engage.base.config import BACKUP_FILE, SEALING_FILE, SECRET_FILE
from engage.base.files import replace_file, sync_path
from engage.cli.output_files import check_writable
from engage.cli.restore_audit import continue_audit_chain
from engage.services.site_database import read_settings, sqlite_file
from engage.storage.engine import MIGRATIONS, head

OURS = "backup and restore are for SQLite; with PostgreSQL use pg_dump -Fc and pg_restore"
PATIENCE = 10.0  # seconds to wait for a writer


class BackupProblem(Exception):
    """A backup file that cannot be written, or must not replace the database."""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
def backup(file: Path, force: bool) -> None:
    """Copy the database to FILE and check the copy. The site may keep running."""
    source, folder = _database_file(), read_settings().site_dir
    if not source.is_file():
        raise BackupProblem(f"there is no database at {source}")
    check_writable(file)
    if file.exists() and not force:
        raise BackupProblem(f"{file} already exists; use another name, or --force")
    copy_database(source, file)
    replace_file(folder / BACKUP_FILE, b"")  # /metrics shows its time
    click.echo(f"{file}: {file.stat().st_size:,} bytes, checked, at revision {read_revision(file)}.")
    click.echo(f"Also keep a copy of {folder / SECRET_FILE}, in another place: access codes and sign-in need it.")
    click.echo(f"Also keep a copy of {folder / SEALING_FILE}, there too: names, contacts, and email need it.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace an existing database; the old one is kept.")
def restore(file: Path, force: bool) -> None:
    """Replace the database with the backup FILE, after checking it. Stop the site first."""
    target = _database_file()
    _check_integrity(file)
    at = read_revision(file)
    if at not in {path.stem for path in (MIGRATIONS / "versions").glob("*.py")}:
        raise BackupProblem(f"{file} is at {at or 'no revision'}, which this version does not know; use a newer Engage")
    if target.exists() and not force:
        raise BackupProblem(f"there is a database at {target}; use --force to replace it (the old one is kept)")
    target.parent.mkdir(parents=True, exist_ok=True)
    _replace_database(file, target)
    click.echo(f"Restored {file}, at {at}." + ("" if at == head() else " Now run: engage db upgrade"))
    click.echo(continue_audit_chain(read_settings(), file.name))


def _replace_database(file: Path, target: Path) -> None:
    """Replace the database with a copy of the file. At every moment a complete database is in place, either the old or
    the new one."""
    new = target.with_name(target.name + ".new")
    new.unlink(missing_ok=True)
    try:
        if target.exists():
            _checkpoint_wal(target)
        copy_database(file, new)
        if target.exists():
            click.echo(f"The previous database was kept as {_keep_old_database(target)}.")
        new.replace(target)
        sync_path(target.parent)
    finally:
        new.unlink(missing_ok=True)


def copy_database(source: Path, target: Path) -> None:
    """Copy a database that may be in use into a new file that only its owner can read; the copy is complete or
    absent."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(_open_database(source)) as one, closing(sqlite3.connect(part)) as other:
            one.backup(other)  # in one step: with WAL it does not block writers, and writers do not restart it
            other.execute("PRAGMA journal_mode=DELETE")  # a single file without a -wal file
        _check_integrity(part)
        sync_path(part)
        part.rename(target)
        sync_path(target.parent)
    except OSError as problem:
        raise BackupProblem(f"{target} cannot be written: {problem.strerror}") from problem
    except sqlite3.Error as problem:
        raise BackupProblem(f"{source} could not be copied to {target}: {problem}") from problem
    finally:
        part.unlink(missing_ok=True)


def read_revision(file: Path) -> str | None:
    """The Alembic revision of a database file."""
    try:
        with closing(_open_database(file)) as connection:
            row = connection.execute("select version_num from alembic_version").fetchone()
    except sqlite3.Error:
        return None
    return str(row[0]) if row else None


def _open_database(file: Path, mode: str = "ro") -> sqlite3.Connection:
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode={mode}", uri=True, timeout=PATIENCE)


def _check_integrity(file: Path) -> None:
    try:
        with closing(_open_database(file)) as connection:
            results = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            lost = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as problem:
        raise BackupProblem(f"{file} is not a complete database: {problem}") from problem
    if results != ["ok"] or lost:
        what = f"rows of {lost[0]} refer to missing rows" if lost else "; ".join(results)
        raise BackupProblem(f"{file} is not a complete database: {what}")


def _checkpoint_wal(target: Path) -> None:
    """Write the write-ahead log into the database file. Raises BackupProblem if another process has the database
    open."""
    try:
        with closing(_open_database(target, "rw")) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError as problem:
        if "locked" in str(problem):
            raise BackupProblem(f"{target} is in use; stop the site first") from problem


def _keep_old_database(target: Path) -> Path:
    """Give the database a second name, under which it remains when another file replaces it."""
    _checkpoint_wal(target)
    number = 1
    while (old := target.with_name(f"{target.name}.old{number}")).exists():
        number += 1
    try:
        os.link(target, old)
    except OSError:  # a file system without hard links
        target.rename(old)
    for ending in ("-wal", "-shm"):  # left by a broken database: SQLite would apply them to the new one and damage it
        beside = target.with_name(target.name + ending)
        if beside.exists():
            beside.rename(old.with_name(old.name + ending))
    return old


def _database_file() -> Path:
    file = sqlite_file(read_settings())
    if file is None:
        raise BackupProblem(OURS)
    return file
