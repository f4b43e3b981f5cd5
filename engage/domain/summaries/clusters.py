"""Design effect: how much less precise a share among children is because siblings answer alike.

Families are the clusters. The variance of a share is that of a ratio of family sums, summed over all answers of a
question and divided by the variance for independent children (L. Kish, Survey Sampling, 1965, chapter 6). There is one
number per question, rounded up to a step, so that it reveals almost nothing about any family.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

ENOUGH = 50  # families with two or more children; with fewer, siblings are assumed to give identical answers
FINE, COARSE = 0.2, 0.5  # steps for rounding up an estimated effect, and one from family sizes only

Marks = NDArray[np.uint8]  # children x answers: 1 if the child has the answer
Families = NDArray[np.uint32]  # the family number of each child, ascending


def design_effect(chunks: Iterable[tuple[Families, Marks]], counts: NDArray[np.int64], children: int) -> float:
    """Return the design effect of a question, at least 1. `counts` children of `children` gave each answer.

    `chunks` hold the children who answered; no family is in two chunks.
    """
    if children == 0:
        return 1.0
    shares = counts / children
    families = several = 0
    squares = spread = 0.0
    for parents, marks in chunks:
        family = np.cumsum(np.diff(parents, prepend=parents[:1]) != 0)  # 0, 1, … in the given order
        sizes = np.bincount(family)
        families, several = families + len(sizes), several + int((sizes > 1).sum())
        squares += float((sizes.astype(np.float64) ** 2).sum())
        for answer, share in enumerate(shares):
            weights = np.bincount(family, weights=marks[:, answer], minlength=len(sizes))
            spread += float(((weights - share * sizes) ** 2).sum())
    independent = children * float((shares * (1 - shares)).sum())
    if several < ENOUGH or independent == 0:
        return _round_up(squares / children, COARSE)
    return _round_up(families / (families - 1) * spread / independent, FINE)


def _round_up(effect: float, step: float) -> float:
    return max(1.0, round(math.ceil(effect / step - 1e-9) * step, 1))
