"""Q-learning with Hoeffding bonuses (UCB-H) for an episodic MDP with a kernel of its own at each of H stages.

Source: Jin, Allen-Zhu, Bubeck, Jordan 2018, algorithm 1 [line numbers and rule recalled]. Rewards in [0, 1];
T = K H steps; iota = ln(S A T / delta). The paper leaves the constant c unspecified. Stages count from 0 here.
The update is made at once after each step; V is capped at H and is not made monotone. Ties go to the lowest action.
"""

from __future__ import annotations

import math

import numpy as np


class UCBH:
    """Attributes: Q (H,S,A), V (H+1,S) with V[H] = 0, N (H,S,A) visits, bonus (the last one used, 0 before any)."""

    def __init__(self, S: int, A: int, H: int, K: int, delta: float, c: float) -> None:
        self.H, self.c = H, c
        self.iota = math.log(S * A * (K * H) / delta)
        self.Q = np.full((H, S, A), float(H))  # line 1: Q_h(s,a) = H, N_h(s,a) = 0
        self.N = np.zeros((H, S, A), dtype=np.int64)
        self.V = np.full((H + 1, S), float(H))
        self.V[H] = 0.0  # the value after the last stage is zero
        self.bonus = 0.0

    def act(self, h: int, s: int) -> int:
        """Line 5: the greedy action at stage h, state s (first maximum)."""
        return int(np.argmax(self.Q[h, s]))

    def learn(self, h: int, s: int, a: int, r: float, s2: int) -> None:
        """Lines 6-8 for the step (s, a, r, s2) of stage h."""
        self.N[h, s, a] += 1  # line 6: t = N_h(s,a) after the increment
        t = int(self.N[h, s, a])
        self.bonus = self.c * math.sqrt(self.H**3 * self.iota / t)  # line 6: b_t
        alpha = (self.H + 1) / (self.H + t)  # equation of alpha_t, before the algorithm
        target = r + self.V[h + 1, s2] + self.bonus
        self.Q[h, s, a] = (1.0 - alpha) * self.Q[h, s, a] + alpha * target  # line 7
        self.V[h, s] = min(float(self.H), float(np.max(self.Q[h, s])))  # line 8
