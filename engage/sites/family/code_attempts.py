"""Limits on attempts at codes by one network. Counted in memory for at most an hour; an address is never stored."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

MINUTE = 60.0  # seconds
HOUR = 3600.0  # seconds
FREE = 3  # attempts of a network per hour that are allowed whatever the total is
NETWORKS_MOST = 50_000  # remembered at a time, about 10 MB; those whose last wrong attempt is oldest are dropped first


class Tries:
    """Wrong attempts by network, and in total. One per process.

    A network waits if it has had `each` wrong attempts within a minute. If there were `together` of them in total,
    those networks wait that had more than FREE within the hour: valid codes from other networks are never refused.
    """

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
        """Count a wrong attempt. The same value of `tried` within a minute counts once; None counts every time."""
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
        """Wrong attempts of a network; 0 if the last one is more than an hour ago."""
        last, count = self._hour.get(network, (0.0, 0))
        return count if count and self._clock() - last < HOUR else 0

    def _turn(self) -> None:
        now = self._clock()
        if now - self._minute_began >= MINUTE:
            self._minute, self._total, self._minute_began = {}, 0, now
