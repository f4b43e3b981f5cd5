"""Which thread a request gets: slow pages of staff never keep a family waiting."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from engage.server.process import QuickTaskDispatcher, is_for_staff

PATIENCE = 20.0  # seconds until a thread that hangs fails the test


class Waiting:
    """A connection with one request, whose answer takes until `go`."""

    def __init__(self, method: str, path: str, go: threading.Event) -> None:
        self.requests = [SimpleNamespace(command=method, path=path, error=None)]
        self.go, self.began, self.answered = go, threading.Event(), threading.Event()

    def service(self) -> None:
        self.began.set()
        assert self.go.wait(PATIENCE)
        self.answered.set()

    def cancel(self) -> None:
        """Waitress calls this when it stops."""


@pytest.fixture
def dispatcher() -> Iterator[QuickTaskDispatcher]:
    one = QuickTaskDispatcher(2)
    yield one
    one.shutdown()


def ready() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def test_families_are_answered_while_every_thread_of_staff_is_busy(dispatcher: QuickTaskDispatcher) -> None:
    later = threading.Event()
    slow = [Waiting("GET", "/staff/district/checkpoints/fall/packet.pdf", later) for _ in range(8)]
    for each in slow:
        dispatcher.add_task(each)
    family = Waiting("POST", "/en/w/fall/1", ready())
    dispatcher.add_task(family)
    assert family.answered.wait(PATIENCE)
    later.set()
    assert all(each.answered.wait(PATIENCE) for each in slow)


def test_staff_wait_for_no_family(dispatcher: QuickTaskDispatcher) -> None:
    later = threading.Event()
    for _ in range(8):
        dispatcher.add_task(Waiting("POST", "/en/w/fall/1", later))
    staff = Waiting("GET", "/staff/", ready())
    dispatcher.add_task(staff)
    assert staff.answered.wait(PATIENCE)
    later.set()


def test_stopping_stops_both_kinds_of_threads(dispatcher: QuickTaskDispatcher) -> None:
    dispatcher.shutdown()
    assert not dispatcher.threads
    assert not dispatcher.staff.threads


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/staff", True),
        ("/staff/", True),
        ("/staff/login", True),
        ("/staffing", False),
        ("/en/staff/", False),
        ("", False),
    ],
)
def test_staff_pages_are_those_below_their_address(path: str, expected: bool) -> None:
    request: Any = SimpleNamespace(path=path)
    assert is_for_staff(request) is expected
