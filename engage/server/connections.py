"""The open connections of one serving process: how long a request head may take, and how many one address may hold.

Without both limits, one machine that opens connections and sends nothing, or a byte now and then, could block all
others.
"""

import resource
import threading
import time
from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import Any

from waitress.channel import HTTPChannel

from engage.base.measurements import recorder
from engage.server.request_bodies import Parser

HEAD_SECONDS = 20.0  # from connecting, or from the first byte of a later request, to the end of the request's head
PER_ADDRESS = 256  # connections in each process; many phones in a school behind one address have idle ones closed first
PER_PROCESS = 1_000
OTHER_FILES = 200  # open files beside connections: databases, database sockets, catalogs, an uploaded roster
UNLIMITED = float("inf")

# The order in which connections are closed when there are too many. A request being processed is never cut off.
UNFINISHED_HEAD, IDLE, UNFINISHED_BODY, IN_WORK = range(4)


class Connections:
    """Decides which connections stay open. Without `limited` (behind proxies, where every peer is a proxy) there is no
    limit per address and nothing is closed to make room; the deadline for request heads always applies."""

    def __init__(self, limited: bool, per_address: int = PER_ADDRESS, per_process: int = PER_PROCESS) -> None:
        self._limited = limited
        self._per_address = per_address
        self._per_process = per_process
        self._open: Counter[str] = Counter()  # connections by network
        self._lock = threading.Lock()  # a sending thread may find that a connection was closed

    def add(self, channel: "Channel", others: Iterable["Channel"]) -> None:
        """Count a new connection, and close one (possibly the new one) if there are now too many."""
        with self._lock:
            self._open[channel.network] += 1
            crowded = self._crowded(channel.network) if self._limited else None
        if crowded is not None:
            _close_one(crowded, others, channel)

    def remove(self, channel: "Channel") -> None:
        """Stop counting a connection that was closed."""
        with self._lock:
            self._open[channel.network] -= 1
            if self._open[channel.network] <= 0:
                del self._open[channel.network]

    def _crowded(self, newest: str) -> str | None:
        """The network that must give up a connection: the newest one's, or, if the total is too large, the one with the
        most."""
        if self._open[newest] > self._per_address:
            return newest
        return self._open.most_common(1)[0][0] if self._open.total() > self._per_process else None


def _close_one(network: str, channels: Iterable["Channel"], newest: "Channel") -> None:
    candidates = [each for each in channels if each.network == network and each.stage < IN_WORK and not each.will_close]
    # min returns the first of equal items, and channels are in order of arrival: the oldest is closed
    victim = min(candidates, key=lambda each: (each is newest, each.stage), default=newest)
    victim.will_close = True  # the loop closes it; closed here, its descriptor could be reused within this iteration


def close_overdue(channels: Iterable["Channel"], now: float) -> None:
    """Close the connections whose request head is not complete in time. `now` is in monotonic seconds."""
    for channel in channels:
        if channel.head_until < now and not channel.requests:
            channel.will_close = True


def max_connections() -> int:
    """How many connections this process may hold, at most `PER_PROCESS`. Raises the soft limit on open files (1,024 on
    many systems) where it is too low and may be raised."""
    handles = PER_PROCESS + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < handles:
        soft = handles if hard == resource.RLIM_INFINITY else min(handles, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return PER_PROCESS if soft == resource.RLIM_INFINITY else max(1, min(PER_PROCESS, soft - OTHER_FILES))


def client_network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 address, which belongs to one subscriber."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection whose requests are read by `Parser`, with a deadline for each request head."""

    parser_class = Parser
    network = ""
    head_until = UNLIMITED  # monotonic seconds
    queued_at = 0.0  # monotonic seconds

    def __init__(self, server: Any, sock: Any, addr: Any, adj: Any, map: Any = None) -> None:
        super().__init__(server, sock, addr, adj, map)
        self.network = client_network(str(addr[0]))
        self.head_until = time.monotonic() + HEAD_SECONDS
        server.connections.add(self, list(server.active_channels.values()))

    def __repr__(self) -> str:
        return "<connection>"  # waitress logs this; the default includes the visitor's address

    __str__ = __repr__

    @property
    def stage(self) -> int:
        """What the connection is waiting for, as one of the stages above."""
        if self.requests:
            return IN_WORK
        if self.total_outbufs_len or (self.request is not None and self.request.headers_finished):
            return UNFINISHED_BODY
        return IDLE if self.head_until == UNLIMITED else UNFINISHED_HEAD

    def received(self, data: bytes) -> bool:
        """Process received bytes; a request head that has begun gets a deadline."""
        taken = bool(super().received(data))
        if self.request is None or self.request.headers_finished:
            self.head_until = UNLIMITED
        elif self.head_until == UNLIMITED:
            self.head_until = time.monotonic() + HEAD_SECONDS
        return taken

    def service(self) -> None:
        """Answer the next request."""
        if recorder().active:
            recorder().record_queue(time.monotonic() - self.queued_at)
        super().service()

    def del_channel(self, map: Any = None) -> None:
        """Remove the connection from the server and the count."""
        is_active = self._fileno in self.server.active_channels
        super().del_channel(map)
        if is_active and self.network:
            self.server.connections.remove(self)
