"""`engage roster`: import students, guardians, their languages, and households from OneRoster CSV."""

from collections.abc import Sequence
from datetime import UTC, datetime
from gettext import NullTranslations
from pathlib import Path

import click
from sqlalchemy import Engine

from engage.base.config import Settings
from engage.base.exports.csv import csv_bytes
from engage.base.languages import LANGUAGES
from engage.cli.roster_updates import pull, watch
from engage.domain.roster.diff import Preview, group_remarks
from engage.domain.roster.files import open_roster
from engage.domain.roster.import_state import RosterIncomplete, unfinished_folder
from engage.domain.roster.importer import prepare_import
from engage.domain.roster.language_names import language_label
from engage.domain.roster.oneroster import LANGUAGES_FILE
from engage.domain.roster.remarks import RemarkGroup, RosterRefused, reason_text
from engage.domain.roster.staging_db import (
    FILE,
    StagingDb,
    claim_folder,
    delete_folder,
    delete_stale_folders,
    find_folder,
    new_folder,
)
from engage.domain.roster.updates import needed_folders
from engage.services.site_database import open_database, read_settings
from engage.services.tasks.store_roster import (
    ImportSite,
    build_import_options,
    continue_roster,
    require_no_running_import,
    store_roster,
)
from engage.storage.engine import read_session
from engage.storage.models.schools import UNDETERMINED

LOSSES = {
    "students": "{0:,} of {1:,} students would be removed",
    "guardians": "{0:,} of {1:,} guardians would be removed",
    "school": "{2}: {0:,} of {1:,} students would be removed",
    "language": "{2}: {0:,} of {1:,} households would be removed, or read another language",
}


@click.group()
def roster() -> None:
    """Import the roster from a student information system."""


roster.add_command(watch)
roster.add_command(pull)


@roster.command("import")
@click.argument("source", metavar="DIR_OR_ZIP", type=click.Path(path_type=Path))
@click.option(
    "--languages",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="CSV with the columns studentId or guardianId, and language.",
)
@click.option("--remarks", type=click.Path(path_type=Path, dir_okay=False), help="Write all remarks to a CSV file.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--yes", is_flag=True, help="Change the roster without asking.")
def import_(source: Path, languages: Path | None, remarks: Path | None, dry_run: bool, yes: bool) -> None:
    """Import OneRoster CSV (1.1 or 1.2) from a folder or a ZIP file; show the changes first."""
    settings = read_settings()
    now = datetime.now(UTC)
    with open_database(settings) as engine:
        require_no_running_import(engine, settings.site_dir)
        with read_session(engine) as session:
            delete_stale_folders(settings.site_dir, now, needed_folders(session))
        folder = new_folder(settings.site_dir)
        try:
            with StagingDb(folder / FILE) as stage:
                try:
                    seen = _prepare_import(engine, settings, stage, source, languages, now)
                except RosterRefused as refused:
                    _print_remarks(refused.remarks, err=True)
                    raise
                finally:
                    if remarks:
                        _write_remarks(stage, remarks)
                _print_preview(stage, seen)
            if not dry_run and (yes or click.confirm("Update the roster?", abort=True)):
                with claim_folder(folder):
                    store_roster(ImportSite(engine, settings, now), folder, None, _print_progress)
                click.echo("The roster was imported.")
        finally:
            _delete_unless_begun(engine, folder)


@roster.command("continue")
def continue_() -> None:
    """Continue an import that was interrupted while the roster was updated."""
    settings = read_settings()
    with open_database(settings) as engine:
        with read_session(engine) as session:
            name = unfinished_folder(session)
        if name is None:
            raise click.ClickException("no import was interrupted; the roster is complete")
        folder = find_folder(settings.site_dir, name)
        if folder is None:
            raise click.ClickException("the files of the interrupted import are gone; import a full export again")
        with claim_folder(folder) as is_mine:
            if not is_mine:
                raise RosterIncomplete
            continue_roster(ImportSite(engine, settings, datetime.now(UTC)), folder, _print_progress)
    click.echo("The roster was imported.")


def _delete_unless_begun(engine: Engine, folder: Path) -> None:
    """Delete the folder, unless the import has begun: then it is needed to continue."""
    with read_session(engine) as session:
        is_begun = unfinished_folder(session) == folder.name
    if is_begun:
        click.echo("The import was interrupted. To continue it: engage roster continue", err=True)
    else:
        delete_folder(folder)


def _prepare_import(
    engine: Engine, settings: Settings, stage: StagingDb, source: Path, languages: Path | None, now: datetime
) -> Preview:
    with open_roster(source) as roster, read_session(engine) as session:
        files = roster.beside(f"{LANGUAGES_FILE}.csv", languages) if languages else roster
        return prepare_import(session, files, stage, build_import_options(settings, now), _print_progress)


def _print_progress(what: str, number: int) -> None:
    click.echo(f"{number:>9,} {what}", err=True)


def _print_preview(stage: StagingDb, seen: Preview) -> None:
    """Print what would change, what needs attention, and which rows are not used."""
    click.echo(f"{'':12}{'added':>9}{'changed':>9}{'removed':>9}")
    for kind, change in seen.changes.items():
        click.echo(f"{kind:12}{change.added:>9,}{change.changed:>9,}{change.gone:>9,}")
    for loss in seen.losses:
        name = language_label(loss.name) if loss.kind == "language" else loss.name
        click.echo(f"Warning: {LOSSES[loss.kind].format(loss.gone, loss.size, name)}.")
    if seen.seconds:
        click.echo(f"Storing takes about {seen.seconds} s. Families can send answers meanwhile.")
    if seen.unread:
        click.echo(f"Rows of {', '.join(seen.unread)} could not be read. Nobody is removed for being absent from them.")
        for kind, number in seen.kept.items():
            click.echo(f"{number:>9,} {kind} not removed for this reason")
    if seen.same_guardians:
        click.echo(
            f"{seen.same_guardians:,} guardians look the same: name, email and phone number, under different ids."
        )
    click.echo("Households by language:")
    for tag, number in seen.languages:
        note = "" if tag in LANGUAGES or tag == UNDETERMINED else " (not offered)"
        click.echo(f"{number:>9,} {language_label(tag)}{note}")
    if seen.refused:
        click.echo(f"{seen.refused:,} rows or parts of rows are not used:")
    _print_remarks(group_remarks(stage))


def _print_remarks(groups: Sequence[RemarkGroup], *, err: bool = False) -> None:
    for group in groups:
        lines = ", ".join(f"{line:,}" for line in group.lines if line)
        place = f", line {lines}" if group.count == 1 and lines else f", lines {lines} …" if lines else ""
        click.echo(
            f"{group.count:>9,} × {group.file}{place}: {reason_text(group.example, NullTranslations())}", err=err
        )
        if others := [f"“{value}” ({number:,})" for value, number in group.values[1:]]:
            more = f", and {group.more:,} more" if group.more else ""
            click.echo(f"{'':12}also {', '.join(others)}{more}", err=err)


def _write_remarks(stage: StagingDb, file: Path) -> None:
    rows = ((each.file, each.line, each.id, reason_text(each, NullTranslations())) for each in stage.problems())
    with file.open("wb") as page:
        page.writelines(csv_bytes(("File", "Line", "sourcedId", "Remark"), rows))
