"""UCBVI-BF: upper confidence bounds on values from empirical value iteration, Bernstein-Freedman bonus.

Source: Azar, Osband, Munos 2017, algorithms 1, 2 and 4 [line numbers recalled; bonus checked against a public port].
Finite horizon, one kernel for all stages, known deterministic mean rewards in [0, 1], T = K H. Stages count from 0
here. Ties go to the lowest action. After the last stage there is no value to be wrong about and no N': the last term is
left out there. `tight` replaces the paper's cap H by the number of rewards that are left, H - h; `correction` is the
100^2.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class UCBVIBF:
    """Attributes: counts N (S,A), M (S,A,S), reached (H,S); Q (H,S,A), V (H+1,S), bonus b (H,S,A) of the last plan."""

    def __init__(
        self,
        r: Floats,
        H: int,
        K: int,
        delta: float,
        scale: float = 1.0,
        tight: bool = False,
        correction: float = 100.0**2,
    ) -> None:
        self.S, self.A = r.shape
        self.r, self.H, self.scale, self.correction = r, H, scale, correction
        self.L = math.log(5 * self.S * self.A * (K * H) / delta)
        self.cap = [float(H - h) if tight else float(H) for h in range(H)]
        self.N = np.zeros((self.S, self.A), dtype=np.int64)
        self.M = np.zeros((self.S, self.A, self.S), dtype=np.int64)
        self.reached = np.zeros((H, self.S), dtype=np.int64)  # N'_{k,h}(x)
        # algorithm 1: Q_{0,h} = H for all h, x, a
        self.Q = np.array([np.full((self.S, self.A), c) for c in self.cap])
        self.V = np.zeros((H + 1, self.S))

    def bonus_2(self, h: int, p_hat: Floats, V: Floats, n: int) -> float:
        """Algorithm 4, for stage h with the values V of stage h + 1."""
        possible = np.flatnonzero(p_hat)
        mean = sum(p_hat[y] * V[y] for y in possible)
        variance = sum(p_hat[y] * (V[y] - mean) ** 2 for y in possible)
        correction = 0.0
        for y in possible:
            if h + 1 < self.H:
                visits = int(self.reached[h + 1, y])
                least = self.correction * self.H**3 * self.S**2 * self.A * self.L**2
                correction += p_hat[y] * (min(least / visits, self.H**2) if visits else self.H**2)
        return self.scale * (
            math.sqrt(8 * self.L * variance / n) + 14 * self.H * self.L / (3 * n) + math.sqrt(8 * correction / n)
        )

    def ucb_q_values(self) -> None:
        """Algorithm 2: the upper confidence bounds of the next episode from all the data so far."""
        previous = self.Q.copy()
        self.b = np.full((self.H, self.S, self.A), np.inf)
        self.V = np.zeros((self.H + 1, self.S))  # V_{k,H+1} = 0
        for h in reversed(range(self.H)):
            for x in range(self.S):
                for a in range(self.A):
                    n = int(self.N[x, a])
                    if n > 0:
                        p_hat = self.M[x, a] / n  # P_k(y|x,a) = N_k(x,a,y) / N_k(x,a)
                        self.b[h, x, a] = self.bonus_2(h, p_hat, self.V[h + 1], n)
                        backed_up = self.r[x, a] + float(p_hat @ self.V[h + 1]) + self.b[h, x, a]
                        self.Q[h, x, a] = min(previous[h, x, a], self.cap[h], backed_up)
                    else:
                        self.Q[h, x, a] = self.cap[h]
                self.V[h, x] = self.Q[h, x].max()

    def act(self, h: int, x: int) -> int:
        """Algorithm 1: the greedy action (first maximum)."""
        return int(np.argmax(self.Q[h, x]))

    def learn(self, h: int, x: int, a: int, y: int) -> None:
        """Algorithm 1: update the history, pooled and by stage."""
        self.N[x, a] += 1
        self.M[x, a, y] += 1
        self.reached[h, x] += 1
