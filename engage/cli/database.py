"""`engage db`: create the database, or upgrade it to the revision that this version needs."""

import click

from engage.base.config import Settings
from engage.cli.backup import copy_database
from engage.services.site_database import read_settings, refuse_interrupted_restore, sqlite_file
from engage.storage.engine import connect, current_revision, head
from engage.storage.upgrade import upgrade


@click.group()
def db() -> None:
    """Create or upgrade the database."""


@db.command("upgrade")
def upgrade_() -> None:
    """Upgrade the database to the newest revision in one transaction. An SQLite database is copied to DATA_DIR/backups
    first."""
    settings = read_settings()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # only the site reads what families write
    if file := sqlite_file(settings):
        refuse_interrupted_restore(file)
    engine = connect(settings.database)
    try:
        before = current_revision(engine)
        if before == head():
            click.echo(f"The database is already at {before}.")
            return
        _backup_before_upgrade(settings, before)
        upgrade(engine)
    finally:
        engine.dispose()
    click.echo(f"Upgraded the database from {before} to {head()}." if before else f"Created a database at {head()}.")


def _backup_before_upgrade(settings: Settings, before: str | None) -> None:
    file = sqlite_file(settings)
    if file is None or before is None:
        return
    copy = settings.data_dir / "backups" / f"{before}-before-{head()}.db"
    copy.parent.mkdir(exist_ok=True)
    copy.unlink(missing_ok=True)
    copy_database(file, copy)
    click.echo(f"Copied the database to {copy} first.")
