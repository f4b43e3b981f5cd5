"""Simulated families: scripted journeys over raw sockets against a real `engage serve`, for benchmarks and crash
tests."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from urllib.parse import urlencode

from sqlalchemy import select

from engage.base.catalogs import survey_catalogues
from engage.base.config import Settings
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.model import Question
from engage.questionnaire.pages import Plan, build_plan
from engage.questionnaire.question_types import CHOICE_KINDS
from engage.storage.engine import connect, read_session, write_session
from engage.storage.models.responses import Response
from engage.storage.models.schools import School
from engage.storage.models.waves import StoredEdition, Wave
from engage.storage.upgrade import upgrade

WAVE = "bench"
VARIANTS = 40  # different answers prepared for each page, to keep the cost of the client low
LONG = 3650  # days, so that the wave is always open
HEAD = "Host: {host}\r\nAccept-Encoding: gzip\r\nAccept-Language: es,en;q=0.8\r\nUser-Agent: family\r\n"


def prepare(folder: Path, slug: str, url: str, database_url: str = "") -> Plan:
    """Create a site with one open wave of a shipped survey; returns the survey's pages."""
    edition = build_edition(shipped_survey(slug, version=1), survey_catalogues())
    engine = connect(Settings(data_dir=folder, base_url=url, database_url=database_url).database)
    upgrade(engine)
    today = date.today()
    days = {"opens": date.fromordinal(today.toordinal() - 1), "closes": date.fromordinal(today.toordinal() + LONG)}
    with write_session(engine) as session:
        session.add(School(id="lincoln", name="Lincoln Elementary"))
        session.add(StoredEdition(digest=edition.digest, slug=slug, document=edition.document, stored_on=today))
        session.flush()
        wave = Wave(id=WAVE, edition_digest=edition.digest, title="Bench", identity="anonymous", entry="open", **days)
        wave.results_on, wave.languages = None, "en es ar"
        wave.schools = list(session.scalars(select(School)))
        session.add(wave)
        session.commit()
    engine.dispose()
    return build_plan(edition)


def stored(folder: Path, database_url: str = "") -> tuple[list[str], str]:
    """Return the submission keys of all responses, and SQLite's integrity check of the file; PostgreSQL has none."""
    engine = connect(Settings(data_dir=folder, database_url=database_url).database)
    with read_session(engine) as session:
        keys = list(session.scalars(select(Response.submission)))
        integrity = "unknown"
        if engine.dialect.name == "sqlite":
            integrity = session.connection().exec_driver_sql("PRAGMA integrity_check").scalar_one()
    engine.dispose()
    return keys, str(integrity)


@dataclass
class Server:
    """`engage serve` in its own process group."""

    folder: Path
    port: int
    processes: int = 2
    threads: int = 4
    process: subprocess.Popen[bytes] | None = None
    database_url: str = ""
    base_url: str = ""
    """The site's address if several servers share it."""
    worker: bool = False
    """Whether a worker runs too; families need none, since no email is sent."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """More environment variables."""

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-c", "from engage.cli import main; main()", "serve", "--port", str(self.port)]
        command.append("--worker" if self.worker else "--no-worker")
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--processes", str(self.processes), "--threads", str(self.threads)],
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as line:
                line.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                if line.recv(100).startswith(b"HTTP/1.0 200"):
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the server does not answer:\n{(self.folder / 'server.log').read_text()[-2000:]}")

    def environment(self) -> dict[str, str]:
        """Return the environment of this host's processes."""
        return os.environ | {
            "ENGAGE_DATA_DIR": str(self.folder),
            "ENGAGE_BASE_URL": self.base_url or f"http://127.0.0.1:{self.port}",
            "ENGAGE_DATABASE_URL": self.database_url,
            "ENGAGE_SECOND_FACTOR": "offered",  # benchmarks have no authenticator app
            **self.settings,
        }

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the whole group; SIGKILL prevents any cleanup."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, how)
            self.process.wait(30)
            self.process = None

    def cpu(self) -> float:
        """Return the seconds of CPU that the group has used."""
        assert self.process is not None
        return sum(_cpu(pid) for pid in self.pids())

    def pids(self) -> list[int]:
        """Return the ids of the group's processes, the supervisor first."""
        assert self.process is not None
        return [self.process.pid, *_children(self.process.pid)]


