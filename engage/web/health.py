"""What an operator's watch asks: does the process live, can it work."""

import shutil
from datetime import UTC, datetime

from flask import Flask, Response, jsonify
from sqlalchemy import Connection, delete, insert, select

from engage.access.permits import PUBLIC
from engage.records.base import Heartbeat
from engage.records.revision import current, head
from engage.web.guards import enters
from engage.web.state import state

LEAST_DISK = 0.05  # share of the disk that must be free


def install(app: Flask) -> None:
    """Add /healthz and /readyz to an app."""
    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)


@enters(PUBLIC)
def healthz() -> str:
    """The process answers."""
    return "ok"


@enters(PUBLIC)
def readyz() -> tuple[Response, int]:
    """A row can be written and read, the schema is at head, the disk has room. 503 where not."""
    engine = state().engine
    disk = shutil.disk_usage(state().settings.data_dir)
    checks = {
        "schema": current(engine) == head(),
        "writes": state().writer.run(_writes),
        "disk": disk.free / disk.total >= LEAST_DISK,
    }
    return jsonify(checks), 200 if all(checks.values()) else 503


def _writes(connection: Connection) -> bool:
    at = datetime.now(UTC).isoformat()
    connection.execute(delete(Heartbeat))
    connection.execute(insert(Heartbeat).values(at=at))
    return connection.execute(select(Heartbeat.at)).scalar_one() == at
