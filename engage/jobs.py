"""Durable work in the background: what was begun is finished, whatever happens to the machine in between.

DBOS keeps what is to be done and which step of it was done: in DATA_DIR/jobs.db, or beside our tables where they are in
PostgreSQL. It is given ids only; what a letter says stays sealed in the outbox. One worker per data directory."""

import fcntl
import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions, WorkflowStatus
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import DBAPIError

from engage.access.sealing import SealBroken, Sealer
from engage.config import Settings, make_private
from engage.letters import outbox
from engage.letters.accepted import FILE, Accepted
from engage.letters.smtp import MailServer, NotNow, Refused, hand_in, message
from engage.records.mail import Mail
from engage.records.session import connect, reading, writing

APP = "engage"
VERSION = "1"  # of the workflows below; a new one only if an older worker's half-done work could not be finished
QUEUE = "letters"
SENDERS = 4  # letters on the way at a time; mail services allow few lines at once (Exchange Online: 3 to 10)
TURN = 0.25  # seconds between looks into DBOS's own queue
LOOK = 1.0  # seconds between looks into the outbox
AT_ONCE = 200  # letters put on the queue in one look
FORGET = 600.0  # seconds after which the worker asks anew about letters it has put on the queue
LEFT = timedelta(minutes=15)  # a letter on the way for longer was left by a worker that is gone
TIDY = 3600.0  # seconds between looks for finished work that is old
SETTLE_TRIES = 8  # times a result is written to a database that does not answer: 1 + 2 + … + 64 s
FINISH = 8  # seconds to finish what is on the way after being told to stop

log = logging.getLogger("engage.jobs")

SENT, LATER, NEVER, PASSED = "sent", "later", "never", "passed"
Outcome = list[str]  # one of the four, and a sentence: a list, because that is what JSON gives back


@dataclass(frozen=True, slots=True)
class Ground:
    """What the work stands on."""

    engine: Engine
    sealer: Sealer
    server: MailServer | None
    accepted: Accepted
    name: str
    clock: Callable[[], datetime]


def work(settings: Settings, stopping: Callable[[float], bool]) -> None:
    """Do what waits, until `stopping(seconds)`, which waits so long, is true. Waits for another worker of the same
    data directory to end first. Raises MailSetup, KeyProblem."""
    server = MailServer.of(settings)
    with _alone(settings.data_dir, stopping) as mine:
        if not mine:
            return
        ground = _ground(settings, server)
        _launch(settings, ground)
        try:
            _watch(Outbox(ground), stopping)
        finally:
            DBOS.destroy(workflow_completion_timeout_sec=FINISH)
            ground.engine.dispose()


