"""Pauses between the short write transactions of a long operation, so that families' answers get their turn."""

import time

LEAST = 0.1  # seconds: a connection that waits for SQLite's write lock looks again after at most this long
MOST = 1.0  # seconds


def pause_after(held: float, least: float = LEAST) -> None:
    """Wait after a write transaction that was open for `held` seconds, for as long as it was, within limits: without a
    pause the next one would begin before those who wait have looked again. `least` may be 0 if other work comes before
    the next one."""
    time.sleep(min(max(held, least), MOST))
