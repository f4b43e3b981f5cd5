"""How sure a share is: the Wilson score interval (E. B. Wilson, JASA 22, 1927, p. 209-212), 95 %.

It assumes that the families who did not answer resemble those who did; the pages say so.
"""

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054  # standard normal quantile at 0.975: 95 % in the middle

Counts = NDArray[np.integer]
Shares = NDArray[np.float64]


def wilson_all(counts: Counts, bases: Counts) -> tuple[Shares, Shares]:
    """Return (low, high) of the shares counts/bases, in 0..1, for whole tables at once; 0 of 0 gives (0, 1).

    `bases` broadcasts against `counts`. Raises ValueError unless 0 <= counts <= bases everywhere.
    """
    if np.any((counts < 0) | (counts > bases)):
        raise ValueError("a share needs 0 <= count <= base")
    square = Z * Z
    n = np.maximum(bases, 1).astype(np.float64)
    share = counts / n
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = Z / (1 + square / n) * np.sqrt(share * (1 - share) / n + square / (4 * n * n))
    low = np.where(counts == 0, 0.0, np.maximum(0.0, centre - half))
    high = np.where(counts == bases, 1.0, np.minimum(1.0, centre + half))
    return low, high