class Outbox:
    """Puts letters that wait on the queue, once for each of their turns."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.known: dict[str, float] = {}

    def look(self) -> int:
        """Put what waits on the queue; returns how many."""
        if self.ground.server is None:
            return 0
        now = time.monotonic()
        with reading(self.ground.engine) as session:
            waiting = outbox.waiting(session)
        names = {_name(due.id, due.turn) for due in waiting}
        self.known = {name: at for name, at in self.known.items() if name in names and now - at < FORGET}
        fresh = [due for due in waiting if _name(due.id, due.turn) not in self.known][:AT_ONCE]
        for due in fresh:
            self._put(due)
            self.known[_name(due.id, due.turn)] = now
        return len(fresh)

    def _put(self, due: outbox.Due) -> None:
        name = _name(due.id, due.turn)
        there = DBOS.get_workflow_status(name)
        if there is None:
            options: EnqueueOptions = {"workflow_name": QUEUE, "queue_name": QUEUE, "workflow_id": name}
            if due.pause:
                options["delay_seconds"] = due.pause
            DBOS.enqueue_workflow_with_options(options, due.id, due.turn)
        elif there.status in ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"):
            self._disagree(due, there)
        elif there.status == "PENDING" and _left(there):
            DBOS.resume_workflow(name, queue_name=QUEUE)

    def _disagree(self, due: outbox.Due, there: WorkflowStatus) -> None:
        """The work is done but the letter waits: an older copy of the database was put back, or the result could not
        be written. What is known to be sent is not sent again."""
        with writing(self.ground.engine) as session:
            if there.status == "SUCCESS" and there.output and there.output[0] == SENT:
                outbox.mark_sent(session, due.id, self.ground.clock())
            elif outbox.the_due(session, due.id, due.turn):
                outbox.try_again(session, due.id)
            session.commit()


def _ground(settings: Settings, server: MailServer | None) -> Ground:
    engine = connect(settings.database)
    with reading(engine) as session:
        waiting = [due.id for due in outbox.waiting(session)]
    accepted = Accepted(settings.data_dir / FILE, waiting)
    name = settings.district_name
    return Ground(engine, Sealer.of(settings), server, accepted, name, lambda: datetime.now(UTC))


def _watch(letters: Outbox, stopping: Callable[[float], bool]) -> None:
    tidied = time.monotonic()
    while True:
        try:
            letters.look()
            if time.monotonic() - tidied > TIDY:
                tidied = time.monotonic()
                _tidy(letters.ground.clock() - timedelta(days=30))
        except DBAPIError as problem:
            log.error("the database did not answer: %s", problem)
        if stopping(LOOK):
            return


def _launch(settings: Settings, ground: Ground) -> None:
    """Start DBOS over its own tables; what a worker of this data directory left half-done is taken up again."""
    config: DBOSConfig = {
        "name": APP,
        "system_database_url": _database(settings),
        "application_version": VERSION,
        "executor_id": _worker_id(settings.data_dir),
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
    }
    _teach(ground)
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=SENDERS, polling_interval_sec=TURN, on_conflict="always_update")


def _teach(ground: Ground) -> None:
    """The workflow of a letter: two steps, each of them done once and its outcome kept."""

    @DBOS.step(name="hand in")
    def attempt(id: str, turn: int) -> Outcome:
        return _attempt(ground, id, turn)

    @DBOS.step(name="settle", retries_allowed=True, max_attempts=SETTLE_TRIES)
    def settle(id: str, turn: int, outcome: Outcome) -> None:
        _settle(ground, id, turn, outcome)

    @DBOS.workflow(name=QUEUE, max_recovery_attempts=None)
    def letter(id: str, turn: int) -> Outcome:
        outcome = attempt(id, turn)
        settle(id, turn, outcome)
        return outcome


def _attempt(ground: Ground, id: str, turn: int) -> Outcome:
    """Hand a letter in, unless it is not its turn or a server has taken it already."""
    with ground.accepted.one_at_a_time(id):
        with reading(ground.engine) as session:
            mail = outbox.the_due(session, id, turn)
        if id in ground.accepted:
            return [SENT, ""]
        if mail is None or ground.server is None:
            return [PASSED, ""]
        return _handed_in(ground, ground.server, mail)


def _handed_in(ground: Ground, server: MailServer, mail: Mail) -> Outcome:
    try:
        letter = outbox.opened(mail, ground.sealer.open)
        made = message(letter, mail.id, server, ground.name, ground.clock())
        hand_in(made, server, lambda: ground.accepted.add(mail.id))
    except NotNow as problem:
        return [LATER, str(problem)]
    except (Refused, SealBroken, ValueError) as problem:
        return [NEVER, str(problem)]
    return [SENT, ""]


def _settle(ground: Ground, id: str, turn: int, outcome: Outcome) -> None:
    how, sentence = outcome
    with writing(ground.engine) as session:
        if how == SENT:
            outbox.mark_sent(session, id, ground.clock())
        elif how == LATER:
            outbox.mark_tried(session, id, turn, sentence)
        elif how == NEVER:
            outbox.mark_failed(session, id, turn, sentence)
        session.commit()


def _name(id: str, turn: int) -> str:
    return f"{id}-{turn}"


def _left(there: WorkflowStatus) -> bool:
    since = (there.updated_at or 0) / 1000  # milliseconds
    return there.executor_id != DBOS.executor_id and time.time() - since > LEFT.total_seconds()


def _tidy(before: datetime) -> None:
    """Forget finished work that is old, a thousand at a time."""
    done = ["SUCCESS", "ERROR", "CANCELLED"]
    old = DBOS.list_workflows(
        status=done, completed_before=before.isoformat(), limit=1000, load_input=False, load_output=False
    )
    if old:
        DBOS.delete_workflows([each.workflow_id for each in old])


def _database(settings: Settings) -> str:
    """DBOS's own database: ours where it is PostgreSQL, where it uses a schema of its own; else a file."""
    if make_url(settings.database).get_backend_name() != "sqlite":
        return settings.database
    path = settings.data_dir.resolve() / "jobs.db"
    kept = sqlite3.connect(path)
    kept.execute("PRAGMA journal_mode=WAL")  # stays with the file; a commit costs one fsync instead of three
    kept.close()
    return f"sqlite:///{path}"


def _worker_id(folder: Path) -> str:
    """Which worker this is, the same after each start: it takes up its own work and leaves that of others."""
    path = folder / "worker-id"
    if not path.exists():
        make_private(path, secrets.token_hex(16))
    return path.read_text("ascii")


@contextmanager
def _alone(folder: Path, stopping: Callable[[float], bool]) -> Iterator[bool]:
    """Hold the data directory's only place for a worker; the system gives it back whatever way a process ends.
    Yields False where `stopping` came first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(folder / "worker.lock", "w") as file:
        while not _locked(file.fileno()):
            if stopping(LOOK):
                yield False
                return
        yield True


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
