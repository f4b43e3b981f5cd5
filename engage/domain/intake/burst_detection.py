"""Detection of bursts: responses of an open link that arrive faster than families answer.

Counts are in memory. Only one bit per response is ever stored.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable

WINDOW = 600.0  # seconds
FROM_ONE_NETWORK = 20  # responses for one school within the window; a home or a bus stop has only a few
FROM_A_SCHOOL_LEAST = 30  # responses for one school from all networks, even for the smallest school
SHARE_OF_A_SCHOOL = 0.2  # of its households; about a tenth answers within ten minutes after a message to all
WITHOUT_A_ROSTER = 150  # limit if the number of households is unknown
KEYS_MOST = 20_000  # networks and schools counted at a time, about 10 MB


class BurstCounter:
    """Decides for each response whether it exceeds the limit within ten minutes. One per process; thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._moments: OrderedDict[Hashable, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, wave_id: str, school_id: str, network: str, households: int) -> bool:
        """Count one response and return whether it belongs to a burst. `households` is the school's number, 0 if
        unknown."""
        with self._lock:
            from_network = self._within(("network", wave_id, school_id, network), FROM_ONE_NETWORK)
            from_school = self._within(("school", wave_id, school_id), school_limit(households))
        return from_network or from_school

    def _within(self, key: Hashable, most: int) -> bool:
        """Whether more than `most` responses with this key came within the window, including this one."""
        now = self._clock()
        moments = self._moments.setdefault(key, deque(maxlen=most + 1))
        self._moments.move_to_end(key)
        if len(self._moments) > KEYS_MOST:
            self._moments.popitem(last=False)
        moments.append(now)
        return len(moments) > most and now - moments[0] < WINDOW


def school_limit(households: int) -> int:
    """Return the largest usual number of responses of one school within the window."""
    return max(FROM_A_SCHOOL_LEAST, int(households * SHARE_OF_A_SCHOOL)) if households else WITHOUT_A_ROSTER
