"""Which letters a mail server has just taken, on this machine's disk: one short write between the server's word and the
database's, so that a crash in between sends nothing twice.

Written without fsync: a process that is killed keeps what it wrote; only a power cut in these milliseconds may not."""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engage.base.files import replace_file

FILE = "letters-accepted"  # in the data directory; an id in each line


class AcceptedMailLog:
    """The list, for one worker at a time."""

    def __init__(self, path: Path, waiting: Iterable[str]) -> None:
        """Opens the list; what is not among the letters that wait is forgotten, for the database knows of it."""
        there = path.read_text("ascii", "replace").split() if path.exists() else []
        self._known = set(there) & set(waiting)
        replace_file(path, "".join(f"{id}\n" for id in sorted(self._known)).encode("ascii"), durable=False)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)
        self._busy: set[str] = set()
        self._free = threading.Condition()

    def __contains__(self, id: str) -> bool:
        return id in self._known

    def add(self, id: str) -> None:
        """A server took this letter."""
        # a line feed comes first too: a line that was cut short must not spoil the next
        os.write(self._file, f"\n{id}\n".encode("ascii"))
        self._known.add(id)

    @contextmanager
    def one_at_a_time(self, id: str) -> Iterator[None]:
        """Hold a letter, so that a second try does not begin before the first has ended."""
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
        """Let go of the file."""
        os.close(self._file)
