"""`engage audit`: list the audit log, and verify that it is complete and unchanged."""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.base.exports.csv import csv_bytes
from engage.domain.security.audit_anchor import ANCHOR_FILE, ROLLED_BACK, audit_key, check_chain, reset_anchor
from engage.domain.security.audit_log import DEEDS, REASONS, Verdict
from engage.services.site_database import open_database, read_settings
from engage.storage.engine import read_session
from engage.storage.models.audit import AuditEvent

HEADINGS = ("number", "at", "actor", "deed", "about", "detail")
BATCH = 1000  # events read at a time

AFTER = {
    "shorter": "An older database was put in place of this one. If you restored a backup without engage restore, run: "
    "engage audit verify --after-restore. If nobody did, keep both databases and find out who has access to them.",
    "another": "Another database was put in place of this one, or a backup was restored and then used. If you restored "
    "it without engage restore, run: engage audit verify --after-restore.",
    "anchor changed": "The file or the site's secret key was changed. If you changed it, run: engage audit verify "
    "--after-restore.",
}
OTHERWISE = (
    "The database was changed without Engage, or the site's secret key was changed. Keep the database as it is, and "
    "compare it with your last backup: run engage audit list on both."
)


@click.group()
def audit() -> None:
    """List what staff did, and verify that the audit log is complete and unchanged."""


@audit.command("verify")
@click.option("--after-restore", is_flag=True, help="Accept the log as it is now, after you restored a backup.")
def verify_(after_restore: bool) -> None:
    """Verify that no event was changed, removed, or inserted. Exit code 1 if one was."""
    settings, now = read_settings(), datetime.now(UTC)
    path = settings.site_dir / ANCHOR_FILE
    with open_database(settings) as engine, read_session(engine) as session:
        key = audit_key(settings)  # creates a secret key if there is none, so not before the database is open
        if after_restore:
            reset_anchor(session, path, key, now)
        verdict = check_chain(session, path, key, now)
        for line in _verdict_lines(session, verdict):
            click.echo(line, err=verdict.broken is not None)
    if verdict.broken is not None:
        raise SystemExit(1)


def _verdict_lines(session: Session, verdict: Verdict) -> Iterator[str]:
    if verdict.broken is None:
        yield f"{verdict.events:,} events: none changed, removed, or inserted."
        return
    if verdict.reason in ROLLED_BACK:
        yield f"{ROLLED_BACK[verdict.reason].capitalize()}: there are {verdict.events:,} events."
    else:
        yield f"Event {verdict.broken:,}: {REASONS[verdict.reason]}."
        yield from _broken_event_lines(session, verdict.broken)
    yield AFTER.get(verdict.reason, OTHERWISE)


def _broken_event_lines(session: Session, number: int) -> Iterator[str]:
    """The last event that can be trusted, and the broken event as it is stored now."""
    for each, words in ((number - 1, "Last valid event"), (number, "This event as it is now")):
        event = session.scalar(select(AuditEvent).where(AuditEvent.number == each))
        if event:
            yield f"{words}: " + " | ".join(_event_cells(event))


@audit.command("list")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Only events since this day, such as 2026-11-22.",
)
@click.option("--deed", type=click.Choice(sorted(DEEDS)), help="Only events of this kind.")
@click.option("--format", "kind", type=click.Choice(["text", "csv"]), default="text", show_default=True)
def list_(since: datetime | None, deed: str | None, kind: str) -> None:
    """Print the events, oldest first. Times are UTC."""
    settings = read_settings()
    with open_database(settings) as engine, read_session(engine) as session:
        rows = _event_rows(session, since.date() if since else None, deed, ZoneInfo(settings.timezone))
        if kind == "csv":
            for piece in csv_bytes(HEADINGS, rows):
                sys.stdout.buffer.write(piece)
        else:
            _print_events(rows)


def _print_events(rows: Iterable[tuple[str, ...]]) -> None:
    none = True
    for number, at, actor, deed, about, detail in rows:
        none = False
        more = " ".join(f"{name}={each}" for name, each in json.loads(detail).items())
        click.echo(f"{number:>7}  {at}  {actor}  {deed}" + f"  {about}" * bool(about) + f"  ({more})" * bool(more))
    if none:
        click.echo("No events found.", err=True)


def _event_rows(session: Session, since: date | None, deed: str | None, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    query = select(AuditEvent).order_by(AuditEvent.number).execution_options(yield_per=BATCH)
    if since:
        begins = datetime.combine(since, time(), zone).astimezone(UTC).replace(tzinfo=None)
        query = query.where(AuditEvent.at >= begins)
    if deed:
        query = query.where(AuditEvent.deed == deed)
    for event in session.scalars(query):
        yield _event_cells(event)


def _event_cells(event: AuditEvent) -> tuple[str, ...]:
    """An event's fields as text, in the order of HEADINGS."""
    at = event.at.isoformat(sep=" ") + "Z"
    return str(event.number), at, event.actor, event.deed, event.about, event.detail
