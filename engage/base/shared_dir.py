"""The shared directory of a site that several machines serve (`ENGAGE_SHARED_DIR`): which machines use it, and whether
it can do what they need. Its files are listed in docs/operations.md."""

import fcntl
import hashlib
import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_IMODE

from engage.base.config import SEALING_FILE, SECRET_FILE, SHARED_MARK, SettingProblem, Settings
from engage.base.files import create_private_file, modification_time, replace_file

HOSTS = "hosts"  # folder in the shared directory with one file for each machine
WORKER_ID = "worker-id"  # file in the data directory
RECENT = timedelta(days=1)  # a machine that has not written its file for longer does not run
PERIOD = 3600.0  # seconds between two registrations of a machine that runs
FORGOTTEN = timedelta(days=30)  # after which the file of a machine is deleted

CheckResult = tuple[bool | None, str]  # whether it is good, and why; None is a warning


log = logging.getLogger("engage.worker")


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that uses the shared directory. `at` is a moment in ISO format, in UTC, by that machine's clock."""

    name: str
    worker_id: str
    data_dir: str
    at: str


def is_shared(site_dir: Path) -> bool:
    """Whether several machines may use this directory."""
    return (site_dir / HOSTS).is_dir()


def read_worker_id(data_dir: Path) -> str:
    """Return the stable, random id of this data directory's worker, created on first use."""
    path = data_dir / WORKER_ID
    if not path.exists():
        create_private_file(path, secrets.token_hex(16))
    return path.read_text("ascii")


def register_host(settings: Settings, now: datetime) -> None:
    """Record that this machine uses the shared directory, in it and in the data directory. Does nothing without one.
    Raises SettingProblem, OSError."""
    if not settings.shared_dir:
        return
    settings.require_shared_dir()
    worker, name = read_worker_id(settings.data_dir), socket.gethostname()
    host = Host(name, worker, str(settings.data_dir.resolve()), now.astimezone(UTC).isoformat(timespec="seconds"))
    folder = settings.site_dir / HOSTS
    folder.mkdir(mode=0o700, exist_ok=True)
    # A copy of a machine has the same worker id: the name keeps the two apart, so that `engage doctor` sees both.
    file = hashlib.sha256(f"{worker} {name}".encode()).hexdigest()[:24]
    replace_file(folder / f"{file}.json", json.dumps(asdict(host)).encode(), durable=False)
    if not (settings.data_dir / SHARED_MARK).exists():
        create_private_file(settings.data_dir / SHARED_MARK, str(settings.site_dir.resolve()))
    for path, age in _file_ages(folder).items():
        if age > FORGOTTEN:
            path.unlink(missing_ok=True)


@dataclass
class HostRecord:
    """Registers this machine when it starts, and then every `PERIOD`, for `engage doctor` on another one."""

    settings: Settings
    clock: Callable[[], datetime]
    _next: float = 0.0  # by time.monotonic

    def poll(self) -> None:
        """Register the machine if it is time; called often. A directory that is away is logged."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PERIOD
        try:
            register_host(self.settings, self.clock())
        except (SettingProblem, OSError) as problem:
            log.error("the shared directory cannot be used: %s", problem)


def recent_hosts(site_dir: Path) -> list[Host]:
    """Return the machines that used the shared directory in the last day, by name. Ages are by the file system's clock,
    because the machines' clocks may differ."""
    recent = [path for path, age in _file_ages(site_dir / HOSTS).items() if age <= RECENT]
    hosts = [Host(**json.loads(path.read_bytes())) for path in recent]
    return sorted(hosts, key=lambda host: (host.name, host.worker_id))


def find_copied_hosts(hosts: list[Host]) -> list[tuple[Host, Host]]:
    """Return pairs of machines with the same worker id. One was copied from the other; each would take the other's work
    in progress for its own."""
    first: dict[str, Host] = {}
    return [(first[each.worker_id], each) for each in hosts if first.setdefault(each.worker_id, each) is not each]


def check_shared_dir(settings: Settings) -> Iterator[CheckResult]:
    """Check what the machines need of the directory: owner, mode, atomic replacement, locks, and ids of their own. Says
    which machines use it. Raises OSError."""
    folder = settings.site_dir
    if not folder.is_dir():
        yield False, f"{folder} is not a directory; mount or create it"
        return
    stat = folder.stat()
    yield stat.st_uid == os.geteuid(), f"{folder} belongs to user {stat.st_uid}; this process is user {os.geteuid()}"
    mode = S_IMODE(stat.st_mode)
    yield mode & 0o077 == 0, f"{folder} has mode {mode:o}" + (f"; run: chmod 700 {folder}" if mode & 0o077 else "")
    probe = folder / f".probe-{secrets.token_hex(8)}"
    try:
        yield _replaces_atomically(probe), "a file is replaced in one step"
        yield _locks(probe), "a lock of one process holds off another (flock)"
    finally:
        probe.unlink(missing_ok=True)
    yield from _check_hosts(folder)
    yield from _check_old_keys(settings)


def _check_hosts(folder: Path) -> Iterator[CheckResult]:
    hosts = recent_hosts(folder)
    names = ", ".join(f"{host.name} ({host.data_dir}, {host.at})" for host in hosts)
    yield True, f"used in the last day by {names}" if hosts else "used by no machine in the last day"
    for one, other in find_copied_hosts(hosts):
        advice = "delete the file worker-id in the data directory of one of them, and restart it"
        yield False, f"{one.name} and {other.name} have the same worker ID: one is a copy of the other; {advice}"


def _check_old_keys(settings: Settings) -> Iterator[CheckResult]:
    """Check for keys in the data directory that differ from those in use."""
    for name in (SECRET_FILE, SEALING_FILE):
        unused, shared = settings.data_dir / name, settings.site_dir / name
        if unused.exists() and shared.exists() and unused.read_bytes() != shared.read_bytes():
            yield (
                None,
                f"{unused} is not used and differs from {shared}; store it where you keep keys, if backups need it",
            )


def _file_ages(folder: Path) -> dict[Path, timedelta]:
    """The age of each machine's file, by the file system's clock."""
    times = {path: at for path in folder.glob("*.json") if (at := modification_time(path))}
    now = _file_system_now(folder) if times else None
    return {path: now - at for path, at in times.items()} if now else {}


def _file_system_now(folder: Path) -> datetime | None:
    probe = folder / f".now-{secrets.token_hex(8)}"
    try:
        replace_file(probe, b"", durable=False)
        return modification_time(probe)
    finally:
        probe.unlink(missing_ok=True)


def _replaces_atomically(path: Path) -> bool:
    """Whether a reader that has the old file open keeps reading it, and a new reader gets the new file."""
    replace_file(path, b"old")
    with path.open("rb") as reader:
        replace_file(path, b"new")
        return (reader.read(), path.read_bytes()) == (b"old", b"new")


def _locks(path: Path) -> bool:
    """Whether a lock that another process asks for is refused while this one holds it. On NFS, two locks of one process
    never conflict."""
    with path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = subprocess.run([sys.executable, "-c", _TRY_LOCK, path], check=False)  # noqa: S603  our own program
        return done.returncode == 0


_TRY_LOCK = """
import fcntl, sys
try:
    fcntl.flock(open(sys.argv[1], "r+b"), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit(0)
sys.exit(1)
"""
