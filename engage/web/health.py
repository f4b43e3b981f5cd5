"""Health checks for monitoring: whether the process runs (/healthz), and whether it can work (/readyz)."""

import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from flask import Flask, Response, current_app, jsonify
from sqlalchemy import Connection, delete, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from engage.domain.security.permissions import PUBLIC
from engage.services.retention.run_schedule import retention_status
from engage.services.runtime import Runtime
from engage.storage.engine import current_revision, head, read_session
from engage.storage.models.base import Heartbeat
from engage.web.context import runtime
from engage.web.permissions import enters

EXTENSION = "engage.health"
ADDRESSES = ("/healthz", "/readyz")
LEAST_DISK = 0.05  # share of the disk that must be free
FRESH = 5.0  # seconds for which a result is reused: callers cannot make the site write on each request
STALE = 60.0  # seconds after which a result is no longer valid, even if the next is not ready

Check = Callable[[Runtime], bool]

log = logging.getLogger("engage.health")


class Readiness:
    """The results of all checks, refreshed at most every `FRESH` seconds and by one caller at a time. `also` returns
    additional information with them: `remark`, None if a check failed."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        clock: Callable[[], float] = time.monotonic,
        also: Callable[[Runtime], Any] = lambda _site: None,
    ) -> None:
        self._checks = checks
        self._clock = clock
        self._turn = threading.Lock()
        self._last: tuple[dict[str, bool], float] | None = None  # results and their time, one object for atomic reads
        self._also = also
        self.remark: Any = None

    def results(self, site: Runtime) -> dict[str, bool]:
        """Whether each check passed, by name. While one caller runs the checks, others get the last results: a check
        that waits for the database must not block every thread."""
        last = self._younger_than(FRESH)
        if last is not None:
            return last
        if not self._turn.acquire(blocking=self._last is None):
            return self._younger_than(STALE) or dict.fromkeys(self._checks, False)
        try:
            return self._younger_than(FRESH) or self._make(site)
        finally:
            self._turn.release()

    def _younger_than(self, seconds: float) -> dict[str, bool] | None:
        last = self._last
        return last[0] if last is not None and self._clock() - last[1] < seconds else None

    def _make(self, site: Runtime) -> dict[str, bool]:
        results = {name: _check_passes(name, check, site) for name, check in self._checks.items()}
        self.remark = self._also(site) if all(results.values()) else None
        self._last = results, self._clock()
        return results


def install(app: Flask) -> None:
    """Add /healthz and /readyz to an app."""
    app.extensions[EXTENSION] = Readiness(CHECKS, also=_retention_status)
    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)


@enters(PUBLIC)
def healthz() -> str:
    """Answer that the process runs; nothing else is checked."""
    return "ok"


@enters(PUBLIC)
def readyz() -> tuple[Response, int]:
    """Each check with true or false as JSON; 503 if one is false. Overdue retention is reported too, but does not make
    the site unavailable."""
    readiness = cast(Readiness, current_app.extensions[EXTENSION])
    results = readiness.results(runtime())
    return jsonify(results | {"retention": readiness.remark}), 200 if all(results.values()) else 503


def _retention_status(site: Runtime) -> dict[str, Any] | None:
    """When the last nightly run ended, in UTC (null: never), and whether the next is overdue."""
    try:
        with read_session(site.engine) as session:
            status = retention_status(session, site.now())
    except SQLAlchemyError as problem:
        log.error("when retention ran cannot be read: %s", problem)
        return None
    return {"last": status.last.isoformat(timespec="seconds") if status.last else None, "overdue": status.overdue}


def _check_passes(name: str, check: Check, site: Runtime) -> bool:
    try:
        return check(site)
    except Exception as problem:  # on any error the answer is "no", in JSON
        log.error("the check %r of /readyz failed: %s", name, problem)
        return False


def _is_at_head(site: Runtime) -> bool:
    return current_revision(site.engine) == head()


def _has_disk_space(site: Runtime) -> bool:
    disks = [shutil.disk_usage(each) for each in {site.settings.data_dir, site.settings.site_dir}]
    return all(disk.free / disk.total >= LEAST_DISK for disk in disks)


def _can_write(site: Runtime) -> bool:
    return site.writer.run(_write_and_read)


def _write_and_read(connection: Connection) -> bool:
    """Write a row, read it and delete it; other processes may do the same concurrently."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("set local synchronous_commit = off"))  # nothing of it must survive a crash
    name = secrets.token_hex(16)
    connection.execute(insert(Heartbeat).values(at=name))
    written = connection.execute(select(Heartbeat.at).where(Heartbeat.at == name)).scalar_one_or_none() == name
    connection.execute(delete(Heartbeat).where(Heartbeat.at == name))
    return written


CHECKS: dict[str, Check] = {"schema": _is_at_head, "writes": _can_write, "disk": _has_disk_space}
