"""Families' answers get their turn between the short transactions of a long operation."""

import threading
import time

import pytest

from engage.storage import engine as engines
from engage.storage.engine import pause_after, write_session


@pytest.mark.parametrize(
    ("held", "least", "pause"), [(0.0, 0.1, 0.1), (0.05, 0.1, 0.1), (0.3, 0.1, 0.3), (9.0, 0.1, 1.0), (0.02, 0.0, 0.02)]
)
def test_a_pause_is_as_long_as_the_transaction_within_limits(monkeypatch, held, least, pause):
    pauses: list[float] = []
    monkeypatch.setattr(engines.time, "sleep", pauses.append)
    pause_after(held, least)
    assert pauses == [pause]


def test_who_waits_is_let_in_after_the_first_transaction(engine):
    """Without the pause, SQLite lets a waiting connection in only by chance."""
    order: list[str] = []
    waiting = threading.Event()

    def answer():
        waiting.set()
        with write_session(engine) as session:
            session.connection()
            order.append("family")

    family = threading.Thread(target=answer)
    for number in range(4):
        began = time.monotonic()
        with write_session(engine) as session:
            session.connection()
            if number == 0:
                family.start()
                waiting.wait()
                time.sleep(0.3)  # so that the waiting connection looks again as seldom as it ever does
            order.append("step")
        pause_after(time.monotonic() - began)
    family.join()
    assert order.index("family") == 1
