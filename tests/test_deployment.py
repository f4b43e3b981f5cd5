"""The services of docs/deploy/compose without containers: the same commands, settings, directories, and scripts. One
machine is lost while families answer, and PostgreSQL is restored to a moment while others do."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from engage.base.config import BACKUP_FILE
from engage.storage.engine import connect, read_session
from engage.storage.models.responses import Response
from tests.bench.bench_hosts import Wanderer
from tests.bench.families import WAVE, Refused, Script, Tally, journey, prepare, script
from tests.cluster import PATIENCE, Cluster, cluster, programs
from tests.paths import ROOT
from tests.scrapes import Scrape

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # phones whose machine was killed
]

COMPOSE = ROOT / "docs" / "deploy" / "compose"
FAMILIES = 12  # at once
TOKEN = "a-token-of-the-tests-" + "0123456789" * 3


def service_command(name: str) -> list[str]:
    """What a service of compose.yaml runs."""
    command = yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))["services"][name]["command"]
    assert isinstance(command, list)
    return [str(word) for word in command]


@dataclass
class Deployment:
    """The machines, by the names of their services."""

    folder: Path
    database: Cluster
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environment(self, name: str) -> dict[str, str]:
        lines = (COMPOSE / "engage.env.example").read_text("utf-8").splitlines()
        settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        settings |= {"ENGAGE_BASE_URL": "http://127.0.0.1", "ENGAGE_PROXY_COUNT": "0", "ENGAGE_METRICS_TOKEN": TOKEN}
        settings |= {"ENGAGE_DATABASE_URL": self.database.url, "ENGAGE_SHARED_DIR": str(self.folder / "shared")}
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("ENGAGE_")}
        return inherited | settings | {"ENGAGE_DATA_DIR": str(self.folder / name)}

    def start(self, name: str) -> None:
        """Start a service, and wait until it is ready if it serves."""
        words = service_command(name)
        if "--port" in words:
            port = self.ports.setdefault(name, free_port())
            words[words.index("--port") + 1], words[words.index("--host") + 1] = str(port), "127.0.0.1"
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "engage", *words],
                env=self.environment(name),
                stdout=log,
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
            )
        if name in self.ports:
            self.database.wait(lambda: self.is_ready(name))

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop a service with all its processes."""
        process = self.running.pop(name)
        if how == signal.SIGKILL:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        process.wait(PATIENCE)

    def is_ready(self, name: str) -> bool:
        """As the proxy asks."""
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}/readyz", timeout=3) as one:
            return bool(one.status == 200)
        return False

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the machine of a service."""
        command = [sys.executable, "-m", "engage", *words]
        return subprocess.run(
            command, env=self.environment(name), capture_output=True, text=True, cwd=ROOT, timeout=300, check=False
        )

    def scrape(self, name: str) -> Scrape:
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[name]}/metrics")
        request.add_header("Authorization", f"Bearer {TOKEN}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Scrape(answer.read().decode())

    def stored(self) -> list[str]:
        """The submissions of all responses."""
        engine = connect(self.database.url)
        with read_session(engine) as session:
            keys = list(session.scalars(select(Response.submission)))
        engine.dispose()
        return keys


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[tuple[Deployment, Script]]:
    """Everything started in the order of compose.yaml, with an open survey."""
    bin = programs()
    if bin is None:
        pytest.skip("PostgreSQL cannot run here: apt-get install postgresql")
    with cluster(bin) as database:
        one = Deployment(tmp_path, database)
        (tmp_path / "shared").mkdir(mode=0o700)
        assert one.run("worker", *service_command("upgrade")).returncode == 0
        said = script(prepare(tmp_path / "prepared", "family-beliefs", "http://127.0.0.1", database.url), 0.05)
        database.script("base-backup")
        (tmp_path / "shared" / BACKUP_FILE).touch()
        for name in ("host-1", "host-2", "worker"):
            one.start(name)
        yield one, said
        for name in list(one.running):
            one.stop(name)


@contextmanager
def families(deployment: Deployment, said: Script) -> Iterator[Tally]:
    """Families who answer one after the other, and go to the other machine after a failure."""
    tally, going = Tally(), [True]
    ports = tuple(deployment.ports.values())

    async def one() -> None:
        while going:
            phone = Wanderer(said.rng.choice(ports), tally, patient=True)
            phone.ports = ports
            try:
                await journey(phone, said, tally)
            except Refused as problem:
                tally.errors.append(str(problem))
            phone.hang_up()

    async def crowd() -> None:
        await asyncio.gather(*(one() for _ in range(FAMILIES)))
        await asyncio.sleep(0.2)  # closed connections end in a later turn of the loop

    with ThreadPoolExecutor(1) as alone:
        answering = alone.submit(lambda: asyncio.run(crowd()))
        try:
            yield tally
        finally:
            going.clear()
            answering.result(PATIENCE)


def more(deployment: Deployment, tally: Tally, number: int) -> None:
    """Wait until this number of families more was acknowledged."""
    enough = len(tally.acknowledged) + number
    deployment.database.wait(lambda: len(tally.acknowledged) >= enough)


def test_a_machine_is_lost_while_families_answer(deployment: tuple[Deployment, Script]) -> None:
    site, said = deployment
    with families(site, said) as tally:
        more(site, tally, 30)
        site.stop("host-1", signal.SIGKILL)
        more(site, tally, 30)
        site.start("host-1")
        more(site, tally, 30)
    assert sorted(site.stored()) == sorted(tally.acknowledged), "each exactly once"
    assert tally.errors == []
    print(f"a machine lost: {len(tally.acknowledged)} acknowledged, {tally.retries} requests sent again")


def test_both_machines_and_the_worker_are_one_site(deployment: tuple[Deployment, Script]) -> None:
    site, said = deployment
    with families(site, said) as tally:
        more(site, tally, 30)
    scrapes = [site.scrape(name) for name in ("host-1", "host-2")]
    for each in scrapes:
        assert each.value("engage_database_up") == 1
        assert each.value("engage_backup_last_success_timestamp_seconds") > time.time() - 600
        assert each.value("engage_wal_archive_failures_total") == 0
        assert each.value("engage_disk_size_bytes", place="shared") > 0
        assert each.labels("process") >= {"parent", "1"}
    asked = sum(each.value("engage_requests_total", site="family", group="survey") for each in scrapes)
    assert asked > 30 * 10, "every family opened more than ten pages"
    for name in ("host-1", "host-2", "worker"):
        told = site.run(name, "doctor").stdout
        assert not [line for line in told.splitlines() if line.startswith("FAIL") and " shared " in line], told
    assert site.run("worker", "audit", "verify").returncode == 0
    assert '"level"' in (site.folder / "worker.log").read_text(), "the log is JSON, as the settings say"


def test_postgresql_is_restored_to_a_moment_while_families_answer(deployment: tuple[Deployment, Script]) -> None:
    site, said = deployment
    time.sleep(1.1)
    with families(site, said) as tally:
        more(site, tally, 30)
        earlier = set(site.stored())
        moment = str(site.database.ask("select clock_timestamp()"))
        later = set(site.stored())
        more(site, tally, 30)
        away = time.monotonic()
        for name in ("host-1", "host-2", "worker"):
            site.stop(name)
        site.database.stop()
        acknowledged = set(tally.acknowledged)
        site.database.script("restore-to-time", moment, site.database.data)
        site.database.start()
        site.database.wait(lambda: site.database.ask("select pg_is_in_recovery()") is False)
        restored = set(site.stored())
        assert site.run("worker", "audit", "verify", "--after-restore").returncode == 0
        assert site.run("worker", "retention", "run").returncode == 0
        for name in ("host-1", "host-2", "worker"):
            site.start(name)
        away = time.monotonic() - away
        more(site, tally, 30)
    assert earlier <= restored <= later, "what was there at the moment, and nothing that came later"
    lost = acknowledged - restored
    assert len(lost) >= 20
    now = site.stored()
    assert len(now) == len(set(now))
    assert set(now) - restored <= set(tally.acknowledged)
    assert not [each for each in tally.errors if not each.endswith(f" /en/w/{WAVE}")], "led to the survey's first page"
    assert len(tally.errors) <= FAMILIES, "only those whose survey was begun after the moment begin again"
    assert site.run("worker", "audit", "verify").returncode == 0
    print(
        f"restored: {len(restored)} kept, {len(lost)} lost, {away:.1f} s away, "
        f"{tally.retries} requests sent again, begun again {len(tally.errors)}"
    )
