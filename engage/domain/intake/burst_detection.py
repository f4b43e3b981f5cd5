"""Responses of an open link that come faster than families answer. Counted in memory; only one bit is ever stored."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable

WINDOW = 600.0  # seconds
FROM_ONE_NETWORK = 20  # responses for one school within the window; a home or a bus stop has a handful
FROM_A_SCHOOL_LEAST = 30  # responses for one school from everywhere, however small it is
SHARE_OF_A_SCHOOL = 0.2  # of its households; after a message to all of them about a tenth answers in ten minutes
WITHOUT_A_ROSTER = 150  # households are not known
KEYS_MOST = 20_000  # networks and schools watched at a time, about 10 MB


class BurstCounter:
    """Says of each response whether it is one too many within ten minutes. One per process; thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._moments: OrderedDict[Hashable, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, wave_id: str, school_id: str, network: str, households: int) -> bool:
        """Count one response and return whether it belongs to a burst. `households` of the school, 0 if not known."""
        with self._lock:
            from_network = self._within(("network", wave_id, school_id, network), FROM_ONE_NETWORK)
            from_school = self._within(("school", wave_id, school_id), school_limit(households))
        return from_network or from_school

    def _within(self, key: Hashable, most: int) -> bool:
        """Whether there were more than `most` with this key within the window, this one included."""
        now = self._clock()
        moments = self._moments.setdefault(key, deque(maxlen=most + 1))
        self._moments.move_to_end(key)
        if len(self._moments) > KEYS_MOST:
            self._moments.popitem(last=False)
        moments.append(now)
        return len(moments) > most and now - moments[0] < WINDOW


def school_limit(households: int) -> int:
    """How many responses of one school within the window are usual."""
    return max(FROM_A_SCHOOL_LEAST, int(households * SHARE_OF_A_SCHOOL)) if households else WITHOUT_A_ROSTER
