"""A cache of files to print: rendering one takes 0.1 to 0.4 s."""

import threading
from collections import OrderedDict
from collections.abc import Hashable

FORMS_MOST = 64  # files of about 25 to 100 kB each


class FormCache:
    """Files under keys that contain everything they depend on; the least recently used are dropped first."""

    def __init__(self) -> None:
        self._files: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> bytes | None:
        """A cached file."""
        with self._lock:
            if path := self._files.get(key):
                self._files.move_to_end(key)
            return path

    def put(self, key: Hashable, pdf: bytes) -> None:
        """Store a file. `pdf` is empty if it cannot be printed, so that rendering is not tried again."""
        with self._lock:
            self._files[key] = pdf
            if len(self._files) > FORMS_MOST:
                self._files.popitem(last=False)
