"""Local log of emails that a mail server has accepted, so that a crash before the database commit sends nothing twice.

Written without fsync: data of a killed process survives; only a power failure within these milliseconds can lose it.
If several machines share the directory, each worker has a file of its own there, written with fsync: other machines see
only what has left this one's memory.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engage.base.files import replace_file

FILE = "letters-accepted"  # in the data directory, or with the worker's id in the shared one; one id per line


class AcceptedMailLog:
    """The log, for one worker at a time."""

    def __init__(
        self, path: Path, waiting: Iterable[str], everyone: Callable[[], Iterable[Path]] | None = None
    ) -> None:
        """Open the log. Ids that are not `waiting` are dropped, since the database already has their state. `everyone`
        returns the files of all workers, if there are several."""
        self._known = _read_ids(path) & set(waiting)
        replace_file(path, "".join(f"{id}\n" for id in sorted(self._known)).encode("ascii"), durable=False)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | (os.O_SYNC if everyone else 0))
        self._everyone = everyone or (lambda: ())
        self._busy: set[str] = set()
        self._free = threading.Condition()

    def __contains__(self, id: str) -> bool:
        return id in self._known or any(id in _read_ids(path) for path in self._everyone())

    def add(self, id: str) -> None:
        """Record that a server accepted this email."""
        # A line feed at the start too: a previous line that was cut off must not merge with this one.
        os.write(self._file, f"\n{id}\n".encode("ascii"))
        self._known.add(id)

    @contextmanager
    def one_at_a_time(self, id: str) -> Iterator[None]:
        """Lock an email, so that a second attempt does not start before the first has ended."""
        with self._free:
            self._free.wait_for(lambda: id not in self._busy)
            self._busy.add(id)
        try:
            yield
        finally:
            with self._free:
                self._busy.discard(id)
                self._free.notify_all()

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _read_ids(path: Path) -> set[str]:
    try:
        return set(path.read_text("ascii", "replace").split())
    except FileNotFoundError:
        return set()
