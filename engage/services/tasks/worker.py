"""The worker: DBOS stores which work is to be done and which steps are done, in DATA_DIR/jobs.db, or in PostgreSQL
beside the site's tables. One worker per data directory; several machines can each have one."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from engage.base.config import Settings
from engage.base.files import try_lock
from engage.base.shared_dir import HostRecord, read_worker_id
from engage.domain.mail import outbox
from engage.domain.mail.delivery_log import FILE, AcceptedMailLog
from engage.domain.mail.smtp import MailServer
from engage.services.retention.running import Retention
from engage.services.runtime import WORKER, open_runtime
from engage.services.tasks import count_figures, draw_packets, make_exports, send_mail, store_roster
from engage.services.tasks.context import WorkerContext
from engage.services.tasks.roster_updates import RosterUpdates
from engage.services.tasks.run_retention import NightlyRetention
from engage.storage.engine import read_session

APP = "engage"
VERSION = "1"  # of the workflows; change only if unfinished work of an older worker could not be completed
TURN = 0.25  # seconds between polls of DBOS's own queues
LOOK = 1.0  # seconds between polls for waiting work
TIDY = 3600.0  # seconds between cleanups of old finished work
FINISH = 8  # seconds to finish work in progress after being told to stop
QUEUES = (  # and how many of each are worked on at a time
    (send_mail.QUEUE, send_mail.SENDERS),
    (draw_packets.QUEUE, draw_packets.DRAWERS),
    (count_figures.QUEUE, count_figures.COUNTERS),
    (make_exports.QUEUE, make_exports.MAKERS),
)

log = logging.getLogger("engage.worker")


def run_worker(settings: Settings, stopping: Callable[[float], bool], retention: Retention) -> None:
    """Run waiting tasks, and retention each night, until `stopping(seconds)`, which waits that long, is true. Waits for
    another worker of the same data directory to end first. Raises MailSettingProblem, KeyProblem."""
    server = MailServer.of(settings)
    with _worker_lock(settings.data_dir, stopping) as is_mine:
        if not is_mine:
            return
        context = _build_context(settings, server, stopping)
        nightly = (
            NightlyRetention(context.runtime.engine, retention, read_worker_id(settings.data_dir)),
            RosterUpdates(context.runtime, context.stopping),
        )
        _launch_dbos(context)
        try:
            _poll_queues(context, nightly, stopping)
        finally:
            DBOS.destroy(workflow_completion_timeout_sec=FINISH)
            for each in nightly:
                each.stop(FINISH)
            context.runtime.engine.dispose()


def _build_context(settings: Settings, server: MailServer | None, stopping: Callable[[float], bool]) -> WorkerContext:
    runtime = open_runtime(settings, purpose=WORKER)
    with read_session(runtime.engine) as session:
        waiting = [due.id for due in outbox.list_waiting_mail(session)]
    accepted = _open_accepted_log(settings, waiting)
    return WorkerContext(runtime, server, accepted, lambda: stopping(0))


def _open_accepted_log(settings: Settings, waiting: list[str]) -> AcceptedMailLog:
    """The log of accepted mail. With a shared directory, each worker writes its own file there and reads all."""
    if not settings.shared_dir:
        return AcceptedMailLog(settings.data_dir / FILE, waiting)
    path = settings.site_dir / f"{FILE}-{read_worker_id(settings.data_dir)}"
    return AcceptedMailLog(path, waiting, lambda: settings.site_dir.glob(f"{FILE}*"))


def _poll_queues(
    context: WorkerContext, nightly: tuple[NightlyRetention, RosterUpdates], stopping: Callable[[float], bool]
) -> None:
    host = HostRecord(context.runtime.settings, context.runtime.clock)
    queues = (send_mail.MailQueue, draw_packets.PacketQueue, count_figures.CountQueue, make_exports.ExportQueue)
    imports = store_roster.InterruptedImports(context.runtime, context.stopping)
    tidied, polled = time.monotonic(), (*(queue(context) for queue in queues), imports, *nightly, host)
    while True:
        try:
            for each in polled:
                each.poll()
            if time.monotonic() - tidied > TIDY:
                tidied = time.monotonic()
                _delete_old_workflows(context.database_now() - timedelta(days=30))
        except DBAPIError as problem:
            log.error("the database did not answer: %s", problem)
        if stopping(LOOK):
            return


def _launch_dbos(context: WorkerContext) -> None:
    """Start DBOS with its own tables; unfinished work of an earlier worker of this data directory is resumed."""
    config: DBOSConfig = {
        "name": APP,
        "system_database_url": _dbos_database_url(context.runtime.settings),
        "application_version": VERSION,
        "executor_id": read_worker_id(context.runtime.settings.data_dir),
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
    }
    for task in (send_mail, draw_packets, count_figures, make_exports):
        task.register_workflow(context)
    DBOS(config=config)
    DBOS.launch()
    for queue, at_once in QUEUES:
        DBOS.register_queue(queue, worker_concurrency=at_once, polling_interval_sec=TURN, on_conflict="always_update")


def _delete_old_workflows(before: datetime) -> None:
    """Delete old finished workflows, a thousand at a time."""
    done = ["SUCCESS", "ERROR", "CANCELLED"]
    old = DBOS.list_workflows(
        status=done, completed_before=before.isoformat(), limit=1000, load_input=False, load_output=False
    )
    if old:
        DBOS.delete_workflows([each.workflow_id for each in old])


def _dbos_database_url(settings: Settings) -> str:
    """The URL of DBOS's database: the site's if it is PostgreSQL, where DBOS uses its own schema; otherwise a file."""
    if make_url(settings.database).get_backend_name() != "sqlite":
        return settings.database
    path = settings.data_dir.resolve() / "jobs.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")  # stays set in the file; a commit costs one fsync instead of three
    database.close()
    return f"sqlite:///{path}"


@contextmanager
def _worker_lock(folder: Path, stopping: Callable[[float], bool]) -> Iterator[bool]:
    """Hold the lock for the data directory's only worker. Yields False if `stopping` came first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        with try_lock(folder / "worker.lock") as is_mine:
            if is_mine:
                yield True
                return
        if stopping(LOOK):
            yield False
            return
