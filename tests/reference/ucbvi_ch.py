"""UCBVI-CH: upper confidence bounds on values from empirical value iteration, Chernoff-Hoeffding bonus.

Source: Azar, Osband, Munos 2017, algorithms 1 to 3 [line numbers and rule recalled]. Finite horizon, one kernel for
all stages, known deterministic mean rewards in [0, 1], T = K H. Stages count from 0 here. Ties go to the lowest action.
`tight` replaces the paper's cap H by the number of rewards that are left, H - h.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class UCBVICH:
    """Attributes: history counts N (S,A) and M (S,A,S); Q (H,S,A) and V (H+1,S) of the last plan; b (S,A) its bonus."""

    def __init__(self, r: Floats, H: int, K: int, delta: float, scale: float = 1.0, tight: bool = False) -> None:
        self.S, self.A = r.shape
        self.r, self.H, self.scale = r, H, scale
        self.L = math.log(5 * self.S * self.A * (K * H) / delta)
        self.cap = [float(H - h) if tight else float(H) for h in range(H)]
        self.N = np.zeros((self.S, self.A), dtype=np.int64)
        self.M = np.zeros((self.S, self.A, self.S), dtype=np.int64)
        # algorithm 1: Q_{0,h} = H for all h, x, a
        self.Q = np.array([np.full((self.S, self.A), c) for c in self.cap])
        self.V = np.zeros((H + 1, self.S))

    def bonus_1(self, n: int) -> float:
        """Algorithm 3."""
        return self.scale * 7 * self.H * self.L * math.sqrt(1 / n)

    def ucb_q_values(self) -> None:
        """Algorithm 2: the upper confidence bounds of the next episode from all the data so far."""
        previous = self.Q.copy()
        self.b = np.full((self.S, self.A), np.inf)
        self.V = np.zeros((self.H + 1, self.S))  # V_{k,H+1} = 0
        for h in reversed(range(self.H)):
            for x in range(self.S):
                for a in range(self.A):
                    n = int(self.N[x, a])
                    if n > 0:
                        p_hat = self.M[x, a] / n  # P_k(y|x,a) = N_k(x,a,y) / N_k(x,a)
                        self.b[x, a] = self.bonus_1(n)
                        backed_up = self.r[x, a] + float(p_hat @ self.V[h + 1]) + self.b[x, a]
                        self.Q[h, x, a] = min(previous[h, x, a], self.cap[h], backed_up)
                    else:
                        self.Q[h, x, a] = self.cap[h]
                self.V[h, x] = self.Q[h, x].max()

    def act(self, h: int, x: int) -> int:
        """Algorithm 1: the greedy action (first maximum)."""
        return int(np.argmax(self.Q[h, x]))

    def learn(self, h: int, x: int, a: int, y: int) -> None:
        """Algorithm 1: update the history."""
        self.N[x, a] += 1
        self.M[x, a, y] += 1
