"""RLSVI for a tabular episodic MDP, as regression on the whole buffer: nothing is summed up beforehand.

Source: Osband, Van Roy, Russo, Wen 2019, algorithm for finite-horizon tabular RLSVI [recalled; parameters: source].
Every cell (h,s,a) has its own parameter theta, prior N(theta_bar, lam), and observations y_i = r_i + max_b
Q_{h+1}(s'_i, b) of noise variance v: the posterior is normal with precision 1/lam + n/v and mean (theta_bar/lam +
sum y_i/v) / (1/lam + n/v). RLSVI's Q_h(s,a) is a draw from it, with fresh noise in every episode. Stages count from 0.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri

from theorylab.rng import LEARNER, Rng, draw_indexed


class RLSVI:
    """Attributes: buffer (lists of (r, s') by cell), Q (H,S,A), mean and variance (H,S,A) of the draw, pi (H,S)."""

    def __init__(self, S: int, A: int, H: int, v: float, lam: float, theta_bar: float) -> None:
        self.S, self.A, self.H, self.v, self.lam, self.theta_bar = S, A, H, v, lam, theta_bar
        cells = [(h, s, a) for h in range(H) for s in range(S) for a in range(A)]
        self.buffer: dict[tuple[int, int, int], list[tuple[float, int]]] = {c: [] for c in cells}
        self.Q, self.mean, self.variance = np.zeros((H, S, A)), np.zeros((H, S, A)), np.zeros((H, S, A))
        self.pi = np.zeros((H, S), dtype=np.int64)

    def noise(self, k: int, h: int, s: int, a: int, rng: Rng) -> float:
        """The standard normal of the cell in episode k, from its address."""
        u = float(draw_indexed(rng, k, (h * self.S + s) * self.A + a, LEARNER, 0)[0])
        return float(ndtri(u + 2.0**-54)) if u < 0.5 else -float(ndtri((1.0 - u) - 2.0**-54))

    def start_episode(self, k: int, rng: Rng) -> None:
        """For h = H-1, ..., 0: regress on the buffer, draw, take maxima."""
        after = np.zeros(self.S)  # Q_H = 0
        for h in reversed(range(self.H)):
            for s in range(self.S):
                for a in range(self.A):
                    y = [r + after[s2] for r, s2 in self.buffer[h, s, a]]
                    precision = 1.0 / self.lam + len(y) / self.v
                    self.mean[h, s, a] = (self.theta_bar / self.lam + math.fsum(y) / self.v) / precision
                    self.variance[h, s, a] = 1.0 / precision
                    self.Q[h, s, a] = self.mean[h, s, a] + math.sqrt(1.0 / precision) * self.noise(k, h, s, a, rng)
            after = self.Q[h].max(axis=1)
            self.pi[h] = self.Q[h].argmax(axis=1)

    def learn(self, h: int, s: int, a: int, r: float, s2: int) -> None:
        """Append to the buffer."""
        self.buffer[h, s, a].append((r, s2))
