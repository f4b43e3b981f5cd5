"""Wilson score intervals of shares (E. B. Wilson, JASA 22, 1927, p. 209-212), and Newcombe's hybrid score intervals of
their differences (R. G. Newcombe, Statistics in Medicine 17, 1998, p. 873-890, method 10), both 95%.

They assume that families who did not answer are similar to those who did, as the pages say. If the population size is
known, the finite population correction replaces n by n (N - 1) / (N - n). If answers are clustered (children of one
family), n is first divided by the design effect (L. Kish, Survey Sampling, 1965).
"""

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054  # standard normal quantile at 0.975, for a two-sided 95% interval

Counts = NDArray[np.integer]
Shares = NDArray[np.float64]


def wilson_intervals(
    counts: Counts, bases: Counts, populations: Shares | None = None, effects: Shares | float = 1.0
) -> tuple[Shares, Shares]:
    """Return (low, high) of the shares counts/bases, in 0..1, for whole tables at once. 0 of 0 gives (0, 1).

    `bases`, `populations` (NaN: unknown, infinite), and `effects` (design effects, at least 1) broadcast against
    `counts`. A population that answered completely gives (share, share). Raises ValueError unless 0 <= counts <= bases
    <= populations everywhere.
    """
    if np.any((counts < 0) | (counts > bases)):
        raise ValueError("a share needs 0 <= count <= base")
    square = Z * Z
    n = np.maximum(bases, 1).astype(np.float64)
    share = counts / n
    inverse = np.broadcast_to(effects / n * _finite_correction(n, populations), share.shape)  # 1 / effective n
    centre = (share + square / 2 * inverse) / (1 + square * inverse)
    half = Z / (1 + square * inverse) * np.sqrt(share * (1 - share) * inverse + square / 4 * inverse * inverse)
    low = np.where(counts == 0, 0.0, np.maximum(0.0, centre - half))
    high = np.where(counts == bases, 1.0, np.minimum(1.0, centre + half))
    complete = inverse == 0
    return np.where(complete, share, low), np.where(complete, share, high)


def _finite_correction(n: Shares, populations: Shares | None) -> Shares | float:
    """Return (N - n) / (N - 1); 1 if the population is unknown, 0 if all of it answered."""
    if populations is None:
        return 1.0
    if np.any(populations < n):
        raise ValueError("a population holds at least those who answered")
    left = (populations - n) / np.maximum(populations - 1, 1.0)
    return np.where(np.isnan(populations), 1.0, left)


def newcombe_intervals(
    counts: Counts, bases: Counts, other_counts: Counts, other_bases: Counts
) -> tuple[Shares, Shares]:
    """Return (low, high) of the differences counts/bases - other_counts/other_bases of independent shares, in -1..1.

    All have one shape; bases are at least 1. Raises ValueError unless 0 <= counts <= bases.
    """
    low, high = wilson_intervals(counts, bases)
    other_low, other_high = wilson_intervals(other_counts, other_bases)
    share, other = counts / bases, other_counts / other_bases
    difference = share - other
    below = np.sqrt((share - low) ** 2 + (other_high - other) ** 2)
    above = np.sqrt((high - share) ** 2 + (other - other_low) ** 2)
    return difference - below, difference + above