@contextlib.contextmanager
def serving(
    folder: Path, slug: str = "family-beliefs", threads: int = 4, database_url: str = ""
) -> Iterator[tuple[Server, Plan]]:
    """Create and serve a site; yields the server and the pages of its survey."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    plan = prepare(folder, slug, f"http://127.0.0.1:{port}", database_url)
    server = Server(folder, port, threads=threads, database_url=database_url)
    server.start()
    try:
        yield server, plan
    finally:
        server.stop()


@dataclass
class Tally:
    """Results of the families. `acknowledged` are submission keys; `waits` are the milliseconds of each request;
    `posts` are the start (`time.perf_counter`) and milliseconds of those that store something."""

    acknowledged: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    posts: list[tuple[float, float]] = field(default_factory=list)
    bytes: int = 0
    errors: list[str] = field(default_factory=list)
    retries: int = 0
    asked: int = 0


class Refused(Exception):
    """The server answered with something that no family should get."""


class Phone:
    """One keep-alive connection. A request without an answer is repeated until there is one."""

    def __init__(self, port: int, tally: Tally, patient: bool) -> None:
        self.port, self.tally, self.patient = port, tally, patient
        self.cookie = ""
        self.lines: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.head = HEAD.format(host=f"127.0.0.1:{port}")

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        """Return the status and the redirect target."""
        while True:
            began = time.perf_counter()
            try:
                status, headers = await asyncio.wait_for(self._once(method, path, body), 20)
            except (OSError, EOFError, TimeoutError) as problem:
                self.hang_up()
                if not self.patient:
                    raise Refused(f"{method} {path}: {problem!r}") from problem
                self.tally.retries += 1
                await asyncio.sleep(0.1)
                continue
            self.tally.waits.append((time.perf_counter() - began) * 1000)
            if method == "POST":
                self.tally.posts.append((began, self.tally.waits[-1]))
            if status >= 500 and self.patient:
                self.tally.retries += 1
                await asyncio.sleep(0.1)
                continue
            return status, headers

    async def _once(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        if self.lines is None:
            self.lines = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.lines
        head = f"{method} {path} HTTP/1.1\r\n{self.head}"
        if self.cookie:
            head += f"Cookie: {self.cookie}\r\n"
        if method == "POST":
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"\r\n" + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length, place = 0, ""
        for line in answer.split(b"\r\n"):
            name, _, value = line.partition(b": ")
            match name.lower():
                case b"content-length":
                    length = int(value)
                case b"location":
                    place = value.decode()
                case b"set-cookie":
                    self.cookie = value.decode().partition(";")[0]
        if length:
            await reader.readexactly(length)
        self.tally.bytes += len(answer) + length
        return int(answer[9:12]), place

    def hang_up(self) -> None:
        """Close the connection."""
        if self.lines is not None:
            self.lines[1].close()
            self.lines = None

    @property
    def submission(self) -> str:
        """Return the key under which this phone's answers are stored, computed from its cookie."""
        secret = base64.urlsafe_b64decode(self.cookie.partition("=")[2] + "=")
        return hashlib.sha256(b"submission" + secret + WAVE.encode()).hexdigest()


@dataclass
class Script:
    """A family's answers: prepared forms for each page, and the share of families that ask the school a question.
    `begin` is the first form (their school, if there are several); `think` is the maximum pause in seconds before each
    request."""

    forms: list[list[bytes]]
    asking_forms: list[bytes]
    asking_page: int
    share: float
    rng: Random
    begin: bytes = b""
    think: float = 0

    def form(self, number: int, asks: bool) -> bytes:
        """Return a filled-in page."""
        asking = asks and number == self.asking_page
        return self.rng.choice(self.asking_forms if asking else self.forms[number - 1])


def script(plan: Plan, share: float, seed: int = 1) -> Script:
    """Return random valid answers for every page of a survey."""
    rng = Random(seed)
    forms = [[_form(page.slots, rng, False) for _ in range(VARIANTS)] for page in plan.pages]
    page = next(page for page in plan.pages if any(slot.question.asks == "question" for slot in page.slots))
    return Script(forms, [_form(page.slots, rng, True) for _ in range(VARIANTS)], page.number, share, rng)


async def journey(phone: Phone, said: Script, tally: Tally) -> None:
    """Run a journey from the language list to the thanks page."""
    asks = said.rng.random() < said.share
    for path in ("/", "/en/", f"/en/w/{WAVE}"):
        await _expect(phone, 200, "GET", path)
    where = await _expect(phone, 303, "POST", f"/en/w/{WAVE}", said.begin)
    while not where.endswith("/check"):
        if not where.partition("?")[0].rpartition("/")[2].isdecimal():
            raise Refused(f"answering led to {where}")  # the draft is gone
        await _expect(phone, 200, "GET", where)
        await asyncio.sleep(said.rng.random() * said.think)
        where = where.partition("?")[0]
        number = int(where.rpartition("/")[2])
        where = await _expect(phone, 303, "POST", where, said.form(number, asks))
    await _expect(phone, 200, "GET", where)
    where = await _expect(phone, 303, "POST", where)
    if "/thanks" not in where:
        raise Refused(f"sending the answers led to {where}")
    tally.acknowledged.append(phone.submission)
    tally.asked += asks
    if "?sent" in where:
        where = await _expect(phone, 303, "GET", where)
    await _expect(phone, 200, "GET", where)


async def crowd(port: int, families: int, said: Script, tally: Tally, going: Callable[[], bool], patient: bool) -> None:
    """Run journeys of this number of concurrent families, each with its own connection, as long as `going()` is
    true."""

    async def one() -> None:
        while going():
            phone = Phone(port, tally, patient)
            try:
                await journey(phone, said, tally)
            except Refused as problem:
                tally.errors.append(str(problem))
            phone.hang_up()

    await asyncio.gather(*(one() for _ in range(families)))


async def _expect(phone: Phone, wanted: int, method: str, path: str, body: bytes = b"") -> str:
    status, place = await phone.ask(method, path, body)
    if status != wanted:
        raise Refused(f"{method} {path}: {status} {place}")
    return place


def _form(slots: object, rng: Random, asks: bool) -> bytes:
    fields: list[tuple[str, str]] = []
    for slot in slots:  # type: ignore[attr-defined]
        fields += [(slot.key, value) for value in _values(slot.question, rng, asks)]
    return urlencode(fields).encode()


def _values(question: Question, rng: Random, asks: bool) -> list[str]:
    if question.asks == "question":
        return ["When does the bus come?"] if asks else []
    if question.asks == "help" or (question.kind != "number" and rng.random() < 0.1):
        return []  # a number that decides which pages follow is requested once more
    if question.kind in CHOICE_KINDS:
        codes = [choice.code for choice in question.choices if not choice.exclusive]
        return rng.sample(codes, rng.randint(1, 3)) if question.kind == "several" else [rng.choice(codes)]
    if question.kind == "number":
        return [str(rng.randint(question.minimum or 0, min(question.maximum or 9, 3)))]
    return ["We hope for small classes and time to talk."] if rng.random() < 0.4 else []


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
