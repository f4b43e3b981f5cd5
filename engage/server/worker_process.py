"""The worker process of a site: durable tasks, or only the nightly deletion of files."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from engage.base.clock import utc_now
from engage.base.config import Settings
from engage.base.shared_dir import HostRecord
from engage.server.child_processes import STOP_SIGNALS
from engage.services.tasks.run_retention import NightlyRetention
from engage.storage.engine import connect

PAUSE = 5.0  # seconds before a worker that cannot start is started again


def run_worker_process(settings: Settings, parent: int) -> None:
    """Run the worker in this process until told to stop, or until the process `parent` is gone."""
    from engage.services.retention.policies import build_retention  # noqa: PLC0415  pandas and DBOS load in this process only
    from engage.services.tasks.worker import run_worker  # noqa: PLC0415

    try:
        run_worker(settings, _stop_checker(parent), build_retention(settings))
    except Exception:
        logging.getLogger("engage.worker").exception("the worker stopped; it begins again in %d s", PAUSE)
        time.sleep(PAUSE)
        raise


def delete_files(settings: Settings, parent: int) -> None:
    """Delete expired files each night in this process, where no worker shares the data directory, until told to stop,
    or until the process `parent` is gone."""
    from engage.services.retention.policies import build_retention  # noqa: PLC0415  pandas and DBOS load in this process only

    engine, stopping = connect(settings.database), _stop_checker(parent)
    nightly, host = NightlyRetention(engine, build_retention(settings), None), HostRecord(settings, utc_now)
    while not stopping(1.0):
        try:
            host.poll()
            nightly.poll()
        except DBAPIError as problem:
            logging.getLogger("engage.worker").error("the database did not answer: %s", problem)
    engine.dispose()


def _stop_checker(parent: int) -> Callable[[float], bool]:
    """Returns a function that waits some seconds, and is true once this process is told to stop or its parent is
    gone."""
    stopped = threading.Event()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda _number, _frame: stopped.set())
    return lambda seconds: stopped.wait(seconds) or os.getppid() != parent
