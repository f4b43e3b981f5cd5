"""The supervisor: serves a site with one process per core on one listening socket, from a parent that only watches
them."""

import gc
import logging
import os
import socket
from importlib import import_module

import click

from engage.base.config import Settings
from engage.base.log_setup import set_up_logging
from engage.base.measurements import replace_recorder
from engage.base.prometheus_recorder import MetricsFolder
from engage.domain.mail.smtp import MailServer
from engage.domain.security.sso_providers import load_providers
from engage.server.child_processes import Work, supervise
from engage.server.process import serve_process
from engage.server.worker_process import delete_files, run_worker_process
from engage.services.site_database import open_database

BACKLOG = 1024  # connections that the kernel queues while all processes are busy
WORKER = "worker"  # its place in the folder of measurements
THREADS = 2  # per process, for writes and slow pages: more would only contend for the GIL (see QuickTaskDispatcher)

log = logging.getLogger("engage.serve")


def count_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def serve(
    settings: Settings,
    host: str,
    port: int,
    processes: int | None = None,
    threads: int = THREADS,
    worker: bool = True,
) -> None:
    """Serve the site until SIGTERM or SIGINT, with a worker process; port 0 takes a free one. Raises DatabaseNotReady
    if the database is not at head, MailSettingProblem, ChildStartFailed if no process can start."""
    with open_database(settings):
        settings.secret()  # created once here, not by each process
    MailServer.of(settings), load_providers(settings)  # a wrong setting is reported once here, not by each process
    set_up_logging(settings.log_format)
    folder = _claim_metrics_folder(settings)
    with _open_listener(host, port) as listener:
        where, number = listener.getsockname()[:2]
        click.echo(f"Engage serves http://{f'[{where}]' if ':' in where else where}:{number}/ (Ctrl-C stops it)")
        _preload_modules()
        parent = os.getpid()
        places = [str(number) for number in range(1, (processes or count_cores()) + 1)]
        serving = [
            _measured(folder, place, lambda: serve_process(settings, listener, threads, parent)) for place in places
        ]
        work = run_worker_process if worker else delete_files

        def run_beside() -> None:
            listener.close()  # a worker that is still sending its last email must not hold the port
            work(settings, parent)

        supervise(serving, [_measured(folder, WORKER, run_beside)])


def _measured(folder: MetricsFolder | None, place: str, work: Work) -> Work:
    """The work of a process that first takes its place in the folder of measurements, if there is one."""

    def run() -> None:
        if folder is not None:
            _take_place(folder, place)
        work()

    return run


def _claim_metrics_folder(settings: Settings) -> MetricsFolder | None:
    """The folder in which serving processes share their measurements; None without a token, or if the disk is full."""
    if not settings.metrics_token:
        return None
    try:
        return MetricsFolder.claim(settings.data_dir)
    except OSError as problem:
        log.error("nothing is measured: %s", problem)
        return None


def _take_place(folder: MetricsFolder, place: str) -> None:
    """Measure this process from now on, unless the disk is full."""
    try:
        if place == WORKER:
            folder.register(place)
        else:
            replace_recorder(folder.enter(place))
    except OSError as problem:
        log.error("process %s is not measured: %s", place, problem)


def _preload_modules() -> None:
    """Import the site's code once; the processes share its memory."""
    for module in (
        "engage.app",
        "engage.sites.family",
        "engage.sites.liaison",
        "engage.sites.district",
        "engage.sites.administration",
    ):
        import_module(module)
    gc.collect()
    gc.freeze()


def _open_listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as problem:
        raise click.ClickException(f"{host}:{port} cannot be listened on: {problem.strerror}; try --port") from problem
