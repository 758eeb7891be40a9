"""LSVI-UCB for episodic linear MDPs, from the raw history, with a matrix and a regression of its own for each stage.

Source: Jin, Yang, Wang, Jordan 2020, algorithm 1 [line numbers and rule recalled]. Rewards in [0, 1]; T = K H steps;
iota = ln(2 d T / p), beta = c d H sqrt(iota), c unspecified; lambda = 1. Stages count from 0 here. Ties go to the
lowest action. Q is capped at H from above, not at 0 from below.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class LSVIUCB:
    """Attributes: Q (H,S,A), V (H+1,S), w (H,d), Lam (H,d,d), as of the last plan; history[h], a list of steps."""

    def __init__(self, phi: Floats, H: int, K: int, delta: float, c: float, lam: float = 1.0) -> None:
        self.phi, self.H, self.lam = phi, H, lam
        self.S, self.A, self.d = phi.shape
        self.beta = c * self.d * H * math.sqrt(math.log(2 * self.d * (K * H) / delta))
        self.history: list[list[tuple[int, int, float, int]]] = [[] for _ in range(H)]
        self.Q = np.zeros((H, self.S, self.A))
        self.V = np.zeros((H + 1, self.S))
        self.w = np.zeros((H, self.d))
        self.Lam = np.zeros((H, self.d, self.d))

    def plan(self) -> None:
        """Lines 3-6: for h = H, .., 1, with Q_{H+1} = 0."""
        self.V[self.H] = 0.0
        for h in reversed(range(self.H)):
            Lam, right = self.lam * np.eye(self.d), np.zeros(self.d)
            for s, a, r, s2 in self.history[h]:
                Lam += np.outer(self.phi[s, a], self.phi[s, a])  # line 4
                right += self.phi[s, a] * (r + self.V[h + 1, s2])  # line 5: r + max_a Q_{h+1}(x_{h+1}, a)
            self.Lam[h], self.w[h] = Lam, np.linalg.solve(Lam, right)
            for s in range(self.S):
                for a in range(self.A):
                    x = self.phi[s, a]
                    bonus = self.beta * math.sqrt(x @ np.linalg.solve(Lam, x))
                    self.Q[h, s, a] = min(self.w[h] @ x + bonus, self.H)  # line 6
            self.V[h] = self.Q[h].max(axis=1)

    def act(self, h: int, s: int) -> int:
        """Line 8: the first maximiser of Q_h(s, .)."""
        return int(np.argmax(self.Q[h, s]))

    def learn(self, h: int, s: int, a: int, r: float, s2: int) -> None:
        """Line 8: the step is observed."""
        self.history[h].append((s, a, r, s2))
