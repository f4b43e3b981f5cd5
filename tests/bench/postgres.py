"""A PostgreSQL cluster of its own for benchmarks."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Postgres:
    """A cluster of its own, with fsync and full pages, as installed."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://engage@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        self.folder.mkdir(mode=0o700)
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", "data", "-U", "engage", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1 -c max_connections=100"
        self._run("pg_ctl", "-D", "data", "-l", "server.log", "-w", "-o", options, "start")

    def stop(self, mode: str) -> None:
        self._run("pg_ctl", "-D", "data", "-m", mode, "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        (binaries,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
        user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run([*user, str(binaries / program), *arguments], cwd=self.folder, check=True, capture_output=True)


@contextmanager
def serving_postgres(folder: Path) -> Iterator[Postgres]:
    """Run a new cluster in a folder."""
    folder.parent.chmod(0o755)
    database = Postgres(folder, free_port())
    database.create()
    database.start()
    try:
        yield database
    finally:
        database.stop("fast")


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        return int(one.getsockname()[1])
