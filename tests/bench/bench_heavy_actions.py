"""How long families wait while staff of a large district do something heavy, and the memory of all processes after it.

    .venv/bin/python -m tests.bench.bench_heavy_actions [--size L] [--folder F] [--postgresql]

A district (`large_district`; generated in FOLDER if it does not exist) is served by two processes and a worker. Eight
phones answer the wave with an open link, with a pause of up to half a second before each page, while each page, action,
and command of `large_visits` that is heavy runs once. Printed for each: how long staff wait, with the worker's job if
there is one, how long families' POST requests take, and the CPU seconds of the server and its worker. It works on a
copy, since the actions change the district. With `--postgresql` it is on a PostgreSQL of its own, with fsync, on this
machine.
"""

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import requests
from sqlalchemy import Engine, func, select

from engage.base.catalogs import survey_catalogues
from engage.base.config import Settings
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.pages import build_plan
from engage.storage.engine import connect
from engage.storage.models.jobs import Export, FigureCount
from engage.storage.models.paper import Packet
from tests.bench.families import Script, Server, Tally, crowd, script
from tests.bench.large_district import DRAFT, OPEN_LINK, SIZES, WAVES, generate
from tests.bench.large_history import ADMINISTRATOR, LEADER, LIAISON, PASSWORD, school
from tests.bench.large_visits import ACTIONS, CHECKPOINTS, TOKEN, Visit, with_number
from tests.bench.postgres import serving_postgres
from tests.domain.roster.generator import large

PHONES = 8
THINK = 0.5  # seconds of pause before each page, at most
QUIET = 5.0  # seconds without staff, for comparison
LEAST = 4.0  # seconds for which families are measured if an action takes less
PATIENCE = 600  # seconds staff wait for a page
STUDENTS = 2  # per household, in the roster that replaces all others

_EVENTS = f"/staff/district/waves/{OPEN_LINK}/events"
# All phones answer from one school and one network, which would be flagged
ANNOUNCED = Visit("event", LEADER, _EVENTS, _EVENTS, {"school": school(0), "day": date.today().isoformat()})
# With the worker's priority
LARGEST_COUNT = ["nice", "-n", "5", sys.executable, "-m", "tests.bench.bench_suppression", "300", "30", "60"]
# Before the actions: the draft is counted in the first visit
VISITS = (
    Visit("draft", LEADER, f"{CHECKPOINTS}/{DRAFT}"),
    Visit("draft again", LEADER, f"{CHECKPOINTS}/{DRAFT}"),
    Visit("draft figures.csv", LEADER, f"{CHECKPOINTS}/{DRAFT}/figures.csv"),
)


class HttpBrowser:
    """A browser of a person, signed in, over HTTP."""

    def __init__(self, url: str, email: str) -> None:
        self.url, self.session = url, requests.Session()
        self.post("/staff/login", "/staff/login", {"email": email, "password": PASSWORD})()

    def get(self, path: str) -> Callable[[], int]:
        """The action of opening a page; it returns the number of bytes."""
        return lambda: _size(self.session.get(self.url + path, timeout=PATIENCE))

    def post(self, form: str, path: str, fields: Mapping[str, str]) -> Callable[[], int]:
        """The action of sending a form; the page with the form is opened now."""
        found = TOKEN.search(self.session.get(self.url + form, timeout=PATIENCE).text)
        assert found, f"{form} has no form"
        data = {**fields, "csrf_token": found[1]}
        return lambda: _size(self.session.post(self.url + path, data=data, timeout=PATIENCE))


def _size(response: requests.Response) -> int:
    if response.status_code != 422:  # a form with an error, as the visit wants it
        response.raise_for_status()
    assert "/staff/login" not in response.url, "not signed in"
    return len(response.content)


@dataclass(frozen=True, slots=True)
class Site:
    """A served district, its database, and what families answer."""

    server: Server
    engine: Engine
    said: Script

    def command(self, *arguments: str) -> None:
        """Run a command of the command line."""
        environment = os.environ | {
            "ENGAGE_DATA_DIR": str(self.server.folder),
            "ENGAGE_DATABASE_URL": self.server.database_url,
        }
        subprocess.run([sys.executable, "-m", "engage", *arguments], env=environment, check=True, capture_output=True)

    def wait_for_jobs(self) -> None:
        """Wait until the worker has counted, made, and drawn everything."""
        done = ("ready", "failed", "cancelled")
        waiting = [select(func.count()).where(jobs.state.not_in(done)) for jobs in (Packet, Export, FigureCount)]
        while True:
            with self.engine.execution_options(reads=True).connect() as connection:
                if not any(connection.scalar(each) for each in waiting):
                    return
            time.sleep(0.2)


