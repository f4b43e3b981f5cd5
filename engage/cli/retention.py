"""`engage retention`: delete data past its retention period, and verify that it is gone."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click
from sqlalchemy import Engine

from engage.base.config import Settings
from engage.domain.security.audit_log import COMMAND_LINE
from engage.services.retention.policies import build_policies, build_retention
from engage.services.retention.run_schedule import due_night
from engage.services.retention.running import Policy, run_retention
from engage.services.site_database import open_database, read_settings
from engage.storage.engine import read_session


@click.group()
def retention() -> None:
    """Delete data past its retention period."""


@retention.command("run")
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Run as of DAY. A future day needs --dry-run.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be deleted.")
def run_(today: datetime | None, dry_run: bool) -> None:
    """Delete data past its retention period, and verify that it is gone. The worker does this every night. Exit code 1
    if anything is left."""
    settings, now = read_settings(), _now()
    day = settings.local_day(now)
    if today and today.date() > day and not dry_run:
        raise click.ClickException(f"{today.date()} is in the future: data would be deleted too early")
    rules = build_policies(settings, today.date() if today else day, now)
    with open_database(settings) as engine:
        if dry_run:
            with read_session(engine) as session:
                _print_table(rules, [each.due(session) for each in rules])
            return
        if _run_and_report(settings, engine, rules, now):
            raise SystemExit(1)


def _run_and_report(settings: Settings, engine: Engine, rules: Sequence[Policy], now: datetime) -> bool:
    """Run retention and print a report. Returns whether anything is left."""
    night, record = due_night(now, settings.timezone), build_retention(settings, COMMAND_LINE).record
    done = run_retention(engine, rules, night, COMMAND_LINE, record)
    _print_table(rules, done.before, done.after)
    if done.problem:
        click.echo(f"Deleted, but {done.problem}.", err=True)
    if done.left:
        click.echo("Not everything was deleted. Run the command again; if the message stays, check the log.", err=True)
    return bool(done.problem) or done.left


def _print_table(rules: Sequence[Policy], before: Sequence[int], after: Sequence[int] | None = None) -> None:
    widths = max(len(each.what) for each in rules), max(len(each.rule) for each in rules)
    heads = ("deleted", "left") if after is not None else ("to delete", "")
    click.echo(f"{'what':{widths[0]}}  {'policy':{widths[1]}}  {heads[0]:>9}  {heads[1]:>4}".rstrip())
    for number, each in enumerate(rules):
        left = "" if after is None else f"{after[number]:,}"
        gone = before[number] - (after[number] if after is not None else 0)
        click.echo(f"{each.what:{widths[0]}}  {each.rule:{widths[1]}}  {gone:>9,}  {left:>4}".rstrip())


def _now() -> datetime:
    return datetime.now(UTC)
