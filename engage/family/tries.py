"""How often one address may try a code. Counted in memory for a minute; an address is never written anywhere."""

import time
from collections import Counter
from collections.abc import Callable

MINUTE = 60.0  # seconds


class Tries:
    """A counter per address and one over all addresses, emptied each minute. One per process."""

    def __init__(self, each: int, everywhere: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._each = each
        self._everywhere = everywhere
        self._clock = clock
        self._counted: Counter[str] = Counter()
        self._since = clock()

    def spent(self, address: str) -> bool:
        """Whether this address, or all together, have tried too often in this minute."""
        self._turn()
        return self._counted[address] >= self._each or self._counted.total() >= self._everywhere

    def count(self, address: str) -> None:
        """One more try."""
        self._turn()
        self._counted[address] += 1

    def _turn(self) -> None:
        now = self._clock()
        if now - self._since >= MINUTE:
            self._counted, self._since = Counter(), now
