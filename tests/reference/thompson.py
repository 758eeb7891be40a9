"""Thompson sampling for N Bernoulli arms, extended to rewards in [0, 1]. S_i = F_i = 0; in each round:

    1. for each arm i sample theta_i from Beta(S_i + 1, F_i + 1)
    2. play arm i(t) = argmax_i theta_i and observe the reward r in [0, 1]
    3. perform a Bernoulli trial with success probability r; if it succeeds S_{i(t)} += 1, else F_{i(t)} += 1

Source: Agrawal and Goyal 2013, algorithm 1 [source]; the trial of step 3 for rewards that are not 0 or 1 is Agrawal and
Goyal 2012, algorithm 2 [recalled]. Samples and the uniform number of the trial come from outside.
"""

from __future__ import annotations

import numpy as np


class Thompson:
    """Attributes: S, F (N,) successes and failures."""

    def __init__(self, N: int) -> None:
        self.S = np.zeros(N, dtype=np.int64)
        self.F = np.zeros(N, dtype=np.int64)

    def laws(self) -> list[tuple[int, int]]:
        """Step 1: parameters of the posterior of each arm."""
        return [(int(s) + 1, int(f) + 1) for s, f in zip(self.S, self.F, strict=True)]

    @staticmethod
    def act(theta: np.ndarray) -> int:
        """Step 2: the arm with the largest sample."""
        return int(np.argmax(theta))

    def learn(self, a: int, r: float, trial: float) -> None:
        """Step 3, with a uniform number on [0, 1) for the trial."""
        if trial < r:
            self.S[a] += 1
        else:
            self.F[a] += 1
