"""Comparison of guesses with chance: the true links are permuted within each stratum, thousands of times."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

DEALS = 2000


@dataclass
class Verdict:
    """Numbers of correct links, and the distribution by chance, by strategy. `p` is for all strategies together;
    `p_best` compares the best strategy with the best by chance (P. H. Westfall and S. S. Young, Resampling-Based
    Multiple Testing, 1993)."""

    answered: int
    right: dict[str, int]
    expected: dict[str, float]
    guesses: dict[str, int]
    best: str
    z_best: float
    p: float
    p_best: float

    def __str__(self) -> str:
        total, by_chance = sum(self.right.values()), sum(self.expected.values())
        told = f"{self.answered} responses, {len(self.right)} strategies, {sum(self.guesses.values())} guesses: "
        told += f"{total} right, {by_chance:.0f} by chance, p = {self.p:.4f}; best: {self.best} "
        return (
            told + f"({self.right[self.best]} right, {self.expected[self.best]:.1f} by chance), p = {self.p_best:.4f}"
        )


@dataclass
class Jury:
    """Collects guesses and true links over many seeds."""

    rng: np.random.Generator
    answered: int = 0
    _right: dict[str, int] = field(default_factory=dict)
    _dealt: dict[str, np.ndarray] = field(default_factory=dict)
    _guesses: dict[str, int] = field(default_factory=dict)

    def hear(
        self, truth: Mapping[str, int], strata: Mapping[str, list[int]], strategies: dict[str, Mapping[str, int]]
    ) -> None:
        """Add one seed. `truth` is response id to invitation; `strata` has the possible invitations of each
        response."""
        self.answered += len(truth)
        groups: dict[tuple[int, ...], list[str]] = {}
        for id in truth:
            groups.setdefault(tuple(strata[id]), []).append(id)
        for invitations, ids in groups.items():
            deck = np.tile(np.array(invitations), (DEALS, 1))
            dealt = self.rng.permuted(deck, axis=1)[:, : len(ids)]
            for name, guessed in strategies.items():
                mine = np.array([guessed.get(id, -1) for id in ids])
                known = np.array([truth[id] for id in ids])
                self._right[name] = self._right.get(name, 0) + int((mine == known).sum())
                self._guesses[name] = self._guesses.get(name, 0) + int((mine >= 0).sum())
                hits = (dealt == mine).sum(axis=1)
                self._dealt[name] = self._dealt.get(name, np.zeros(DEALS, dtype=int)) + hits

    def verdict(self) -> Verdict:
        """Return the verdict over all seeds."""
        names = list(self._right)
        dealt = np.array([self._dealt[name] for name in names], dtype=float)
        right = np.array([self._right[name] for name in names], dtype=float)
        mean, spread = dealt.mean(axis=1), np.maximum(dealt.std(axis=1), 0.5)  # 0.5: a guess or two may be chance
        scores, chances = (right - mean) / spread, ((dealt.T - mean) / spread).max(axis=1)
        best = int(scores.argmax())
        p = (1 + int((dealt.sum(axis=0) >= right.sum()).sum())) / (1 + DEALS)
        p_best = (1 + int((chances >= scores[best]).sum())) / (1 + DEALS)
        expected = dict(zip(names, mean.tolist(), strict=True))
        return Verdict(self.answered, self._right, expected, self._guesses, names[best], float(scores[best]), p, p_best)
