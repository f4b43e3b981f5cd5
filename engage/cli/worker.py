"""`engage worker`: what is done in the background, letters by mail first of all."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

import click
from sqlalchemy.exc import DBAPIError

from engage.cli.ground import database, settings
from engage.cli.log_setup import set_up_logging
from engage.cli.processes import STOPPING, watch
from engage.config import Settings
from engage.jobs.nightly import Nightly
from engage.letters.smtp import MailServer
from engage.records.session import connect

PAUSE = 5.0  # seconds before a worker that cannot start is started again


@click.command()
def worker() -> None:
    """Send the letters and draw the packets that wait, and delete each night what is stored no longer, until told to
    stop. `engage serve` does so too, unless told --no-worker."""
    found = settings()
    with database(found):
        found.secret()
    server = MailServer.of(found)
    set_up_logging()
    click.echo(f"Letters go to {server.host}:{server.port}." if server else "No mail server is set: letters wait.")
    parent = os.getpid()
    watch([], [lambda: attend(found, parent)])


def attend(found: Settings, parent: int) -> None:
    """Work in this process until it is told to stop, or until the process `parent` is gone."""
    from engage.cli.nightly import retention_of
    from engage.jobs.worker import work  # DBOS is loaded here only: no serving process carries it

    try:
        work(found, _stopping(parent), retention_of(found))
    except Exception:
        logging.getLogger("engage.jobs").exception("the worker stopped; it begins again in %d s", PAUSE)
        time.sleep(PAUSE)
        raise


def delete_files(found: Settings, parent: int) -> None:
    """Where no worker shares the data directory: delete each night the files in it that are due, in this process, until
    it is told to stop, or until the process `parent` is gone."""
    from engage.cli.nightly import retention_of

    engine, stopping = connect(found.database), _stopping(parent)
    nightly = Nightly(engine, retention_of(found), None)
    while not stopping(1.0):
        try:
            nightly.look()
        except DBAPIError as problem:
            logging.getLogger("engage.jobs").error("the database did not answer: %s", problem)
    engine.dispose()


def _stopping(parent: int) -> Callable[[float], bool]:
    """A question that waits so many seconds, and is true once this process is told to stop or its parent is gone."""
    told = threading.Event()
    for number in STOPPING:
        signal.signal(number, lambda _number, _frame: told.set())
    return lambda seconds: told.wait(seconds) or os.getppid() != parent
