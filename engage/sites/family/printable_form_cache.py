"""A cache of blank paper forms: rendering one takes 0.1 to 0.4 s."""

import threading
from collections import OrderedDict

from engage.sites.family.wave_cache import Offer

FORMS_MOST = 64  # files of about 25 to 100 kB each


class FormCache:
    """Forms by wave and language; the least recently used are dropped first."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[Offer, str], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, offer: Offer, lang: str) -> bytes | None:
        """A cached form."""
        with self._lock:
            if path := self._files.get((offer, lang)):
                self._files.move_to_end((offer, lang))
            return path

    def put(self, offer: Offer, lang: str, pdf: bytes) -> None:
        """Store a form. `pdf` is empty if the form cannot be printed, so that rendering is not tried again."""
        with self._lock:
            self._files[offer, lang] = pdf
            if len(self._files) > FORMS_MOST:
                self._files.popitem(last=False)
