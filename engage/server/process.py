"""One serving process: waitress on a socket shared with its sibling processes."""

import os
import signal
import socket
import time
from collections import deque
from typing import Any

from waitress import wasyncore
from waitress.server import create_server
from waitress.task import ThreadedTaskDispatcher

from engage.app import STAFF_PREFIX, Site, create_app
from engage.base.config import Settings
from engage.base.measurements import Load, recorder
from engage.server.child_processes import STOP_SIGNALS
from engage.server.connections import Channel, Connections, close_overdue, max_connections
from engage.server.request_bodies import Parser, session_checker
from engage.web import metrics

MOST_BODY = 2_000_000  # bytes; the site itself refuses at a lower limit, with a page
CLOSING = 64  # connections in each process that are being closed, in addition to the open ones
QUIET = 120  # seconds after which a silent connection is closed
SLOW = ("/staff", "/readyz", metrics.ADDRESS)  # reads that may take longer: figures, PDFs, a check of the disk
LOOK = 1.0  # seconds between checks that the parent process is alive
FINISH = 15.0  # seconds to finish requests in progress after being told to stop


class QuickTaskDispatcher(ThreadedTaskDispatcher):  # type: ignore[misc]  # waitress has no types
    """Decides where a request is processed. The event loop itself answers quick reads: handing them to a thread and
    waking up again costs as much as the page. Whatever may wait (for the disk, a lock, a slow hash, a PDF) goes to a
    thread. Staff have threads of their own: some of their pages take seconds, and families must not wait for those.
    """

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.quick: deque[Any] = deque()
        self.staff = ThreadedTaskDispatcher()
        self.set_thread_count(threads)
        self.staff.set_thread_count(threads)

    def add_task(self, task: Any) -> None:
        """Take a channel whose next request is complete."""
        task.queued_at = time.monotonic()
        if is_quick(task.requests[0]):
            self.quick.append(task)
        elif is_for_staff(task.requests[0]):
            self.staff.add_task(task)
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """Stop all threads. Returns whether requests were dropped."""
        dropped = self.staff.shutdown(cancel_pending, timeout)
        return bool(super().shutdown(cancel_pending, timeout)) or bool(dropped)

    @property
    def waiting(self) -> int:
        """How many requests no thread has taken yet."""
        return len(self.quick) + len(self.queue) + len(self.staff.queue)

    @property
    def working(self) -> int:
        """How many threads process a request."""
        return int(self.active_count + self.staff.active_count)

    def serve_quick(self) -> None:
        """Answer the queued quick requests. Called by the loop, which holds no lock here and must survive any
        exception."""
        while self.quick:
            channel = self.quick.popleft()
            try:
                channel.service()
            except Exception:
                channel.will_close = True
                self.logger.exception("an answer could not be sent")


def is_quick(request: Any) -> bool:
    """Whether a request only reads and is answered in about a millisecond; refused requests are quick too."""
    if request.error is not None:
        return True
    path: str = request.path or ""
    return request.command in ("GET", "HEAD") and not path.startswith(SLOW) and "/results" not in path


def is_for_staff(request: Any) -> bool:
    """Whether a request is for a staff page, or for the metrics, which wait for the database too."""
    path: str = request.path or ""
    return path in (STAFF_PREFIX, metrics.ADDRESS) or path.startswith(f"{STAFF_PREFIX}/")


def serve_process(settings: Settings, listener: socket.socket, threads: int, parent: int) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP, or until the process `parent` is gone; then finish requests in
    progress."""
    site = create_app(settings)
    if site.staff is not None:
        Parser.signed_in = staticmethod(session_checker(site.staff))
    channels: dict[int, Any] = {}
    most = max_connections()
    turns = QuickTaskDispatcher(threads)
    server = create_server(
        site,
        map=channels,
        sockets=[listener],
        _dispatcher=turns,
        ident=None,
        channel_request_lookahead=0,
        max_request_body_size=MOST_BODY,
        inbuf_overflow=MOST_BODY * 2,  # so that waitress never buffers a family's request in a temporary file
        connection_limit=most + CLOSING,  # beyond this none are accepted; Connections makes room before that
        channel_timeout=QUIET,
        # Behind proxies, the site itself trusts as many of their headers as the setting says, whatever the server
        clear_untrusted_proxy_headers=not settings.proxy_count,
    )
    server.channel_class = Channel
    server.connections = Connections(not settings.proxy_count, per_process=most)
    stopped: list[int] = []

    def hear(number: int, _frame: object) -> None:
        stopped.append(number)
        server.pull_trigger()  # wakes the loop

    for number in STOP_SIGNALS:
        signal.signal(number, hear)
    overdue_at = load_at = 0.0
    while not stopped and os.getppid() == parent:
        wasyncore.loop(timeout=LOOK, use_poll=True, map=channels, count=1)
        turns.serve_quick()
        overdue_at = _close_overdue(server, overdue_at)
        load_at = _record_load(server, turns, site, load_at)
    _finish_requests(server, channels, turns)
    _close_site(site)


def _close_overdue(server: Any, due: float) -> float:
    """Close connections that are too slow, at most once per interval. Returns the time of the next check, in monotonic
    seconds."""
    now = time.monotonic()
    if now < due:
        return due
    close_overdue(list(server.active_channels.values()), now)
    return now + LOOK


def _record_load(server: Any, turns: QuickTaskDispatcher, site: Site, due: float) -> float:
    """Record the load of this process, at most once per interval. Returns the time of the next record, in monotonic
    seconds."""
    now = time.monotonic()
    if now < due or not recorder().active:
        return due
    pool: Any = (site.family or site.staff).extensions["engage"].engine.pool  # type: ignore[union-attr]
    connections = len(server.active_channels)
    recorder().record_load(
        Load(turns.waiting, turns.working, connections, pool.checkedout(), pool.checkedout() + pool.checkedin())
    )
    return now + LOOK


def _finish_requests(server: Any, channels: dict[int, Any], turns: QuickTaskDispatcher) -> None:
    server.del_channel(channels)  # accept no more connections; the sibling processes still do
    until = time.monotonic() + FINISH
    while time.monotonic() < until and any(_is_busy(one) for one in server.active_channels.values()):
        wasyncore.loop(timeout=0.1, use_poll=True, map=channels, count=1)
        turns.serve_quick()
    server.task_dispatcher.shutdown()


def _is_busy(channel: Any) -> bool:
    return bool(channel.requests or channel.request or channel.total_outbufs_len)


def _close_site(site: Any) -> None:
    for app in (site.family, site.staff):
        if app is not None:
            state = app.extensions["engage"]
            state.writer.stop()
            state.engine.dispose()
