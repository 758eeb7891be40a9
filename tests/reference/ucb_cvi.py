"""gamma-UCB-CVI for tabular average-reward MDPs with known rewards.

Source: Hong et al. 2025 [recalled]; the constant of the bonus, and that pairs without a visit stay at the top, as in
the learner [derived]. r (S,A).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class UCBCVI:
    """Attributes: visits (S,A,S) transitions; Q (S,A), V (S,)."""

    def __init__(self, r: Floats, T: int, delta: float, span: float, gamma: float, scale: float) -> None:
        self.r, self.span = r, span
        S, A = r.shape
        self.gamma = gamma or 1 - 1 / math.sqrt(T)
        self.beta = scale * span * math.sqrt(2 * math.log(2**S * S * A * T / delta))
        self.visits = np.zeros((S, A, S))
        self.Q = np.full((S, A), 1 / (1 - self.gamma))
        self.V = self.Q.max(axis=1)

    def act(self, s: int) -> int:
        """The first maximiser."""
        return int(np.argmax(self.Q[s]))

    def learn(self, s: int, a: int, s2: int) -> None:
        """Count, then one sweep of all pairs with the V of before."""
        self.visits[s, a, s2] += 1
        N = self.visits.sum(axis=2)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = self.r + self.gamma * (self.visits @ self.V / N + self.beta / np.sqrt(N))
        self.Q = np.where(N > 0, np.minimum(self.Q, value), self.Q)
        best = self.Q.max(axis=1)
        self.V = np.minimum(best, best.min() + 2 * self.span)
