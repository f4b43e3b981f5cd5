"""Seal contacts and letters under a new key, batch by batch; killed in between, it goes on where it stopped."""

import os
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine, inspect, select, text, update

from engage.base.config import Settings
from engage.domain.roster import staging_db
from engage.domain.roster.anonymize import NAMED
from engage.domain.security import encryption
from engage.domain.security.encryption import SealBroken, Sealer, key_file, new_key
from engage.services.command_audit import audited
from engage.services.retention.erasure import erase
from engage.services.site_database import database, settings
from engage.storage.engine import reading, writing
from engage.storage.models.mail import Mail
from engage.storage.models.paper import SheetLink

SEALED: tuple[Any, ...] = (*NAMED, Mail.sealed, SheetLink.label)
"""Every column that is sealed under the site's keys."""
BATCH = 500  # rows in one transaction: families' answers wait for no more
OPENS = "the key that opens them is not at hand; put it back behind the others, in {place}, and run this again"


class NotOpened(Exception):
    """Rows that no key at hand opens; the message says how many, where, and what to do."""


@click.group()
def keys() -> None:
    """Seal contacts and letters under a new key."""


@keys.command("rotate")
@click.option("--drop-old", is_flag=True, help="Forget the older keys once everything opens with the newest alone.")
def rotate(drop_old: bool) -> None:
    """Make a new key and seal everything again under it. The site may go on working: it reads the new key by itself.
    With ENGAGE_SEALING_KEYS set, put the new key in front there first, and start the site anew."""
    found, now = settings(), datetime.now(UTC)
    if drop_old and any((found.data_dir / staging_db.FOLDER).glob("*")):
        raise click.ClickException(
            "a roster waits to be confirmed, sealed under an older key; confirm it or give it up"
        )
    with database(found) as engine:
        known = _newest_first(found, engine)
        sealer = Sealer(known)
        done = {_name(column): _again(engine, column, sealer) for column in SEALED}
        if dropped := (len(known) - 1 if drop_old else 0):
            _drop(found, engine, known)
        with writing(engine) as session:
            audited(session, found, now, "rotate keys", "", dropped=dropped, **done)
            session.commit()
        problem = erase(engine)
    _say(found, done, len(known) - 1, drop_old)
    if problem:
        raise click.ClickException(f"what was sealed under older keys is gone, but {problem}")


def _newest_first(found: Settings, engine: Engine) -> list[str]:
    """The keys to work with: with a new one in front, unless the last rotation was not finished."""
    known = encryption.keys(found)
    if found.sealing_keys:
        return known
    if len(known) > 1 and not _all_newest(engine, Sealer(known)):
        click.echo("A rotation that was begun is finished now, under the key it made.")
        return known
    known = [new_key(), *known]
    _keep(key_file(found), known)
    return known


def _again(engine: Engine, column: Any, sealer: Sealer) -> int:
    """Seal a column anew; returns how many rows were not under the newest key. Raises NotOpened."""
    last, changed, locked = "", 0, 0
    while True:
        with writing(engine) as session:
            rows = session.execute(_batch(column, last).with_for_update()).all()
            for id, sealed in rows:
                try:
                    again = sealer.again(sealed)
                except SealBroken:
                    locked += 1
                    continue
                if again is not sealed:
                    session.execute(update(column.class_).where(_id(column) == id).values({column.key: again}))
                    changed += 1
            session.commit()
        if len(rows) < BATCH:
            break
        last = rows[-1].id
    if locked:
        raise NotOpened(
            f"{locked:,} rows of {_name(column)} stay closed: {OPENS.format(place='DATA_DIR/sealing-keys')}"
        )
    return changed


def _batch(column: Any, after: str) -> Any:
    id = _id(column)
    return (
        select(id.label("id"), column).where(id > after, column.is_not(None), column != b"").order_by(id).limit(BATCH)
    )


def _drop(found: Settings, engine: Engine, known: Sequence[str]) -> None:
    """Forget all keys but the newest. Who had begun to seal before it was there is waited for, and sealed again."""
    for column in SEALED:
        _await_writers(engine, column)
        _again(engine, column, Sealer(known))
    if not _all_newest(engine, Sealer(known[:1])):
        raise NotOpened("some rows do not open with the newest key alone; no key was dropped. Start the site anew")
    if not found.sealing_keys:
        _keep(key_file(found), known[:1])


def _await_writers(engine: Engine, column: Any) -> None:
    """Wait for transactions under way. SQLite has one writer, so the next transaction waits by itself."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text(f"lock table {column.class_.__tablename__} in share row exclusive mode"))


def _all_newest(engine: Engine, sealer: Sealer) -> bool:
    return all(sealer.newest(sealed) for column in SEALED for sealed in _sealed(engine, column))


def _sealed(engine: Engine, column: Any) -> Iterator[bytes]:
    last = ""
    while True:
        with reading(engine) as session:
            rows = session.execute(_batch(column, last)).all()
        yield from (sealed for _, sealed in rows)
        if len(rows) < BATCH:
            return
        last = rows[-1].id


def _keep(path: Path, known: Sequence[str]) -> None:
    """Write the file of keys anew, for its owner only; it is whole at every moment."""
    part = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("".join(f"{key}\n" for key in known))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # a key that is lost in a power cut would take all that is sealed with it
    finally:
        os.close(folder)


def _id(column: Any) -> Any:
    """The key of the rows a column stands in."""
    return inspect(column.class_).primary_key[0]


def _name(column: Any) -> str:
    return f"{column.class_.__tablename__}.{column.key}"


def _say(found: Settings, done: dict[str, int], older: int, dropped: bool) -> None:
    for name, number in done.items():
        click.echo(f"{name:22}  {number:>9,} sealed again")
    if found.sealing_keys:
        click.echo("Everything opens with the first key of ENGAGE_SEALING_KEYS. You may take the others out now.")
    elif dropped:
        click.echo(f"Older keys were dropped: {older}. Keep a copy of {key_file(found)} apart from the backups.")
    else:
        click.echo(f"{key_file(found)} holds the newest key and {older} older, which backups made before now need.")
        click.echo("Drop them, when those backups are gone, with: engage keys rotate --drop-old")
