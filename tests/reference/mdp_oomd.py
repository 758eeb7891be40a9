"""MDP-OOMD: a transcription that keeps the block's trajectory and solves for lambda by Newton's method.

Source: Wei, Jafarnia-Jahromi, Luo, Sharma, Jain 2020, algorithms 2 (MDP-OOMD), 3 (EstimateQ) and 4 (OomdUpdate)
[authors' code: estimator, both steps; recalled: N = 4 t_mix log2 T, B = 16 N t_hit log2 T].

In each state, with F the log-barrier,
    pi' <- argmax_x eta <x, beta> - D_F(x, pi'),   pi <- argmax_x eta <x, beta> - D_F(x, pi'),
whose stationarity is 1/x(a) = 1/pi'(a) - eta beta(a) + lambda.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np


def barrier_step(base: np.ndarray, gains: np.ndarray) -> tuple[np.ndarray, float]:
    """The maximiser of <x, gains> + sum ln(x / base) - x / base over the simplex, and lambda.

    In c = lambda - max(gains - 1/base) > 0 the mass sum 1/(c + d), d >= 0, is convex and decreasing: Newton from the
    left climbs to the root of its reciprocal, which is concave.
    """
    poles = gains - 1.0 / base
    d = poles.max() - poles
    c = 1.0  # at the maximal pole alone the mass is 1/c
    while sum(1.0 / (c + x) for x in d) < 1.0:
        c /= 2.0
    while True:
        m = math.fsum(1.0 / (c + x) for x in d)
        slope = math.fsum(1.0 / (c + x) ** 2 for x in d)
        step = m * (m - 1.0) / slope
        if abs(step) <= 1e-15 * c:
            break
        c += step
    return np.array([1.0 / (c + x) for x in d]), float(c + poles.max())


class MDPOOMD:
    """Attributes: pi, prime, beta (S,A); lam (2,S); N; B; block, the list of (s, a, r); blocks."""

    def __init__(
        self,
        S: int,
        A: int,
        T: int,
        t_mix: float = 0.0,
        t_hit: float = 0.0,
        N: int | None = None,
        B: int | None = None,
        eta: float = 0.01,
        spacing: int = 1,
    ) -> None:
        self.S, self.A, self.eta, self.spacing = S, A, eta, spacing
        self.N = max(math.ceil(4 * t_mix * math.log2(T)), 1) if N is None else N  # log2 T is 0 at T = 1
        self.B = max(math.ceil(16 * self.N * t_hit * math.log2(T)), self.N + 1) if B is None else B
        self.pi, self.prime = np.full((S, A), 1 / A), np.full((S, A), 1 / A)
        self.beta, self.lam = np.zeros((S, A)), np.zeros((2, S))
        self.block: list[tuple[int, int, float]] = []
        self.blocks = 0

    def act(self, s: int, u: float) -> int:
        """The inverse of the distribution function at u."""
        return min(int(np.searchsorted(np.cumsum(self.pi[s]), u, side="right")), self.A - 1)

    def learn(self, s: int, a: int, r: float) -> bool:
        """Record the step; true when the block has ended and the policy was updated."""
        self.block.append((s, a, r))
        if len(self.block) < self.B:
            return False
        self.update()
        self.block, self.blocks = [], self.blocks + 1
        return True

    def estimate(self, s: int) -> np.ndarray:
        """EstimateQ: the mean over the visits used of 1{a_j = a} R_j / pi(a|s)."""
        terms, last = [], None
        for j, (x, a, _) in enumerate(self.block):
            if x != s or j >= self.B - self.N or (last is not None and j < last + self.spacing):
                continue
            last = j
            R = sum((Fraction(y[2]) for y in self.block[j : j + self.N]), Fraction(0))
            term = np.zeros(self.A)
            term[a] = float(R) / self.pi[s, a]
            terms.append(term)
        return np.mean(terms, axis=0) if terms else np.zeros(self.A)

    def update(self) -> None:
        """Both steps in every state."""
        for s in range(self.S):
            self.beta[s] = self.estimate(s)
            self.prime[s], self.lam[0, s] = barrier_step(self.prime[s], self.eta * self.beta[s])
            self.pi[s], self.lam[1, s] = barrier_step(self.prime[s], self.eta * self.beta[s])
