"""A PostgreSQL server of a test's own, with an archive of its write-ahead log, as docs/deploy sets it up."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.paths import ROOT

SCRIPTS = ROOT / "docs" / "deploy" / "postgresql"
ACCOUNT = "postgres"  # PostgreSQL refuses to run as root
PATIENCE = 60.0  # seconds


def programs() -> Path | None:
    """The folder of PostgreSQL's programs; None if it cannot run here."""
    folders = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if not folders or (os.geteuid() == 0 and not _has_account()):
        return None
    return max(folders, key=lambda path: int(path.parent.name))


def _has_account() -> bool:
    try:
        return bool(pwd.getpwnam(ACCOUNT))
    except KeyError:
        return False


class Cluster:
    """The server. `archive` has the folder `wal` and the base backups; commands run as the account of PostgreSQL."""

    def __init__(self, folder: Path, bin: Path) -> None:
        self.folder, self.data, self.archive = folder, folder / "data", folder / "archive"
        self.bin, self.password = bin, secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        (self.archive / "wal").mkdir(parents=True)
        shutil.copytree(SCRIPTS, folder / "scripts")
        (folder / "password").write_text(self.password)
        if os.geteuid() == 0:
            for path in [folder, *folder.rglob("*")]:
                shutil.chown(path, ACCOUNT, ACCOUNT)

    @property
    def url(self) -> str:
        """The address of its database, as ENGAGE_DATABASE_URL."""
        return f"postgresql+psycopg://engage:{self.password}@127.0.0.1:{self.port}/postgres"

    def run(self, *words: object) -> str:
        """Run a program as the account of PostgreSQL; returns what it prints. Fails if it fails."""
        environ = {"PATH": f"{self.bin}:/usr/bin:/bin", "ARCHIVE_DIR": str(self.archive), "PGHOST": "127.0.0.1"}
        environ |= {"PGPORT": str(self.port), "PGUSER": "engage", "PGPASSWORD": self.password, "LC_ALL": "C.UTF-8"}
        account = ACCOUNT if os.geteuid() == 0 else None
        done = subprocess.run(
            [str(word) for word in words],
            env=environ,
            user=account,
            group=account,
            extra_groups=[] if account else None,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}{self.log()}"
        return done.stdout

    def script(self, name: str, *words: object) -> str:
        """Run a script of docs/deploy/postgresql."""
        return self.run(self.folder / "scripts" / name, *words)

    def create(self) -> None:
        """Create it with the settings of docs/operations.md."""
        self.run(
            *(self.bin / "initdb", "-D", self.data, "-U", "engage", "-A", "scram-sha-256", "-E", "UTF8"),
            *("--locale=C.UTF-8", f"--pwfile={self.folder / 'password'}"),
        )
        archive = f"{self.folder / 'scripts' / 'archive-wal'} %p %f"
        lines = ["archive_mode = on", f"archive_command = '{archive}'", "archive_timeout = 60"]
        lines += [f"port = {self.port}", "listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{self.folder}'"]
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write("\n".join(lines) + "\n")

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self.run(self.bin / "pg_ctl", "-D", self.data, "-l", self.folder / "server.log", "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it."""
        self.run(self.bin / "pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def log(self) -> str:
        """The end of the server's log."""
        path = self.folder / "server.log"
        return path.read_text()[-2000:] if path.exists() else ""

    def ask(self, statement: str) -> object:
        """The first value of an answer of the database; None if it has no rows."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            answer = connection.execute(statement)  # type: ignore[call-overload]
            row = answer.fetchone() if answer.description else None
        return row[0] if row else None

    def wait(self, true: Callable[[], object]) -> None:
        """Wait until something is true."""
        until = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < until, self.log()
            time.sleep(0.1)


@contextmanager
def cluster(bin: Path) -> Iterator[Cluster]:
    """A server that is running, and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="engage-cluster-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)  # another account works in it
        one = Cluster(Path(name), bin)
        one.create()
        one.start()
        try:
            yield one
        finally:
            _end(one)


def _end(one: Cluster) -> None:
    pid = one.data / "postmaster.pid"
    if pid.exists():
        os.kill(int(pid.read_text().split()[0]), signal.SIGQUIT)
        one.wait(lambda: not pid.exists())
