"""`engage keys`: reseal names, emails, and sheet labels under a new key in batches; an interrupted run continues."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine, bindparam, inspect, select, text, update

from engage.base.config import Settings
from engage.base.files import replace_file, sync_path
from engage.domain.roster import staging_db
from engage.domain.roster.import_state import require_complete_roster
from engage.domain.roster.names import NAMED
from engage.domain.security import encryption
from engage.domain.security.audit_anchor import record_cli_event
from engage.domain.security.encryption import SealBroken, Sealer, key_file, new_key
from engage.services.retention.erasure import erase_deleted_rows
from engage.services.site_database import open_database, read_settings
from engage.storage.engine import pause_after, read_session, write_session
from engage.storage.models.mail import Mail
from engage.storage.models.paper import SheetLink

SEALED: tuple[Any, ...] = (*NAMED, Mail.sealed, SheetLink.label)
"""Every column that is sealed under the site's keys."""
BATCH = 500  # rows per transaction: families' answers wait no longer than this
SHARED_PAUSE = 60.0  # seconds after which each machine knows of a changed file on NFS (acregmax, acdirmax of nfs(5))
NO_KEY = "their key is missing; add it after the others in the file sealing-keys, and run this command again"


class MissingSealingKey(Exception):
    """Rows that none of the available keys opens; the message says how many, where, and what to do."""


@click.group()
def keys() -> None:
    """Reseal names, emails, and sheet labels under a new key."""


@keys.command("rotate")
@click.option("--drop-old", is_flag=True, help="Delete the older keys when nothing needs them any longer.")
def rotate(drop_old: bool) -> None:
    """Create a new key and reseal everything under it. The site may keep running: it reads the new key by itself. If
    ENGAGE_SEALING_KEYS is set, put the new key first there, and restart the site."""
    settings, now = read_settings(), datetime.now(UTC)
    if drop_old and any((settings.site_dir / staging_db.FOLDER).glob("*")):
        raise click.ClickException(
            "an uploaded roster that is not confirmed is encrypted under an older key; confirm or discard it first"
        )
    with open_database(settings) as engine:
        with read_session(engine) as session:
            require_complete_roster(session)  # its names are encrypted under an older key until they are stored
        all_keys = _prepare_keys(settings, engine)
        if drop_old and settings.shared_dir:
            click.echo(f"Waiting {SHARED_PAUSE:.0f} seconds, so that every machine uses the new key …")
            time.sleep(SHARED_PAUSE)
        sealer = Sealer(all_keys)
        done = {_column_name(column): _reseal_column(engine, column, sealer) for column in SEALED}
        if dropped := (len(all_keys) - 1 if drop_old else 0):
            _drop_old_keys(settings, engine, all_keys)
        with write_session(engine) as session:
            record_cli_event(session, settings, now, "rotate keys", "", dropped=dropped, **done)
            session.commit()
        problem = erase_deleted_rows(engine)
    _print_result(settings, done, len(all_keys) - 1, drop_old)
    if problem:
        raise click.ClickException(f"everything is encrypted under the newest key, but {problem}")


def _prepare_keys(settings: Settings, engine: Engine) -> list[str]:
    """The keys to work with, a new one first, unless the last rotation was not finished."""
    keys = encryption.load_keys(settings)
    if settings.sealing_keys:
        return keys
    if len(keys) > 1 and not _is_resealed(engine, Sealer(keys)):
        click.echo("Continuing an interrupted rotation with the key that it created.")
        return keys
    keys = [new_key(), *keys]
    _write_key_file(key_file(settings), keys)
    return keys


def _reseal_column(engine: Engine, column: Any, sealer: Sealer) -> int:
    """Reseal a column. Returns how many rows were not under the newest key. Raises MissingSealingKey."""
    last, changed, locked = "", 0, 0
    while True:
        with read_session(engine) as session:
            rows = session.execute(_select_batch(column, last)).all()
        resealed, broken = _reseal_rows(rows, sealer)
        locked += broken
        changed += len(resealed)
        if resealed:
            _write_pausing(engine, column, resealed)
        if len(rows) < BATCH:
            break
        last = rows[-1].id
    if locked:
        raise MissingSealingKey(f"{locked:,} rows of {_column_name(column)} cannot be decrypted: {NO_KEY}")
    return changed


