"""Limits on the number and duration of connections: real connections over socket pairs, without a server."""

import resource
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from waitress.adjustments import Adjustments

from engage.server.connections import (
    HEAD_SECONDS,
    PER_ADDRESS,
    UNLIMITED,
    Channel,
    Connections,
    client_network,
    close_overdue,
    max_connections,
)
from engage.server.request_bodies import TOO_SLOW, WITHIN

HALF = b"GET /en/ HTTP/1.1\r\nHost: x\r\nX-Never-Ends: "
WHOLE = b"GET /en/ HTTP/1.1\r\nHost: x\r\n\r\n"
BODY_BEGUN = b"POST /en/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na"
SCHOOL, STRANGER = "203.0.113.7", "198.51.100.1"


class Server:
    """The attributes of a server that a connection uses."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.active_channels: dict[int, Channel] = {}
        self.in_work: list[Channel] = []

    def add_task(self, channel: Channel) -> None:
        self.in_work.append(channel)

    def open(self) -> list[Channel]:
        return [each for each in self.active_channels.values() if not each.will_close]


@pytest.fixture
def connect() -> Iterator[Callable[..., Channel]]:
    """Open a connection from an address to a server and send something."""
    sockets: list[socket.socket] = []

    def connected(server: Server, address: str = SCHOOL, sent: bytes = b"") -> Channel:
        near, far = socket.socketpair()
        sockets.extend((near, far))
        channel = Channel(server, near, (address, 1), Adjustments(channel_request_lookahead=0), {})
        if sent:
            channel.received(sent)
        return channel

    yield connected
    for each in sockets:
        each.close()


def limited(per_address: int = 3, per_process: int = 100) -> Server:
    return Server(Connections(True, per_address, per_process))


@pytest.mark.parametrize("sent", [b"", HALF, b"G"])
def test_a_head_that_is_not_complete_in_time_is_closed(connect: Callable[..., Channel], sent: bytes) -> None:
    server, begun = limited(), time.monotonic()
    channel = connect(server, sent=sent)
    close_overdue([channel], begun + HEAD_SECONDS - 1)
    assert not channel.will_close
    close_overdue([channel], time.monotonic() + HEAD_SECONDS)
    assert channel.will_close


def test_a_byte_now_and_then_does_not_lengthen_the_time(connect: Callable[..., Channel]) -> None:
    channel = connect(limited(), sent=HALF)
    until = channel.head_until
    for _ in range(5):
        channel.received(b"x")
    assert channel.head_until == until


def test_the_deadline_ends_with_the_head_and_begins_again_with_the_next(connect: Callable[..., Channel]) -> None:
    channel = connect(limited(), sent=WHOLE)
    assert channel.head_until == UNLIMITED
    channel.requests.clear()  # answered
    close_overdue([channel], time.monotonic() + 10 * HEAD_SECONDS)
    assert not channel.will_close, "a connection that waits for the next page is not a head that is late"
    channel.received(HALF)
    close_overdue([channel], time.monotonic() + HEAD_SECONDS)
    assert channel.will_close


def test_a_request_in_work_is_never_late(connect: Callable[..., Channel]) -> None:
    channel = connect(limited(), sent=WHOLE + HALF)
    close_overdue([channel], time.monotonic() + 10 * HEAD_SECONDS)
    assert not channel.will_close


def test_a_body_that_is_sent_byte_by_byte_is_refused(
    connect: Callable[..., Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, begun = limited(), time.monotonic()
    channel = connect(server, sent=BODY_BEGUN)
    monkeypatch.setattr(time, "monotonic", lambda: begun + WITHIN + 1)
    channel.received(b"b")
    assert channel.requests[0].error.body == TOO_SLOW


def test_one_address_gives_up_its_own_oldest_connection(connect: Callable[..., Channel]) -> None:
    server = limited(per_address=3)
    other = connect(server, STRANGER, HALF)
    mine = [connect(server, SCHOOL, HALF) for _ in range(5)]
    assert server.open() == [other, *mine[2:]]


def test_unfinished_heads_go_first_then_idle_connections_then_unfinished_bodies(
    connect: Callable[..., Channel],
) -> None:
    server = limited(per_address=4)
    body, idle, head = (connect(server, sent=sent) for sent in (BODY_BEGUN, WHOLE, HALF))
    idle.requests.clear()  # answered
    in_work = connect(server, sent=WHOLE)
    for victim in (head, idle, body):
        assert not victim.will_close
        newest = connect(server, sent=WHOLE)
        assert victim.will_close
        assert not newest.will_close
        _close(victim)
    assert not in_work.will_close
    refused = connect(server)
    assert refused.will_close, "all others are in work"


def test_where_all_hold_too_many_the_address_with_most_gives_up_one(connect: Callable[..., Channel]) -> None:
    server = limited(per_address=10, per_process=12)
    crowd = [connect(server, STRANGER, HALF) for _ in range(9)]
    families = [connect(server, f"203.0.113.{number}", WHOLE) for number in range(3)]
    assert len(server.open()) == 12
    families.append(connect(server, "203.0.113.9", WHOLE))
    assert [each for each in (*crowd, *families) if each.will_close] == [crowd[0]]


def test_behind_proxies_nobody_gives_up_anything(connect: Callable[..., Channel]) -> None:
    server = Server(Connections(False, 2, 3))
    assert len([connect(server, sent=HALF) for _ in range(5)]) == len(server.open())


def test_a_closed_connection_counts_no_longer(connect: Callable[..., Channel]) -> None:
    server = limited(per_address=2)
    for _ in range(10):
        _close(connect(server, sent=HALF))
    both = [connect(server, sent=HALF) for _ in range(2)]
    assert server.open() == both


def test_a_school_with_many_phones_stays_below_the_limit_of_its_address() -> None:
    assert PER_ADDRESS >= 200


def test_a_connection_does_not_write_its_address(connect: Callable[..., Channel]) -> None:
    channel = connect(limited(), SCHOOL)
    assert SCHOOL not in f"{channel!r} {channel}"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("localhost", "localhost"),
    ],
)
def test_an_address_of_the_new_kind_counts_with_its_whole_line(address: str, network: str) -> None:
    assert client_network(address) == network


def _close(channel: Any) -> None:
    channel.handle_close()


LIMITS = [
    ((1024, 524288), 1000, (1200, 524288)),
    ((20000, 20000), 1000, None),
    ((1024, 1100), 900, (1100, 1100)),
    ((256, 256), 56, (256, 256)),
    ((1024, resource.RLIM_INFINITY), 1000, (1200, resource.RLIM_INFINITY)),
    ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 1000, None),
]


@pytest.mark.parametrize(("limits", "most", "raised"), LIMITS)
def test_a_process_holds_no_more_connections_than_it_may_open_files(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], most: int, raised: tuple[int, int] | None
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: asked.append(wanted))
    assert max_connections() == most
    assert asked == ([raised] if raised else [])
