"""Local log of emails that a mail server has accepted, so that a crash before the database commit sends nothing twice.

Written without fsync: data of a killed process survives; only a power failure within these milliseconds can lose it.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engage.base.files import replace_file

FILE = "letters-accepted"  # in the data directory; one id per line


class AcceptedMailLog:
    """The log, for one worker at a time."""

    def __init__(self, path: Path, waiting: Iterable[str]) -> None:
        """Open the log. Ids that are not `waiting` are dropped, since the database already has their state."""
        there = path.read_text("ascii", "replace").split() if path.exists() else []
        self._known = set(there) & set(waiting)
        replace_file(path, "".join(f"{id}\n" for id in sorted(self._known)).encode("ascii"), durable=False)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)
        self._busy: set[str] = set()
        self._free = threading.Condition()

    def __contains__(self, id: str) -> bool:
        return id in self._known

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