def _reseal_rows(rows: Sequence[Any], sealer: Sealer) -> tuple[list[dict[str, Any]], int]:
    """The rows that were not under the newest key, with their old and new values; and how many no key opens."""
    resealed, broken = [], 0
    for id, sealed in rows:
        try:
            new = sealer.reseal(sealed)
        except SealBroken:
            broken += 1
            continue
        if new is not sealed:
            resealed.append({"row": id, "old": sealed, "new": new})
    return resealed, broken


def _write_pausing(engine: Engine, column: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Write new values in one short transaction, then wait for as long as it took: families wait for it, and the next
    one must not begin before they had their turn. A value that changed since it was read is not written; whoever wrote
    it used the newest key."""
    same = _primary_key(column) == bindparam("row"), column == bindparam("old")
    change = update(column.class_.__table__).where(*same).values({column.key: bindparam("new")})
    with write_session(engine) as session:
        session.connection()
        began = time.monotonic()
        session.connection().execute(change, rows)
        session.commit()
    pause_after(time.monotonic() - began, least=0)  # the next rows are read and resealed first


def _select_batch(column: Any, after: str) -> Any:
    id = _primary_key(column)
    return (
        select(id.label("id"), column).where(id > after, column.is_not(None), column != b"").order_by(id).limit(BATCH)
    )


def _drop_old_keys(settings: Settings, engine: Engine, keys: Sequence[str]) -> None:
    """Delete all keys but the newest, after waiting for transactions that began with an old key and resealing their
    rows."""
    for column in SEALED:
        _await_writers(engine, column)
        _reseal_column(engine, column, Sealer(keys))
    if not _is_resealed(engine, Sealer(keys[:1])):
        raise MissingSealingKey(
            "some rows still need an older key, so no key was deleted; restart the site and run this command again"
        )
    if not settings.sealing_keys:
        _write_key_file(key_file(settings), keys[:1])


def _await_writers(engine: Engine, column: Any) -> None:
    """Wait for running transactions. SQLite has one writer, so the next transaction waits by itself."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text(f"lock table {column.class_.__tablename__} in share row exclusive mode"))


def _is_resealed(engine: Engine, sealer: Sealer) -> bool:
    return all(sealer.newest(sealed) for column in SEALED for sealed in _iter_sealed_values(engine, column))


def _iter_sealed_values(engine: Engine, column: Any) -> Iterator[bytes]:
    last = ""
    while True:
        with read_session(engine) as session:
            rows = session.execute(_select_batch(column, last)).all()
        yield from (sealed for _, sealed in rows)
        if len(rows) < BATCH:
            return
        last = rows[-1].id


def _write_key_file(path: Path, keys: Sequence[str]) -> None:
    """Replace the key file, readable only by its owner; it is complete at every moment."""
    replace_file(path, "".join(f"{key}\n" for key in keys).encode())
    sync_path(path.parent)  # a key lost in a power failure would make everything sealed under it unreadable


def _primary_key(column: Any) -> Any:
    """The primary key of a column's table."""
    return inspect(column.class_).primary_key[0]


def _column_name(column: Any) -> str:
    return f"{column.class_.__tablename__}.{column.key}"


def _print_result(settings: Settings, done: dict[str, int], older: int, dropped: bool) -> None:
    for name, number in done.items():
        click.echo(f"{name:22}  {number:>9,} re-encrypted")
    if settings.sealing_keys:
        click.echo("Everything is encrypted under the first key of ENGAGE_SEALING_KEYS. You can remove the others now.")
    elif dropped:
        click.echo(f"Older keys deleted: {older}. Keep a copy of {key_file(settings)} apart from the backups.")
    else:
        click.echo(f"{key_file(settings)} has the new key and {older} older, which existing backups need.")
        click.echo("When those backups are deleted, remove the older keys: engage keys rotate --drop-old")
