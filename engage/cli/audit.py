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
    "shorter": "An older database stands in the place of this one. If you put a backup back by other means than engage "
    "restore, say: engage audit verify --after-restore. If nobody did, keep both databases and find out who can reach "
    "them.",
    "another": "Another database stands in the place of this one, or a backup was put back and used since. If you put "
    "it back by other means than engage restore, say: engage audit verify --after-restore.",
    "anchor changed": "Its file was changed, or the site's secret key was. If it was you, say: engage audit verify "
    "--after-restore.",
}
OTHERWISE = (
    "Somebody changed the database without Engage, or the site's secret key is another one. Keep the database as it "
    "is, put a copy of your last backup beside it and compare: engage audit list."
)


@click.group()
def audit() -> None:
    """List what staff did, and verify that the audit log is complete and unchanged."""


@audit.command("verify")
@click.option("--after-restore", is_flag=True, help="Take the chain as it is now: you put a backup back.")
def verify_(after_restore: bool) -> None:
    """Verify that no event was changed, removed, or inserted. Exit code 1 if one was."""
    settings, now = read_settings(), datetime.now(UTC)
    key, path = audit_key(settings), settings.data_dir / ANCHOR_FILE
    with open_database(settings) as engine, read_session(engine) as session:
        if after_restore:
            reset_anchor(session, path, key, now)
        verdict = check_chain(session, path, key, now)
        for line in _verdict_lines(session, verdict):
            click.echo(line, err=verdict.broken is not None)
    if verdict.broken is not None:
        raise SystemExit(1)


def _verdict_lines(session: Session, verdict: Verdict) -> Iterator[str]:
    if verdict.broken is None:
        yield f"{verdict.events:,} events: none changed, none missing, none put in."
        return
    if verdict.reason in ROLLED_BACK:
        yield f"{ROLLED_BACK[verdict.reason].capitalize()}: there are {verdict.events:,} events."
    else:
        yield f"Event {verdict.broken:,}: {REASONS[verdict.reason]}."
        yield from _broken_event_lines(session, verdict.broken)
    yield AFTER.get(verdict.reason, OTHERWISE)


def _broken_event_lines(session: Session, number: int) -> Iterator[str]:
    """The last event that can be trusted, and the broken event as it is stored now."""
    for each, words in ((number - 1, "The last one that can be trusted"), (number, "It says now")):
        event = session.scalar(select(AuditEvent).where(AuditEvent.number == each))
        if event:
            yield f"{words}: " + " | ".join(_event_cells(event))


@audit.command("list")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="From this day on, like 2026-11-22.")
@click.option("--deed", type=click.Choice(sorted(DEEDS)), help="Only this deed.")
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
        click.echo("There are no such events.", err=True)


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
