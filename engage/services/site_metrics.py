"""Metrics of the whole site, read when Prometheus asks: work of the worker, retention, backups, the database, the disk,
and the memory of processes. They are counts and times of the site; none is about a survey, a school, or a family."""

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engage.base.clock import stored_utc, with_zone
from engage.base.config import BACKUP_FILE, Settings
from engage.base.files import replace_file
from engage.base.measurements import recorder
from engage.base.prometheus_recorder import FOLDER, MetricsFolder, PrometheusRecorder
from engage.domain.roster.updates import update_status
from engage.services.retention.run_schedule import retention_status
from engage.services.runtime import Runtime
from engage.services.site_database import sqlite_file
from engage.storage.engine import read_session
from engage.storage.models.base import Base
from engage.storage.models.jobs import Export, FigureCount
from engage.storage.models.mail import Mail
from engage.storage.models.paper import Packet

SEEN_FILE = "packets-seen.json"  # in DATA_DIR/metrics: packet id to the time at which it was first seen unfinished
FRESH = 5.0  # seconds for which figures from the database are reused
PAGE = os.sysconf("SC_PAGE_SIZE")  # bytes
UNFINISHED = ("waiting", "drawing")
JOB_STATES = {  # of rows; a message is sent within a second
    "waiting": "waiting",
    "failed": "failed",
    "drawing": "running",
    "making": "running",
    "counting": "running",
}
JOB_TABLES: dict[str, type[Base]] = {"email": Mail, "packets": Packet, "files": Export, "counts": FigureCount}


class SiteCollector(Collector):
    """Collects the metrics of a site, and those of its serving processes."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._turn = threading.Lock()
        self._last: tuple[float, list[Metric]] | None = None  # monotonic seconds, and the figures read then

    def collect(self) -> Iterator[Metric]:
        """Read all metrics. Without a database, those of the machine remain, and `engage_database_up` is 0."""
        yield from self._database()
        yield from _disk_metrics(self._runtime.settings)
        measurements = recorder()
        if isinstance(measurements, PrometheusRecorder):
            yield from measurements.collect()
            yield _memory_metric(measurements.folder)

    def _database(self) -> list[Metric]:
        """The figures from the database, read by one caller at a time."""
        with self._turn:
            if self._last is None or time.monotonic() - self._last[0] >= FRESH:
                self._last = time.monotonic(), self._read_database()
            return self._last[1]

    def _read_database(self) -> list[Metric]:
        up = GaugeMetricFamily("engage_database_up", "Whether the database answers.", 1)
        try:
            with read_session(self._runtime.engine) as session:
                return [up, *self._read_session(session, self._runtime.now())]
        except SQLAlchemyError:
            return [GaugeMetricFamily(up.name, up.documentation, 0)]

    def _read_session(self, session: Session, now: datetime) -> Iterator[Metric]:
        yield from _mail_metrics(session, now)
        yield _job_metric(session)
        yield self._age_metric(session, now)
        yield from _retention_metrics(session, now)
        yield from _roster_metrics(session, self._runtime.settings)
        yield from _size_metrics(session, self._runtime)
        if session.get_bind().dialect.name == "postgresql":
            yield from _archive_metrics(session)

    def _age_metric(self, session: Session, now: datetime) -> Metric:
        """The age of the oldest unfinished work. A packet's row has only the day, so this machine notes the time."""
        ids = session.scalars(select(Packet.id).where(Packet.state.in_(UNFINISHED))).all()
        since = _first_seen(self._runtime.settings.data_dir / FOLDER / SEEN_FILE, ids, now.timestamp())
        ages = {"packets": max((now.timestamp() - each for each in since.values()), default=0.0)}
        for kind, oldest in (("email", _oldest_mail(session)), ("files", _oldest(session, Export)),
                             ("counts", _oldest(session, FigureCount))):  # fmt: skip
            ages[kind] = max(0.0, (stored_utc(now) - oldest).total_seconds()) if oldest else 0.0
        return _gauge("engage_jobs_oldest_seconds", "Age of the oldest unfinished work, by kind.", ages, "kind")


def _job_metric(session: Session) -> Metric:
    """The work that is not done, by kind and state."""
    metric = GaugeMetricFamily("engage_jobs", "Work of the worker, by kind and state.", labels=["kind", "state"])
    for kind, table in JOB_TABLES.items():
        numbers = dict.fromkeys(("waiting", "running", "failed"), 0.0)
        for state, number in _count_states(session, table.__table__.c.state, tuple(JOB_STATES)).items():
            numbers[JOB_STATES[state]] += number
        for state, number in numbers.items():
            metric.add_metric([kind, state], number)
    return metric


def _oldest(session: Session, table: type[Export | FigureCount]) -> datetime | None:
    """When the oldest unfinished request was made."""
    return session.scalar(select(func.min(table.asked_at)).where(table.state.in_(JOB_STATES), table.state != "failed"))


def _oldest_mail(session: Session) -> datetime | None:
    return session.scalar(select(func.min(Mail.written_at)).where(Mail.state == "waiting"))


def _count_states(session: Session, column: ColumnElement[str], states: tuple[str, ...]) -> dict[str, float]:
    """The number of rows in each state."""
    counted = session.execute(select(column, func.count()).where(column.in_(states)).group_by(column))
    return dict.fromkeys(states, 0.0) | {state: float(number) for state, number in counted}


