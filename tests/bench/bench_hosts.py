"""Two hosts on one PostgreSQL with fsync, while processes, hosts, and the database are killed:

    .venv/bin/python -m tests.bench.bench_hosts [--families 24] [--seconds 40]

Families repeat what was not acknowledged, at the other host. Afterwards every acknowledged submission must be stored,
once; the table says what they saw. PostgreSQL runs as the user postgres if this is root.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from engage.base.config import SEALING_FILE, SECRET_FILE
from engage.storage.engine import connect, read_session
from engage.storage.models.responses import Response
from tests.bench.families import Phone, Refused, Script, Server, Tally, _children, journey, prepare, script

KILLS = ("process", "process", "host", "database", "process", "host", "process", "database", "host")


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


class Wanderer(Phone):
    """A phone behind a balancer: after a failure it goes on at the other host."""

    ports: tuple[int, ...] = ()

    def hang_up(self) -> None:
        super().hang_up()
        others = [port for port in self.ports if port != self.port]
        self.port = others[0] if others else self.port


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        return int(one.getsockname()[1])


async def family(ports: tuple[int, ...], said: Script, tally: Tally, until: float) -> None:
    """One family after the other."""
    while time.monotonic() < until:
        phone = Wanderer(said.rng.choice(ports), tally, patient=True)
        phone.ports = ports
        try:
            await journey(phone, said, tally)
        except Refused as problem:
            tally.errors.append(str(problem))
        phone.hang_up()


async def killer(hosts: list[Server], database: Postgres, seconds: float, log: list[str]) -> None:
    """Kill something at regular times, and start it again."""
    rng = random.Random(1)
    for number, kind in enumerate(KILLS):
        await asyncio.sleep(seconds / (len(KILLS) + 1))
        host = hosts[number % 2]
        if kind == "process" and host.process is not None:
            os.kill(rng.choice(_children(host.process.pid)), signal.SIGKILL)
        elif kind == "host":
            await asyncio.to_thread(host.stop, signal.SIGKILL)
            await asyncio.to_thread(host.start)
        elif kind == "database":
            await asyncio.to_thread(database.stop, "immediate")
            await asyncio.to_thread(database.start)
        log.append(kind)


async def play(
    hosts: list[Server], database: Postgres, said: Script, families: int, seconds: float
) -> tuple[Tally, list[str]]:
    tally, log = Tally(), list[str]()
    until, ports = time.monotonic() + seconds, tuple(each.port for each in hosts)
    crowd = [family(ports, said, tally, until) for _ in range(families)]
    await asyncio.gather(killer(hosts, database, seconds, log), *crowd)
    return tally, log


def stored_keys(url: str) -> list[str]:
    engine = connect(url)
    with read_session(engine) as session:
        keys = list(session.scalars(select(Response.submission)))
    engine.dispose()
    return keys


def measure(folder: Path, families: int, seconds: float) -> tuple[Tally, list[str], list[str]]:
    """What the families saw, what is stored, and what was killed."""
    folder.chmod(0o755)
    database = Postgres(folder / "postgres", free_port())
    database.create()
    database.start()
    try:
        address = "http://127.0.0.1"
        hosts = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            hosts.append(Server(folder / name, free_port(), database_url=database.url, base_url=address))
        said = script(prepare(hosts[0].folder, "family-beliefs", address, database.url), 0.05)
        hosts[0].start()
        for shared in (SECRET_FILE, SEALING_FILE):
            shutil.copy(hosts[0].folder / shared, hosts[1].folder / shared)
        hosts[1].start()
        try:
            tally, log = asyncio.run(play(hosts, database, said, families, seconds))
        finally:
            for host in hosts:
                host.stop()
        return tally, stored_keys(database.url), log
    finally:
        database.stop("fast")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        tally, keys, log = measure(Path(name), options.families, options.seconds)
    kills = ", ".join(f"{count} x {kind}" for kind, count in Counter(log).items())
    waits = statistics.quantiles(tally.waits, n=100)
    print(f"{options.families} families, two hosts of two processes, PostgreSQL with fsync; killed: {kills}")
    print(f"acknowledged {len(tally.acknowledged)}, stored {len(keys)}, twice {len(keys) - len(set(keys))}")
    print(f"acknowledged and not stored {len(set(tally.acknowledged) - set(keys))}, sent again {tally.retries}")
    print(
        f"request ms: p50 {waits[49]:.1f}  p95 {waits[94]:.1f}  most {max(tally.waits):.0f}; errors {len(tally.errors)}"
    )
    print("\n".join(tally.errors[:5]))


if __name__ == "__main__":
    main()
