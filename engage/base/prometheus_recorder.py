"""The recorder for Prometheus. Serving processes of one parent share a folder of files, which any of them can merge.

Each process has a place in the folder, with the same files for its successor: if it dies, the next process in its place
continues its counters, so no file of a dead process remains and no counter goes back.
"""

import logging
import os
import struct
from collections.abc import Iterable, Iterator
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import count
from pathlib import Path
from typing import TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from engage.base.files import replace_file
from engage.base.measurements import Load, Recorder

FOLDER = "metrics"  # in DATA_DIR
LOCK = "lock"
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client whenever it opens a file
GAUGES = "livesum"  # the processes' values are added
KINDS = ("counter", "histogram", f"gauge_{GAUGES}")
FILE_SIZE = 2**18  # bytes of each of a process's files: about 2,000 series
HEADER, SMALLEST = 8, 24  # bytes before the first entry of a file, and of an entry
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
WAIT_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
LOADS = {
    "waiting": ("engage_requests_waiting", "Requests that wait for a thread, in all processes."),
    "working": ("engage_requests_in_progress", "Requests being processed, in all processes."),
    "connections": ("engage_connections", "Open connections, in all processes."),
    "in_use": ("engage_database_connections_in_use", "Database connections in use, in all processes."),
    "pooled": ("engage_database_connections", "Open database connections, in all processes."),
}

log = logging.getLogger("engage.metrics")


class PrometheusRecorder(Recorder):
    """Counters, histograms, and gauges of this process: in memory, or in the files of a place of a shared folder."""

    active = True

    def __init__(self, folder: "MetricsFolder | None" = None) -> None:
        self.folder = folder
        self._registry = CollectorRegistry()
        labels, registry = ("site", "group"), self._registry
        self._requests = Counter("engage_requests", "Answered requests.", (*labels, "status"), registry=registry)
        self._seconds = Histogram(
            "engage_request_seconds", "Seconds per request.", labels, buckets=REQUEST_BUCKETS, registry=registry
        )
        self._queue = Histogram(
            "engage_queue_seconds", "Seconds until a thread takes a request.", buckets=WAIT_BUCKETS, registry=registry
        )
        self._writes = Histogram(
            "engage_writer_seconds",
            "Seconds until a family's write is committed.",
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self._loads = {
            name: Gauge(title, text, multiprocess_mode=GAUGES, registry=registry)  # type: ignore[arg-type]
            for name, (title, text) in LOADS.items()
        }
        self._routes: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # labels() takes 2 us each
        self.record_load(Load())  # otherwise the gauges of the process that was here before would remain

    def collect(self) -> Iterable[Metric]:
        """The metrics of all processes that share the folder; without one, those of this process."""
        return self._registry.collect() if self.folder is None else self.folder.collect()

    def record_request(self, site: str, group: str, status: int, seconds: float) -> None:
        """Count a request by its site, group, and class of status, and its duration by site and group."""
        key = site, group, status // 100
        route = self._routes.get(key)
        if route is None:
            counter = self._requests.labels(site, group, f"{status // 100}xx")
            route = self._routes[key] = counter, self._seconds.labels(site, group)
        route[0].inc()
        route[1].observe(seconds)

    def record_queue(self, seconds: float) -> None:
        """Count a wait for a thread."""
        self._queue.observe(seconds)

    def record_write(self, seconds: float) -> None:
        """Count a write of a family."""
        self._writes.observe(seconds)

    def record_load(self, load: Load) -> None:
        """Set the gauges of this process."""
        for name, gauge in self._loads.items():
            gauge.set(getattr(load, name))


class MetricsFolder:
    """A folder with the files of the processes of one parent. The lock is held as long as one of them lives."""

    def __init__(self, path: Path, lock: TextIO) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def claim(cls, data_dir: Path) -> "MetricsFolder":
        """Take the first folder in DATA_DIR/metrics that no other processes use, and empty it. Called by the parent,
        before it starts processes. Raises OSError."""
        for number in count():
            path = data_dir / FOLDER / str(number)
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = open(path / LOCK, "w")  # noqa: SIM115  stays open in all processes
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            for old in [*path.glob("*.db"), *path.glob("*.pid")]:
                old.unlink()
            return cls(path, lock)
        raise AssertionError

    def enter(self, place: str) -> PrometheusRecorder:
        """The recorder of this process, which takes the place of one that has ended. Called in the new process. Raises
        OSError, for example if the disk is full."""
        self.register(place)
        files = [self.path / f"{kind}_{place}.db" for kind in KINDS]
        if not all(map(_is_sound, files)):
            log.error("the measurements of process %s were damaged and begin again", place)
            for path in files:
                path.unlink(missing_ok=True)
        for path in files:
            _reserve(path)
        os.environ[FOLDER_VARIABLE] = str(self.path)
        values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]
        return PrometheusRecorder(self)

    def register(self, place: str) -> None:
        """Note the id of this process, so that its memory is measured. Raises OSError."""
        replace_file(self.path / f"{place}.pid", str(os.getpid()).encode(), durable=False)

    def collect(self) -> Iterable[Metric]:
        """The metrics of all processes together."""
        collector = MultiProcessCollector(None, str(self.path))  # type: ignore[no-untyped-call]
        metrics: Iterable[Metric] = collector.collect()  # type: ignore[no-untyped-call]
        return metrics

    def processes(self) -> Iterator[tuple[str, int]]:
        """Place and process id of each process that has entered."""
        for path in sorted(self.path.glob("*.pid")):
            yield path.stem, int(path.read_text("ascii"))


def _is_sound(path: Path) -> bool:
    """Whether prometheus_client can read a file (format: its mmap_dict), or there is none. It would follow a wrong
    length without end."""
    if not path.exists():
        return True
    data = path.read_bytes()
    if len(data) < FILE_SIZE:
        return False
    used, at = struct.unpack_from("i", data)[0], HEADER
    while at < used <= len(data) - SMALLEST:
        length = struct.unpack_from("i", data, at)[0]
        key = data[at + 4 : at + 4 + max(0, length)].rstrip()
        if not (key.startswith(b'["engage_') and key.endswith(b'"]')):
            return False
        at += 4 + length + (8 - (length + 4) % 8) + 16
    return used in (0, at)


def _reserve(path: Path) -> None:
    """Reserve the disk space of a file. Writing to a mapped file without space kills the process (SIGBUS)."""
    with open(path, "ab") as file:
        if os.fstat(file.fileno()).st_size < FILE_SIZE:
            os.posix_fallocate(file.fileno(), 0, FILE_SIZE)