def measure(site: Site, what: str, deed: Callable[[], object]) -> None:
    """Measure one action while families answer, and print a line."""
    tally, cpu = Tally(), site.server.cpu()

    async def both() -> tuple[float, float, float]:
        done = asyncio.Event()
        phones = asyncio.create_task(crowd(site.server.port, PHONES, site.said, tally, lambda: not done.is_set(), True))
        await asyncio.sleep(1)
        began = time.perf_counter()
        await asyncio.to_thread(deed)
        ended = time.perf_counter()
        await asyncio.sleep(max(0.0, LEAST - (ended - began)))
        measured = time.perf_counter()
        done.set()
        await phones
        return began, ended, measured

    began, ended, measured = asyncio.run(both())
    posts = sorted(waited for at, waited in tally.posts if began <= at < measured)
    p50, p95 = (posts[int(len(posts) * share)] for share in (0.5, 0.95))
    print(
        f"{what:<22} {ended - began:>7.2f} s   POST p50 {p50:>6.0f}  p95 {p95:>6.0f}  max {posts[-1]:>6.0f} ms"
        f"  of {len(posts):>5}   sent again {tally.retries:>3}  errors {len(tally.errors)}"
        f"   {site.server.cpu() - cpu:>6.1f} s CPU",
        *tally.errors[:1],
        flush=True,
    )


def measure_all(site: Site, files: Path) -> None:
    """Measure everything, one after the other."""
    url = f"http://127.0.0.1:{site.server.port}"
    browsers = {who: HttpBrowser(url, who) for who in (LEADER, LIAISON, ADMINISTRATOR)}
    ANNOUNCED.prepare(None, browsers)()  # type: ignore[arg-type]
    measure(site, "nothing", lambda: time.sleep(QUIET))
    for visit in (*VISITS, *ACTIONS):
        asked = with_number(visit, site.engine).prepare(None, browsers)  # type: ignore[arg-type]
        measure(site, visit.name, lambda asked=asked: (asked(), site.wait_for_jobs()))  # type: ignore[misc]
    for name, arguments in (
        ("retention run", ("retention", "run")),
        ("keys rotate", ("keys", "rotate")),
        *([] if site.server.database_url else [("backup", ("backup", str(files / "backup")))]),
        ("a whole new roster", ("roster", "import", str(files / "roster"), "--yes")),
    ):
        measure(site, name, lambda arguments=arguments: site.command(*arguments))  # type: ignore[misc]
    measure(site, "300 x 30 x 60 counted", lambda: subprocess.run(LARGEST_COUNT, check=True, capture_output=True))
    measure(site, "nothing", lambda: time.sleep(QUIET))


def print_memory(server: Server) -> None:
    """Print the memory of each process of the server in MB, now and at its peak."""
    for pid in server.pids():
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[-40:]
        now, peak = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
        print(f"{command:<42} {now:>6.0f} MB, at most {peak:>6.0f} MB")


@contextmanager
def serving(folder: Path, database: str) -> Iterator[Site]:
    """Serve a district, with a worker."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    survey = shipped_survey(next(each.slug for each in WAVES if each.id == OPEN_LINK), version=1)
    said = script(build_plan(build_edition(survey, survey_catalogues())), 0.1)
    said.begin, said.think = urlencode({"school": school(0)}).encode(), THINK
    server = Server(folder, port, database_url=database, worker=True)
    engine = connect(Settings(data_dir=folder, database_url=database).database)
    server.start()
    try:
        yield Site(server, engine, said)
    finally:
        server.stop()
        engine.dispose()


def main() -> None:
    """Generate the district if needed, serve a copy of it, and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=list(SIZES), default="L")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        place, size = Path(name), SIZES[options.size]
        large(place / "roster", STUDENTS * size.households)
        if options.postgresql:
            url = stack.enter_context(serving_postgres(place / "postgres")).url
            (place / "served").mkdir()
            generate(Settings(data_dir=place / "served", database_url=url), size, date.today())
        else:
            url, made = "", (options.folder or place / "made") / options.size
            if not (made / "engage.db").exists():
                made.mkdir(parents=True, exist_ok=True)
                generate(Settings(data_dir=made), size, date.today())
            shutil.copytree(made, place / "served")
        site = stack.enter_context(serving(place / "served", url))
        measure_all(site, place)
        print_memory(site.server)


if __name__ == "__main__":
    main()
