"""How sure a share is: the Wilson score interval (E. B. Wilson, JASA 22, 1927, p. 209-212), 95 %.

It assumes that the families who did not answer resemble those who did; the pages say so.
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054  # standard normal quantile at 0.975: 95 % in the middle

Counts = NDArray[np.integer]
Shares = NDArray[np.float64]


def wilson(count: int, base: int, population: int | None = None) -> tuple[float, float]:
    """Return (low, high) of the share count/base, both in 0..1; (0, 1) when nobody was asked.

    `population` is everybody who could have answered: the fewer are missing the narrower the interval, by way of the
    effective number n(N - 1)/(N - n). Raises ValueError unless 0 <= count <= base <= population.
    """
    if not 0 <= count <= base or (population is not None and population < base):
        raise ValueError(f"a share needs 0 <= count <= base <= population, not {count}, {base}, {population}")
    if base == 0:
        return 0.0, 1.0
    share = count / base
    if population is not None and population <= max(base, 1):
        return share, share
    n = base if population is None else base * (population - 1) / (population - base)
    centre, half = _centre_and_half(share, n)
    return max(0.0, centre - half) if count else 0.0, min(1.0, centre + half) if count < base else 1.0


def _centre_and_half(share: float, n: float) -> tuple[float, float]:
    square = Z * Z
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = Z / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n * n))
    return centre, half


def wilson_all(counts: Counts, bases: Counts) -> tuple[Shares, Shares]:
    """Return (low, high) for whole tables at once; `bases` broadcasts against `counts`, 0 of 0 gives (0, 1)."""
    square = Z * Z
    n = np.maximum(bases, 1).astype(np.float64)
    share = counts / n
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = Z / (1 + square / n) * np.sqrt(share * (1 - share) / n + square / (4 * n * n))
    low = np.where(counts == 0, 0.0, np.maximum(0.0, centre - half))
    high = np.where(counts == bases, 1.0, np.minimum(1.0, centre + half))
    return low, high
