"""Retention as the worker and the command line run it: with every policy of the site."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.security.audit_log import SITE, AuditEntry
from engage.services.command_audit import record_system_event
from engage.services.retention.policies import build_policies
from engage.services.retention.policy import Policy
from engage.services.retention.running import Retention
from engage.storage.utc import database_now


def build_retention(settings: Settings, actor: str = SITE) -> Retention:
    """Retention of a site; `actor` is who stands in the audit log."""

    def due(today: date, now: datetime) -> list[Policy]:
        return build_policies(settings, today, now)

    def record(session: Session, deleted: dict[str, int]) -> None:
        record_system_event(session, settings, database_now(session), AuditEntry(actor, "run retention", "", deleted))

    return Retention(due, record, settings.timezone)
