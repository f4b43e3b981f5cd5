"""`engage checkpoint`: export a checkpoint's figures to a file, the same numbers as on its page."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import select

from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.domain.intake.burst_marks import BurstsUndecided
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.security.audit_anchor import record_cli_event
from engage.domain.security.encryption import derive_key
from engage.domain.summaries.published_figures import AUDIENCES
from engage.services.checkpoints.cluster import CountedWave, WaveTask, count_wave, count_waves, draft_tasks
from engage.services.checkpoints.counting import choose_figures, count_draft, open_sealed_groups
from engage.services.checkpoints.freezing import AnswersDeleted, CheckpointFigures
from engage.services.checkpoints.outputs import build_json, render_csv, render_html, render_pdf, render_xlsx
from engage.services.checkpoints.report import Report, build_report
from engage.services.checkpoints.wording import FigureWording
from engage.services.site_database import open_database, read_settings
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint

CONNECT = 10  # seconds to reach a Dask scheduler
FORMATS = ("json", "csv", "xlsx", "pdf", "html")


@click.group()
def checkpoint() -> None:
    """Count and export the figures of checkpoints."""


@checkpoint.command("figures")
@click.argument("checkpoint_id", metavar="ID")
@click.option("--audience", type=click.Choice(AUDIENCES), default="leaders", show_default=True)
@click.option("--format", "kind", type=click.Choice(FORMATS), default="json", show_default=True)
@click.option("--language", type=click.Choice(list(LANGUAGES)), default="en", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Output file. Default: standard output."
)
def figures_(checkpoint_id: str, audience: str, kind: str, language: str, output: Path | None) -> None:
    """Write the figures of the checkpoint with this ID. They are a draft until the checkpoint is frozen."""
    settings = read_settings()
    report, document = _load_report(settings, checkpoint_id, audience, language, kind)
    body = _render_file(settings, report, document, kind)
    if output:
        output.write_bytes(body)
    else:
        click.echo(body, nl=False)
    if report.digest is None:
        click.echo(f"{checkpoint_id} is not frozen: these figures are a draft of {report.as_of}.", err=True)


@checkpoint.command("count")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, like tcp://10.0.0.5:8786. Default: count here.")
@click.option(
    "--settings",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The settings file of a site; repeat it for several. Default: the settings of this command.",
)
def count_(scheduler: str | None, files: tuple[Path, ...]) -> None:
    """Count the surveys of all checkpoints that are not frozen, so that their pages open at once."""
    tasks = [task for settings in _read_sites(files) for task in _list_tasks(settings)]
    for counted in _count_on(scheduler, tasks) if scheduler else map(count_wave, tasks):
        where = f"{counted.task.site}: " if counted.task.site else ""
        click.echo(f"{where}{counted.task.wave}: {counted.responses:,} responses, {counted.seconds:.1f} s")


def _read_sites(files: tuple[Path, ...]) -> list[Settings]:
    return [Settings.read({"ENGAGE_SETTINGS": str(file)}) for file in files] or [read_settings()]


def _list_tasks(settings: Settings) -> list[WaveTask]:
    today = settings.local_day(datetime.now(UTC))
    with open_database(settings) as engine:
        try:
            return draft_tasks(engine, settings.site_dir, today, settings.district_name)
        except (AnswersDeleted, BurstsUndecided) as problem:
            raise click.ClickException(f"{settings.district_name}: {problem}") from problem


def _count_on(scheduler: str, tasks: list[WaveTask]) -> Iterator[CountedWave]:
    try:
        from distributed import Client
    except ImportError as problem:
        raise click.ClickException("Dask is not installed; install the extra: pip install 'engage[scale]'") from problem
    try:
        client = Client(scheduler, timeout=CONNECT)  # type: ignore[no-untyped-call]
    except OSError as problem:
        raise click.ClickException(f"there is no Dask scheduler at {scheduler}") from problem
    with client:
        yield from count_waves(client, tasks)


def _load_report(
    settings: Settings, checkpoint_id: str, audience: str, language: str, kind: str
) -> tuple[Report, CheckpointFigures]:
    now = datetime.now(UTC)
    today = settings.local_day(now)
    with open_database(settings) as engine:
        with read_session(engine) as session:
            checkpoint_ids = list(session.scalars(select(Checkpoint.id).order_by(Checkpoint.id)))
        if checkpoint_id not in checkpoint_ids:
            there = ", ".join(checkpoint_ids) or "none"
            raise click.ClickException(f"there is no checkpoint {checkpoint_id!r}; there are: {there}")
        open_sealed_groups(engine, checkpoint_id, derive_key(settings.secret().encode(), GROUP_KEY), today)
        try:
            draft = count_draft(engine, checkpoint_id, settings.site_dir, today)
        except (AnswersDeleted, BurstsUndecided) as problem:
            raise click.ClickException(str(problem)) from problem
        with write_session(engine) as session:
            checkpoint = session.get_one(Checkpoint, checkpoint_id)
            document = choose_figures(checkpoint, draft)
            report = build_report(session, checkpoint, document, audience, language)
            what = {"format": kind, "language": language, "figures": report.digest[:12] if report.digest else "draft"}
            record_cli_event(session, settings, now, "export figures", checkpoint_id, audience=audience, **what)
            session.commit()
        return report, document


def _render_file(settings: Settings, report: Report, document: CheckpointFigures, kind: str) -> bytes:
    wording = FigureWording(report.language, catalogue(report.language))
    if kind == "csv":
        return render_csv(report, wording)
    if kind == "xlsx":
        return render_xlsx(report, wording)
    if kind == "html":
        return render_html(report, wording).encode()
    if kind == "pdf":
        fonts = Path(settings.font_dir) if settings.font_dir else None
        return render_pdf(report, wording, settings.district_name, fonts)
    return (json.dumps(build_json(report, document), ensure_ascii=False, indent=1) + "\n").encode()
