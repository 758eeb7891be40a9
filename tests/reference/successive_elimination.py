"""Successive elimination with n arms, confidence 1 - delta and a constant c > 4.

    1. t = 1, S = A; every arm of S is sampled once
    2. p_a = the average reward of arm a so far, p_max = max_{a in S} p_a, alpha_t = sqrt(ln(c n t^2 / delta) / t)
    3. every a in S with p_max - p_a >= 2 alpha_t leaves S
    4. t = t + 1, and from the sampling on again while |S| > 1 (printed: until |S| > 1)

Source: Even-Dar, Mannor, Mansour 2006, algorithm 3 [source]. Samples of a round are taken in the order of the arms; the
arm that is left is played from then on. `scale` = 1 is the paper; other values multiply alpha.
"""

from __future__ import annotations

import math

import numpy as np


class SuccessiveElimination:
    """Attributes: S, the survivors; queue, arms still to be sampled in this round; alpha; stop, plays used or None."""

    def __init__(self, n: int, delta: float, c: float = 5.0, scale: float = 1.0) -> None:
        self.n, self.delta, self.c, self.scale = n, delta, c, scale
        self.N = np.zeros(n, dtype=np.int64)
        self.total = np.zeros(n)
        self.S = list(range(n))
        self.queue = list(self.S)
        self.t = 1
        self.alpha = 0.0
        self.stop: int | None = 0 if n == 1 else None

    def act(self) -> int:
        """The next arm."""
        return self.queue[0] if len(self.S) > 1 else self.S[0]

    def learn(self, a: int, r: float) -> None:
        """Step 1 for one arm, and steps 2 to 4 after the last of a round."""
        self.N[a] += 1
        self.total[a] += r
        if len(self.S) == 1:
            return
        assert self.queue.pop(0) == a
        if self.queue:
            return
        p = {b: self.total[b] / self.t for b in self.S}
        self.alpha = self.scale * math.sqrt(math.log(self.c * self.n * self.t**2 / self.delta) / self.t)
        p_max = max(p.values())
        self.S = [b for b in self.S if not p_max - p[b] >= 2 * self.alpha]
        self.queue = list(self.S)
        self.t += 1
        if len(self.S) == 1:
            self.stop = int(self.N.sum())
