"""LOOP on a finite class of value functions, slowly: all M K losses at every step.

Source: He, Zhong, Yang 2024, algorithm 1 with the value-based discrepancy; trigger and confidence set as recalled, beta
as derived in the notes. With L(f, g) = sum over D of (g(s,a) - r(s,a) - V_f(s') + J_f)^2, steps from 1,

    1. at t = 1, or when the excess of f on all data >= 4 beta:  C = {f: excess(f) <= beta},  f = argmax_C J
    2. play a greedy action of Q_f, 3. add (s, a, s') to D, 4. excess(f) = L(f, Q_f) - min over g of G of L(f, g).
"""

from __future__ import annotations

import math

import numpy as np


def beta_of(M: int, K: int, T: int, delta: float, B: float, form: int, c: float = 1.0) -> float:
    """The three forms."""
    if form == 0:
        return 9 * B**2 * math.log(M * K / delta)
    return B**2 / 2 * math.log(K / delta) if form == 1 else c * math.log(T * (M + K) ** 2 / delta) * B


class LoopValues:
    """Attributes: own (M,) and losses (M,K) on all data; f in play; optimisations; beta."""

    def __init__(
        self, values: np.ndarray, gains: np.ndarray, auxiliary: np.ndarray, r: np.ndarray, beta: float, factor: float
    ) -> None:
        self.values, self.gains, self.auxiliary, self.r = values, gains, auxiliary, r
        self.beta, self.factor = beta, factor
        self.own = np.zeros(len(values))
        self.losses = np.zeros((len(values), len(auxiliary)))
        self.f, self.optimisations = -1, 0

    def value(self, m: int, s: int) -> float:
        return max(float(q) for q in self.values[m][s])

    @property
    def excess(self) -> np.ndarray:
        return np.asarray(self.own - self.losses.min(axis=1))

    def due(self) -> bool:
        return self.f < 0 or bool(self.excess[self.f] >= self.factor * self.beta)

    def optimise(self) -> bool:
        """False where the confidence set is empty."""
        members = [m for m in range(len(self.gains)) if self.excess[m] <= self.beta]
        if members:
            self.f = max(members, key=lambda m: (self.gains[m], -m))
            self.optimisations += 1
        return bool(members)

    def act(self, s: int) -> int:
        row = [float(q) for q in self.values[self.f][s]]
        return row.index(max(row))

    def learn(self, s: int, a: int, s2: int) -> None:
        for m in range(len(self.gains)):
            target = self.r[s, a] + self.value(m, s2) - self.gains[m]
            self.own[m] += (self.values[m][s, a] - target) ** 2
            for k in range(len(self.auxiliary)):
                self.losses[m, k] += (self.auxiliary[k][s, a] - target) ** 2
