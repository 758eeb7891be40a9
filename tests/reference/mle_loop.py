"""MLE-LOOP on a finite class of models, slowly: sums over the data are made anew where they are asked for.

Source: He, Zhong, Yang 2024, algorithm 2 [recalled], in the notes' numbering: at time t (from 1), on the data D of t -
1 steps,

    1. g = argmax of the log-likelihood on D    2. Upsilon = sum over D of TV(P_f, P_g)
    3. at t = 1, or when Upsilon > 3 sqrt(beta t):  f = argmax {J_m : loglik_m >= loglik_g - beta}    4. play f's action
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from tests.reference.loop_models import solve

Floats = NDArray[np.float64]


class MleLoop:
    """Attributes: t steps taken; seen, counts of (s, a, s'); f in play, g most likely; upsilon; optimisations; dead."""

    def __init__(self, models: Floats, r: Floats, beta: float, factor: float = 3.0) -> None:
        self.models, self.beta, self.factor = models, beta, factor
        solved = [solve(P, r) for P in models]
        self.J = np.array([x[0] for x in solved])
        self.Q, self.V = np.array([x[1] for x in solved]), np.array([x[2] for x in solved])
        self.pi = np.array([x[3] for x in solved])
        self.seen: Counter[tuple[int, int, int]] = Counter()
        self.f, self.g, self.optimisations, self.t, self.upsilon, self.dead = 0, 0, 0, 0, 0.0, False

    def likelihoods(self) -> Floats:
        """ln of the probability that each model gives the data; minus infinity where it excludes them."""

        def one(P: Floats) -> float:
            if any(P[x] == 0.0 for x in self.seen):
                return -math.inf
            return math.fsum(n * math.log(P[x]) for x, n in self.seen.items())

        return np.array([one(P) for P in self.models])

    def distance(self) -> float:
        """Sum over the data of the total variation between f and g."""
        pairs: Counter[tuple[int, int]] = Counter()
        for (s, a, _), n in self.seen.items():
            pairs[s, a] += n
        f, g = self.models[self.f], self.models[self.g]
        return math.fsum(n * 0.5 * float(np.abs(f[x] - g[x]).sum()) for x, n in pairs.items())

    def act(self, s: int) -> int:
        """The action at time t + 1, or -1 where no model is left."""
        found = self.likelihoods()
        if found.max() == -math.inf:
            self.dead = True
            return -1
        # equal up to rounding of sums in different orders: the lowest
        self.g = next(m for m in range(len(found)) if found[m] >= found.max() - 1e-9)
        self.upsilon = self.distance()
        if self.t == 0 or self.upsilon > self.factor * math.sqrt(self.beta * (self.t + 1)):
            members = [m for m in range(len(found)) if found[m] >= found[self.g] - self.beta]
            self.f = max(members, key=lambda m: (self.J[m], -m))
            self.optimisations += 1
        return int(self.pi[self.f, s])

    def learn(self, s: int, a: int, s2: int) -> None:
        self.t += 1
        self.seen[s, a, s2] += 1
