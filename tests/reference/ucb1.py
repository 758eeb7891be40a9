"""UCB1 for A arms with rewards in [0, 1]: play the arm with the largest mean_j + scale sqrt(2 ln t / N_j).

Source: Auer, Cesa-Bianchi, Fischer 2002, figure 1 [recalled; the index agrees with the source-tagged notes].
t is the number of rounds already played, initial pulls included, so the first index is computed at t = A.
`scale` = 1 is the paper; other values multiply the bonus and carry no guarantee. Ties go to the lowest arm.
"""

from __future__ import annotations

import math

import numpy as np


class UCB1:
    """Attributes: N (A,) plays, total (A,) sums of rewards, index (A,) last computed indices (zeros before any)."""

    def __init__(self, A: int, scale: float = 1.0) -> None:
        self.A, self.scale = A, scale
        self.N = np.zeros(A, dtype=np.int64)
        self.total = np.zeros(A)
        self.index = np.zeros(A)

    def act(self, t: int) -> int:
        """The arm of the round with 0-based number t, which is also the number of rounds already played."""
        assert t == self.N.sum(), "t counts every round already played"
        if t < self.A:  # initialisation: play each arm once
            return int(np.flatnonzero(self.N == 0)[0])
        for j in range(self.A):  # loop: index of arm j after t plays in all, N_j of them of arm j
            mean = self.total[j] / self.N[j]
            self.index[j] = mean + self.scale * math.sqrt(2.0 * math.log(t) / self.N[j])
        return int(np.argmax(self.index))  # first maximum

    def learn(self, a: int, r: float) -> None:
        """Take in reward r of arm a."""
        self.N[a] += 1
        self.total[a] += r
