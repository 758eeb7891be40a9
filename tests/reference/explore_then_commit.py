"""Explore-then-commit with k arms and m plays of each, rounds t = 1, 2, ...

    A_t = (t mod k) + 1 for t <= m k,    A_t = argmax_i mean_i(m k) for t > m k

Source: Lattimore and Szepesvari 2020, algorithm 1 [recalled]. Here arms and rounds count from 0 and the first is arm 0.
Ties go to the lowest arm, which the source leaves open.
"""

from __future__ import annotations

import numpy as np


class ExploreThenCommit:
    """Attributes: rewards, the list of rewards of each arm; choice, the arm committed to or None."""

    def __init__(self, k: int, m: int) -> None:
        self.k, self.m = k, m
        self.rewards: list[list[float]] = [[] for _ in range(k)]
        self.choice: int | None = None

    def act(self) -> int:
        """The arm of the next round."""
        t = sum(len(x) for x in self.rewards)
        if t < self.m * self.k:
            return t % self.k
        if self.choice is None:
            self.choice = int(np.argmax([sum(x[: self.m]) / self.m for x in self.rewards]))
        return self.choice

    def learn(self, a: int, r: float) -> None:
        """Keep the reward."""
        self.rewards[a].append(r)
