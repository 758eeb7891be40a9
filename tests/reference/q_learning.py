"""Q-learning with epsilon-greedy exploration, for an episodic MDP with a kernel of its own at each stage.

Source: Watkins, Dayan 1992: Q <- (1 - a_n) Q + a_n (r + max_b Q(s', b)), a_n the rate of the n-th visit [recalled],
carried over to stages without discounting. a_n = 1/n, or (H+1)/(H+n). Stages count from 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np


def plain(n: int) -> float:
    """1/n: Q is the average of its targets."""
    return 1.0 / n


def horizon_rate(H: int) -> Callable[[int], float]:
    """(H+1)/(H+n)."""
    return lambda n: (H + 1) / (H + n)


class QLearning:
    """Attributes: Q (H,S,A), N (H,S,A)."""

    def __init__(
        self, S: int, A: int, H: int, epsilon: float, start: float = 0.0, rate: Callable[[int], float] = plain
    ) -> None:
        self.A, self.H, self.epsilon, self.rate = A, H, epsilon, rate
        self.Q, self.N = np.full((H, S, A), start), np.zeros((H, S, A), dtype=np.int64)

    def act(self, h: int, s: int, u: float, v: float) -> int:
        """Uniform if the coin u falls below epsilon, else greedy (first maximum)."""
        return math.floor(v * self.A) if u < self.epsilon else int(np.argmax(self.Q[h, s]))

    def learn(self, h: int, s: int, a: int, r: float, s2: int) -> None:
        """One update."""
        self.N[h, s, a] += 1
        rate = self.rate(int(self.N[h, s, a]))
        ahead = float(self.Q[h + 1, s2].max()) if h + 1 < self.H else 0.0
        self.Q[h, s, a] += rate * (r + ahead - self.Q[h, s, a])
