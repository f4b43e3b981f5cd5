"""`engage roster watch` and `engage roster pull`: try an automatic update of the roster, which the worker runs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from gettext import NullTranslations
from pathlib import Path

import click

from engage.base.config import Settings
from engage.domain.roster.deliveries import STEADY, Delivery, FolderProblem, WatchedFolder, list_deliveries
from engage.domain.roster.update_messages import update_sentence
from engage.domain.roster.update_schedule import is_full_needed
from engage.services.site_database import open_database, read_settings
from engage.services.tasks.store_roster import ImportSite
from engage.services.tasks.update_roster import claim_updates, update_from_folder, update_from_server
from engage.storage.engine import read_session
from engage.storage.models.roster_updates import FAILED, REFUSED, WAITING, RosterUpdate

STATES = {
    "stored": "The roster was updated: {0.added:,} added, {0.changed:,} changed, {0.gone:,} removed.",
    "storing": "The worker continues to store the roster.",
    "unchanged": "Nothing changed. The roster already matches the files.",
    WAITING: "The update waits for an administrator, on the page Roster import: {1}",
    REFUSED: "The files cannot be used: {1}",
    FAILED: "The roster could not be updated: {1}",
}


@click.command()
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--wait", default=STEADY, show_default=True, help="Seconds between the two looks at a file's size.")
@click.option("--dry-run", is_flag=True, help="Only show what is in the folder.")
def watch(directory: Path | None, wait: float, dry_run: bool) -> None:
    """Import once what has arrived in the watched folder. The worker does this by itself if ENGAGE_ROSTER_DIR is set;
    DIR is another folder to try."""
    settings = read_settings()
    folder = directory or Path(settings.roster_dir)
    if not directory and not settings.roster_dir:
        raise click.ClickException("give a folder, or set ENGAGE_ROSTER_DIR")
    with _explained():
        for delivery in list_deliveries(folder):
            click.echo(_describe_delivery(delivery))
        if not dry_run:
            _import_delivery(settings, folder, wait)


@click.command()
@click.option("--full", is_flag=True, help="Ask for the complete roster, not for changes since the last update.")
def pull(full: bool) -> None:
    """Import once from the district's OneRoster server. The worker does this each night if ENGAGE_ROSTER_URL is set."""
    settings = read_settings()
    if not settings.roster_url:
        raise click.ClickException("set ENGAGE_ROSTER_URL and the other settings of the OneRoster server first")
    with _update_site(settings) as site:
        with read_session(site.engine) as session:
            is_full = full or is_full_needed(session, site.now)
        click.echo(f"Asking the server for {'the complete roster' if is_full else 'changes'} …", err=True)
        _report(update_from_server(site, is_full, lambda: False))


def _describe_delivery(delivery: Delivery) -> str:
    names = ", ".join(file.name for file in delivery.files)
    state = "complete (.ready)" if delivery.marks else "arriving" if delivery.is_arriving else "size to be compared"
    return f"{sum(file.size for file in delivery.files):>13,} bytes  {state:20}  {names}"


def _import_delivery(settings: Settings, folder: Path, wait: float) -> None:
    watched = WatchedFolder(folder, wait)
    delivery, incomplete = watched.find_complete(time.monotonic())
    if delivery is None and incomplete:
        click.echo(f"Waiting {wait:.0f} seconds, to see whether the files still grow …", err=True)
        time.sleep(wait)
        delivery, incomplete = watched.find_complete(time.monotonic())
    if delivery is None:
        click.echo("The files are not complete yet." if incomplete else "There is no roster in the folder.")
        return
    with _update_site(settings) as site:
        _report(update_from_folder(site, folder, delivery, lambda: False))


@contextmanager
def _update_site(settings: Settings) -> Iterator[ImportSite]:
    """The site, while no other process updates the roster."""
    with open_database(settings) as engine, claim_updates(settings.site_dir) as is_mine:
        if not is_mine:
            raise click.ClickException("the worker is updating the roster now; try again in a few minutes")
        yield ImportSite(engine, settings, datetime.now(UTC))


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except FolderProblem as problem:
        raise click.ClickException(update_sentence(problem.code, problem.detail, NullTranslations())) from problem


def _report(row: RosterUpdate | None) -> None:
    """Print how an update ended. Exit code 1 if it failed."""
    if row is None:
        click.echo("A file changed while it was read. Try again when it is complete.")
        return
    sentence = STATES[row.state].format(row, update_sentence(row.reason, row.detail, NullTranslations()))
    if row.state in (REFUSED, FAILED):
        raise click.ClickException(sentence)
    click.echo(sentence)
