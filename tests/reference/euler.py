"""EULER for an episodic MDP of H stages: upper and lower values with empirical-Bernstein bonuses.

Source: Zanette and Brunskill 2019, algorithm 1 [recalled; line numbers ours]. Rewards in [0, 1], unknown. Stages count
from 0 here, so that H - h stages are left at stage h. `pooled` keeps one count for all stages, as the paper has it for
stationary MDPs; otherwise each stage has its own. Variances divide by n; n - 1 is taken to be at least 1.
"""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def variance(weights: Floats, values: Floats) -> float:
    """Variance of `values` under `weights`, as half the mean squared difference of two independent draws."""
    apart = (values[:, None] - values[None, :]) ** 2
    return float(0.5 * weights @ apart @ weights)


class EULER:
    """Attributes: Q_up (H,S,A), V_up, V_low (H+1,S), pi (H,S); data: (g, s, a) -> list of (reward, next state)."""

    def __init__(self, S: int, A: int, H: int, K: int, delta: float, scale: float = 1.0, pooled: bool = False) -> None:
        self.S, self.A, self.H, self.scale, self.pooled = S, A, H, scale, pooled
        self.l = math.log(4 * S * A * (K * H) / (delta / 7))  # delta' = delta / 7
        self.J = H * self.l / 3
        self.B_v = math.sqrt(2 * self.l)
        self.B_p = H * math.sqrt(2 * self.l)
        self.data: dict[tuple[int, int, int], list[tuple[float, int]]] = defaultdict(list)
        self.Q_up = np.zeros((H, S, A))
        self.V_up, self.V_low = np.zeros((H + 1, S)), np.zeros((H + 1, S))
        self.pi = np.zeros((H, S), dtype=np.int64)

    def seen(self, h: int, s: int, a: int) -> list[tuple[float, int]]:
        """Rewards and next states of the pair so far."""
        return self.data[(0 if self.pooled else h, s, a)]

    def learn(self, h: int, s: int, a: int, r: float, s2: int) -> None:
        """Line 14: one more outcome."""
        self.seen(h, s, a).append((r, s2))

    def act(self, h: int, s: int) -> int:
        """Line 13: the action of the plan."""
        return int(self.pi[h, s])

    def parts(self, h: int, s: int, a: int) -> tuple[float, float, Floats, int]:
        """Lines 3-4: mean reward, reward bonus b_r, empirical law, visits."""
        outcomes = self.seen(h, s, a)
        n = len(outcomes)
        rewards = np.array([r for r, _ in outcomes])
        law = np.bincount([y for _, y in outcomes], minlength=self.S) / n
        var = variance(np.full(n, 1.0 / n), rewards)
        b_r = math.sqrt(2 * var * self.l / n) + 7 * self.l / (3 * max(1, n - 1))
        return float(rewards.mean()), b_r, law, n

    def phi(self, law: Floats, V: Floats, n: int) -> float:
        """The Bernstein term of a value function."""
        return math.sqrt(2 * variance(law, V) * self.l / n) + self.H * self.l / (3 * max(1, n - 1))

    def correction(self, law: Floats, h: int, n: int) -> float:
        """(1 / sqrt(n)) ((4 J + B_p) / sqrt(n) + B_v |V_up - V_low|_{2, p_hat}) at stage h + 1."""
        norm = math.sqrt(float(law @ (self.V_up[h + 1] - self.V_low[h + 1]) ** 2))
        return ((4 * self.J + self.B_p) / math.sqrt(n) + self.B_v * norm) / math.sqrt(n)

    def plan(self) -> None:
        """Lines 1-12: backward over the stages, from V_up = V_low = 0 at stage H."""
        self.V_up[self.H], self.V_low[self.H] = 0.0, 0.0
        for h in reversed(range(self.H)):
            for s in range(self.S):
                for a in range(self.A):
                    cap = float(self.H - h)
                    if not self.seen(h, s, a):
                        self.Q_up[h, s, a] = cap
                        continue
                    r, b_r, law, n = self.parts(h, s, a)
                    bonus = b_r + self.phi(law, self.V_up[h + 1], n) + self.correction(law, h, n)
                    self.Q_up[h, s, a] = min(cap, r + float(law @ self.V_up[h + 1]) + self.scale * bonus)
                a = int(np.argmax(self.Q_up[h, s]))  # line 8: the first maximum
                self.pi[h, s], self.V_up[h, s] = a, self.Q_up[h, s, a]
                self.V_low[h, s] = 0.0
                if self.seen(h, s, a):  # lines 9-11: the lower value at the upper value's action
                    r, b_r, law, n = self.parts(h, s, a)
                    bonus = b_r + self.phi(law, self.V_low[h + 1], n) + self.correction(law, h, n)
                    self.V_low[h, s] = max(0.0, r + float(law @ self.V_low[h + 1]) - self.scale * bonus)
