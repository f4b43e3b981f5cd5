"""How often one network may try a code. Counted in memory for an hour at most; an address is written nowhere."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

MINUTE = 60.0  # seconds
HOUR = 3600.0  # seconds
FREE = 3  # tries of a network in an hour that are answered however many tries there are everywhere
NETWORKS_MOST = 50_000  # remembered at a time, about 10 MB; those that were wrong longest ago are forgotten first


class Tries:
    """Wrong tries by network, and all of them together. One per process.

    A network waits when it has had `each` wrong tries within a minute. When there were `together` of them everywhere,
    those networks wait that had more than FREE within the hour: valid codes from other places are never refused."""

    def __init__(self, each: int, together: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._each = each
        self._together = together
        self._clock = clock
        self._minute: dict[str, set[Hashable]] = {}
        self._total = 0
        self._minute_began = clock()
        self._hour: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def refuses(self, network: str) -> bool:
        """Whether this network has to wait."""
        with self._lock:
            self._turn()
            if len(self._minute.get(network, ())) >= self._each:
                return True
            return self._total >= self._together and self._within_hour(network) >= FREE

    def count(self, network: str, tried: Hashable = None) -> None:
        """One more wrong try. The same thing `tried` again in the same minute counts once; None counts every time."""
        with self._lock:
            self._turn()
            tries = self._minute.setdefault(network, set())
            what = tried if tried is not None else (None, len(tries))
            if what not in tries and len(tries) < self._each:
                tries.add(what)
                self._total += 1
                self._remember(network)

    def _remember(self, network: str) -> None:
        self._hour[network] = (self._clock(), self._within_hour(network) + 1)
        self._hour.move_to_end(network)
        if len(self._hour) > NETWORKS_MOST:
            self._hour.popitem(last=False)

    def _within_hour(self, network: str) -> int:
        """Wrong tries of a network, as long as none is older than an hour."""
        last, count = self._hour.get(network, (0.0, 0))
        return count if count and self._clock() - last < HOUR else 0

    def _turn(self) -> None:
        now = self._clock()
        if now - self._minute_began >= MINUTE:
            self._minute, self._total, self._minute_began = {}, 0, now
