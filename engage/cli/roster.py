"""Bring in the roster: students, guardians, their languages and homes, from OneRoster CSV."""

from datetime import UTC, datetime
from gettext import NullTranslations
from pathlib import Path
from random import SystemRandom
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Engine

from engage.access.sealing import Sealer, derived, keys
from engage.cli.deeds import audited
from engage.cli.ground import database, settings
from engage.config import Settings
from engage.records.session import reading, writing
from engage.roster.comparing import Preview
from engage.roster.importing import HOME_KEY, Manner, prepare, seal, store
from engage.roster.oneroster import LANGUAGES_FILE
from engage.roster.reasons import reason
from engage.roster.refusals import OPT_OUT_KEY
from engage.roster.source import opened
from engage.roster.stage import FILE, Stage, forget, new_folder, sweep

SHOWN = 50  # refused rows printed


@click.group()
def roster() -> None:
    """Bring in the roster from a student information system."""


@roster.command("import")
@click.argument("source", metavar="DIR_OR_ZIP", type=click.Path(path_type=Path))
@click.option(
    "--languages", type=click.Path(path_type=Path, dir_okay=False), help="CSV: studentId or guardianId, language."
)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--yes", is_flag=True, help="Do not ask before the roster is changed.")
def import_(source: Path, languages: Path | None, dry_run: bool, yes: bool) -> None:
    """Import OneRoster CSV (1.1 or 1.2) from a folder or a ZIP file; first say what would change."""
    found = settings()
    now = datetime.now(UTC)
    sweep(found.data_dir, now)
    with database(found) as engine:
        folder = new_folder(found.data_dir)
        try:
            with Stage(folder / FILE) as stage:
                seen = _prepared(engine, found, stage, source, languages, now)
                _say(stage, seen)
                if not dry_run and (yes or click.confirm("Change the roster?", abort=True)):
                    _stored(engine, found, stage, seen, now)
        finally:
            forget(folder)


def _prepared(
    engine: Engine, found: Settings, stage: Stage, source: Path, languages: Path | None, now: datetime
) -> Preview:
    with opened(source) as given, reading(engine) as session:
        files = given.beside(f"{LANGUAGES_FILE}.csv", languages) if languages else given
        return prepare(session, files, stage, _manner(found, now), _told)


def _manner(found: Settings, now: datetime) -> Manner:
    today = now.astimezone(ZoneInfo(found.timezone)).date()
    homes, refusing = (derived(found.secret().encode(), purpose) for purpose in (HOME_KEY, OPT_OUT_KEY))
    return Manner(today, found.keep_names, homes, Sealer(keys(found)), SystemRandom(), refusing)


def _stored(engine: Engine, found: Settings, stage: Stage, seen: Preview, now: datetime) -> None:
    how = _manner(found, now)
    seal(stage, how.sealer)
    with writing(engine) as session:
        done = store(session, stage, how.today, None, how.rng, _told)
        audited(session, found, now, "import roster", done, **seen.told)
        session.commit()
    click.echo("The roster is imported.")


def _told(what: str, number: int) -> None:
    click.echo(f"{number:>9,} {what}", err=True)


def _say(stage: Stage, seen: Preview) -> None:
    """What would change, and what is not used."""
    click.echo(f"{'':12}{'added':>9}{'changed':>9}{'gone':>9}")
    for kind, change in seen.changes.items():
        click.echo(f"{kind:12}{change.added:>9,}{change.changed:>9,}{change.gone:>9,}")
    if seen.steep:
        click.echo(f"Careful: {seen.changes['students'].gone:,} of {seen.students[0]:,} students would go.")
    if seen.refused:
        click.echo(f"{seen.refused:,} rows or parts of rows are not used:")
    for problem in stage.problems(SHOWN):
        click.echo(f"{problem.file}: line {problem.line}: {reason(problem, NullTranslations())}")
    if seen.refused > SHOWN:
        click.echo(f"… and {seen.refused - SHOWN:,} more")