def _mail_metrics(session: Session, now: datetime) -> Iterator[Metric]:
    counts = _count_states(session, Mail.__table__.c.state, ("waiting", "failed"))
    yield _gauge("engage_mail", "Unsent email, by state.", counts, "state")
    oldest = _oldest_mail(session)
    age = (stored_utc(now) - oldest).total_seconds() if oldest else 0.0
    yield GaugeMetricFamily("engage_mail_oldest_seconds", "Age of the oldest waiting email.", max(0.0, age))


def _retention_metrics(session: Session, now: datetime) -> Iterator[Metric]:
    status = retention_status(session, now)
    yield GaugeMetricFamily("engage_retention_overdue", "Whether the nightly deletion is overdue.", status.overdue)
    yield GaugeMetricFamily("engage_retention_failing", "Whether the latest run failed.", bool(status.problem))
    if status.last:
        name = "engage_retention_last_success_timestamp_seconds"
        yield GaugeMetricFamily(name, "When the nightly deletion last ended.", status.last.timestamp())


def _roster_metrics(session: Session, settings: Settings) -> Iterator[Metric]:
    """Automatic updates of the roster, at a site that has them."""
    source = "folder" if settings.roster_dir else "server" if settings.roster_url else ""
    if not source:
        return
    status = update_status(session)
    yield GaugeMetricFamily("engage_roster_update_failing", "Whether the latest update failed.", status.is_failing)
    waiting = status.waiting is not None
    yield GaugeMetricFamily("engage_roster_update_waiting", "Whether an update waits for a person.", waiting)
    if status.succeeded:
        moment = with_zone(status.succeeded.began_at).timestamp()
        name = "engage_roster_update_last_success_timestamp_seconds"
        yield _gauge(name, "When the last successful update began.", {source: moment}, "source")


def _size_metrics(session: Session, runtime: Runtime) -> Iterator[Metric]:
    file = sqlite_file(runtime.settings)
    if file is None:
        sizes = {"database": float(session.scalar(text("select pg_database_size(current_database())")) or 0)}
    else:
        wal = file.with_name(f"{file.name}-wal")
        sizes = {"database": _file_size(file), "log": _file_size(wal)}
    yield _gauge("engage_database_bytes", "Size of the database, and of SQLite's write-ahead log.", sizes, "file")


def _file_size(path: Path) -> float:
    return float(path.stat().st_size) if path.exists() else 0.0


def _archive_metrics(session: Session) -> Iterator[Metric]:
    """The WAL archive of PostgreSQL, if it has one."""
    if session.scalar(text("select current_setting('archive_mode')")) == "off":
        return
    row = session.execute(text("select last_archived_time, failed_count from pg_stat_archiver")).one()
    yield CounterMetricFamily("engage_wal_archive_failures", "WAL files that could not be archived.", row.failed_count)
    if row.last_archived_time:
        name = "engage_wal_archive_last_success_timestamp_seconds"
        yield GaugeMetricFamily(name, "When a WAL file was last archived.", row.last_archived_time.timestamp())


def _disk_metrics(settings: Settings) -> Iterator[Metric]:
    places = {"data": settings.data_dir, **({"shared": settings.site_dir} if settings.shared_dir else {})}
    disks = {place: shutil.disk_usage(path) for place, path in places.items() if path.exists()}
    free = {place: float(disk.free) for place, disk in disks.items()}
    size = {place: float(disk.total) for place, disk in disks.items()}
    yield _gauge("engage_disk_free_bytes", "Free disk space for the data and the shared directory.", free, "place")
    yield _gauge("engage_disk_size_bytes", "Size of these disks.", size, "place")
    with suppress(OSError):  # no backup is known here
        name = "engage_backup_last_success_timestamp_seconds"
        yield GaugeMetricFamily(
            name, "When the last backup was made.", (settings.site_dir / BACKUP_FILE).stat().st_mtime
        )


def _memory_metric(folder: MetricsFolder | None) -> Metric:
    """The resident memory of the processes of this machine: the parent, and each place."""
    processes = [("1", os.getpid())] if folder is None else [("parent", os.getppid()), *folder.processes()]
    sizes = {place: size for place, pid in processes if (size := _resident_bytes(pid))}
    return _gauge("engage_process_resident_bytes", "Resident memory of each process.", sizes, "process")


def _resident_bytes(pid: int) -> float:
    """The resident memory of a process; 0 if there is none with this id."""
    try:
        return float(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * PAGE
    except OSError:
        return 0.0


def _first_seen(path: Path, ids: Sequence[str], now: float) -> dict[str, float]:
    """When each of these packets was first seen, in seconds; a packet's row has only the day."""
    try:
        before: dict[str, float] = json.loads(path.read_text("ascii"))
    except (OSError, ValueError):
        before = {}
    seen = {id: before.get(id, now) for id in ids}
    if seen != before:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        replace_file(path, json.dumps(seen).encode(), durable=False)
    return seen


def _gauge(name: str, documentation: str, samples: Mapping[str, float], label: str) -> Metric:
    metric = GaugeMetricFamily(name, documentation, labels=[label])
    for value, number in samples.items():
        metric.add_metric([value], number)
    return metric
