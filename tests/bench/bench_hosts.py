"""Two hosts and two workers on one PostgreSQL with fsync, while processes, hosts, workers, and the database are killed:

    .venv/bin/python -m tests.bench.bench_hosts [--families 24] [--seconds 60]

Families repeat what was not acknowledged, at the other host. Afterwards every acknowledged submission must be stored,
and every email that was queued meanwhile must have arrived, once; the table says what families saw. PostgreSQL runs as
the user postgres if this is root.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from engage.base.config import Settings
from engage.domain.mail.outbox import OutgoingMail, queue_mail
from engage.domain.security.encryption import Sealer
from engage.storage.engine import connect, read_session, write_session
from engage.storage.models.responses import Response
from tests.bench.families import Phone, Refused, Script, Server, Tally, _children, journey, prepare, script
from tests.bench.postgres import Postgres, free_port, serving_postgres
from tests.postbox import Postbox, a_postbox

KILLS = ("process", "worker", "host", "database", "worker", "process", "host", "database", "worker")
MAIL_EVERY = 0.5  # seconds
MAIL_SECONDS = 0.2  # that the mail server takes for each email
ADDRESS = "http://127.0.0.1"
PATIENCE = 120  # seconds until every email must have been sent


@dataclass
class Worker:
    """`engage worker` on a host."""

    host: Server
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "engage", "worker"]
        with (self.host.folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.host.environment(), stdout=log, stderr=log, start_new_session=True
            )

    def stop(self, how: signal.Signals) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, how)
            self.process.wait(30)
            self.process = None


@dataclass
class Site:
    """What is killed and restarted, and the emails that were queued and that arrived."""

    hosts: list[Server]
    workers: list[Worker]
    database: Postgres
    postbox: Postbox
    queued: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)

    def kill(self, kind: str, number: int, rng: random.Random) -> None:
        """Kill something, and start it again if nobody else does."""
        host, worker = self.hosts[number], self.workers[number]
        if kind == "process":
            assert host.process is not None
            os.kill(rng.choice(_children(host.process.pid)), signal.SIGKILL)
        elif kind == "host":
            host.stop(signal.SIGKILL)
            worker.stop(signal.SIGKILL)
            host.start()
            worker.start()
        elif kind == "worker":
            worker.stop(signal.SIGKILL)
            worker.start()
        else:
            self.database.stop("immediate")
            self.database.start()
        self.killed.append(kind)

    def queue_email(self, engine: Engine, sealer: Sealer) -> None:
        """Queue an email, unless the database is away."""
        letter = OutgoingMail("someone@large.example", "Hello", "Hello")
        with contextlib.suppress(DBAPIError), write_session(engine) as session:
            id = queue_mail(session, "bench", letter, sealer.seal, datetime.now(UTC))
            session.commit()
            self.queued.append(id)

    @property
    def arrived(self) -> list[str]:
        """The ids of the emails that arrived."""
        return [each.strip("<>").partition("@")[0] for each in self.postbox.ids]


class Wanderer(Phone):
    """A phone behind a balancer: after a failure it goes on at the other host."""

    ports: tuple[int, ...] = ()

    def hang_up(self) -> None:
        super().hang_up()
        others = [port for port in self.ports if port != self.port]
        self.port = others[0] if others else self.port


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


async def killer(site: Site, seconds: float) -> None:
    """Kill something at regular times."""
    rng = random.Random(1)
    for number, kind in enumerate(KILLS):
        await asyncio.sleep(seconds / (len(KILLS) + 1))
        await asyncio.to_thread(site.kill, kind, number % 2, rng)


async def mailer(site: Site, url: str, until: float) -> None:
    """Queue an email at regular times."""
    engine, sealer = connect(url), Sealer.of(Settings(data_dir=site.hosts[0].folder, shared_dir=_shared(site)))
    while time.monotonic() < until:
        await asyncio.to_thread(site.queue_email, engine, sealer)
        await asyncio.sleep(MAIL_EVERY)
    while set(site.queued) - set(site.arrived) and time.monotonic() < until + PATIENCE:
        await asyncio.sleep(0.5)
    engine.dispose()


def _shared(site: Site) -> str:
    return site.hosts[0].settings["ENGAGE_SHARED_DIR"]


async def play(site: Site, said: Script, families: int, seconds: float) -> Tally:
    """Let families answer, emails be sent, and everything be killed, at the same time."""
    tally, ports = Tally(), tuple(each.port for each in site.hosts)
    until = time.monotonic() + seconds
    crowd = [family(ports, said, tally, until) for _ in range(families)]
    await asyncio.gather(killer(site, seconds), mailer(site, site.database.url, until), *crowd)
    return tally


def stored_keys(url: str) -> list[str]:
    engine = connect(url)
    with read_session(engine) as session:
        keys = list(session.scalars(select(Response.submission)))
    engine.dispose()
    return keys


def measure(folder: Path, families: int, seconds: float) -> tuple[Tally, list[str], Site]:
    """What the families saw, what is stored, and what was killed and sent."""
    with serving_postgres(folder / "postgres") as database, a_postbox() as postbox:
        postbox.delays = {"DATA": MAIL_SECONDS}
        site = _create_site(folder, database, postbox)
        said = script(prepare(site.hosts[0].folder, "family-beliefs", ADDRESS, database.url), 0.05)
        for each in (*site.hosts, *site.workers):
            each.start()
        try:
            tally = asyncio.run(play(site, said, families, seconds))
        finally:
            for each in (*site.hosts, *site.workers):
                each.stop(signal.SIGTERM)
        return tally, stored_keys(database.url), site


def _create_site(folder: Path, database: Postgres, postbox: Postbox) -> Site:
    """Two hosts with a data directory each, and one shared directory."""
    (folder / "shared").mkdir(mode=0o700)
    settings = {
        "ENGAGE_SHARED_DIR": str(folder / "shared"),
        "ENGAGE_MAIL_SERVER": f"127.0.0.1:{postbox.port}",
        "ENGAGE_MAIL_SECURITY": "none",
        "ENGAGE_MAIL_FROM": "surveys@large.example",
    }
    hosts = []
    for name in ("one", "two"):
        (folder / name).mkdir(mode=0o700)
        hosts.append(Server(folder / name, free_port(), database_url=database.url, base_url=ADDRESS, settings=settings))
    return Site(hosts, [Worker(each) for each in hosts], database, postbox)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        tally, keys, site = measure(Path(name), options.families, options.seconds)
    kills = ", ".join(f"{count} x {kind}" for kind, count in Counter(site.killed).items())
    waits = statistics.quantiles(tally.waits, n=100)
    print(
        f"{options.families} families, two hosts of two processes, two workers, PostgreSQL with fsync; killed: {kills}"
    )
    print(f"acknowledged {len(tally.acknowledged)}, stored {len(keys)}, twice {len(keys) - len(set(keys))}")
    print(f"acknowledged and not stored {len(set(tally.acknowledged) - set(keys))}, sent again {tally.retries}")
    arrived = site.arrived
    twice, lost = len(arrived) - len(set(arrived)), len(set(site.queued) - set(arrived))
    print(f"emails queued {len(site.queued)}, arrived {len(arrived)}, twice {twice}, not arrived {lost}")
    print(
        f"request ms: p50 {waits[49]:.1f}  p95 {waits[94]:.1f}  most {max(tally.waits):.0f}; errors {len(tally.errors)}"
    )
    print("\n".join(tally.errors[:5]))


if __name__ == "__main__":
    main()
