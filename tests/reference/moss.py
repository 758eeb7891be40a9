"""MOSS for K arms and n rounds: play the arm with the largest index B_{i, T_i(t-1)},

    B_{i,0} = +infinity,    B_{i,s} = mean_{i,s} + sqrt(max(log(n / (K s)), 0) / s) for s >= 1.

Source: Audibert and Bubeck 2010, the strategy of theorem 24 [source]. `scale` = 1 is the paper; other values multiply
the width. Ties go to the lowest arm, which the paper leaves open.
"""

from __future__ import annotations

import math

import numpy as np


class MOSS:
    """Attributes: N (K,) plays, total (K,) sums of rewards."""

    def __init__(self, K: int, n: int, scale: float = 1.0) -> None:
        self.K, self.n, self.scale = K, n, scale
        self.N = np.zeros(K, dtype=np.int64)
        self.total = np.zeros(K)

    @property
    def index(self) -> np.ndarray:
        """B_{i, T_i} of every arm."""
        out = np.full(self.K, math.inf)
        for i in range(self.K):
            s = int(self.N[i])
            if s > 0:
                ratio = self.n / (self.K * s)
                positive = math.log(ratio) if ratio > 1 else 0.0
                out[i] = self.total[i] / s + self.scale * math.sqrt(positive / s)
        return out

    def act(self) -> int:
        """The arm of the next round."""
        return int(np.argmax(self.index))  # first maximum

    def learn(self, a: int, r: float) -> None:
        """Take in reward r of arm a."""
        self.N[a] += 1
        self.total[a] += r
