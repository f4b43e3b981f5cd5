"""Retention as the worker and the command line run it: with every policy of the site."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from engage.access.audit import SITE
from engage.cli.deeds import recorded
from engage.cli.policies import policies
from engage.config import Settings
from engage.records.clock import database_now
from engage.retention.policy import Policy
from engage.retention.running import Retention


def retention_of(settings: Settings, actor: str = SITE) -> Retention:
    """Retention of a site; `actor` is who stands in the audit log."""

    def due(today: date, now: datetime) -> list[Policy]:
        return policies(settings, today, now)

    def record(session: Session, deleted: dict[str, int]) -> None:
        recorded(session, settings, database_now(session), actor, "run retention", "", deleted)

    return Retention(due, record, settings.timezone)
