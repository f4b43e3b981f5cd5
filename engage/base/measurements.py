"""Measurements of this process for monitoring. They are discarded unless a process replaces the recorder.

No measurement has a language, a school, a survey, an address, or a person.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What one serving process is doing at a moment. `waiting`: requests that no thread has taken yet. `working`:
    requests being processed. `connections`: open connections. `in_use`, `pooled`: database connections in use, and
    open in total."""

    waiting: int = 0
    working: int = 0
    connections: int = 0
    in_use: int = 0
    pooled: int = 0


class Recorder:
    """Discards every measurement. Times are in seconds."""

    active = False

    def record_request(self, site: str, group: str, status: int, seconds: float) -> None:
        """Record an answered request: which site and route group it was for, its status code, and how long it took."""

    def record_queue(self, seconds: float) -> None:
        """Record how long a request waited for a thread."""

    def record_write(self, seconds: float) -> None:
        """Record how long a write of a family took from the call until it was committed, waiting included."""

    def record_load(self, load: Load) -> None:
        """Record the current load of this process."""


_recorder = Recorder()


def recorder() -> Recorder:
    """The recorder of this process."""
    return _recorder


def replace_recorder(other: Recorder) -> None:
    """Use another recorder in this process."""
    global _recorder
    _recorder = other
