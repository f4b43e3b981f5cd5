"""The audit log after a restore: the chain of a backup ends earlier than the replaced one, which is recorded in the
log."""

from datetime import UTC, datetime

from engage.base.config import Settings
from engage.domain.security.audit_anchor import (
    ANCHOR_FILE,
    AnchorBroken,
    audit_key,
    read_anchor,
    record_cli_event,
    reset_anchor,
)
from engage.domain.security.audit_log import verify_chain
from engage.storage.engine import connect, current_revision, head, read_session, write_session


def continue_audit_chain(settings: Settings, file: str) -> str:
    """Continue the audit chain of a database that was just restored. Returns the message for the operator."""
    path, key, now = settings.site_dir / ANCHOR_FILE, audit_key(settings), datetime.now(UTC)
    try:
        old = read_anchor(path, key)
    except AnchorBroken:
        old = None
    engine = connect(settings.database)
    try:
        if current_revision(engine) != head():
            path.unlink(missing_ok=True)  # tables of an older version; the next event creates new ones
            return "The audit log's anchor was removed. The upgraded site creates a new one."
        with read_session(engine) as session:
            verdict = verify_chain(session, key)
            if verdict.broken is not None:
                return "The audit log of this backup was changed; run: engage audit verify"
        with write_session(engine) as session:
            path.unlink(missing_ok=True)
            record_cli_event(
                session, settings, now, "restore backup", file, events=verdict.events, before=old.number if old else 0
            )
            session.commit()
        with read_session(engine) as session:
            reset_anchor(session, path, key, now)
    finally:
        engine.dispose()
    ended = f"; the previous database had at least {old.number:,} events" if old else ""
    return f"The audit log now ends at event {verdict.events + 1:,}, which records this restore{ended}."
