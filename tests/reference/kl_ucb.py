"""KL-UCB for K arms with rewards in [0, 1], in round t (counted from 1, so t - 1 rounds have been played):

    play each arm once; then  argmax_a max{q in [0, 1] : N[a] d(S[a] / N[a], q) <= log(t) + c log(log(t))},

d(p, q) = p log(p/q) + (1-p) log((1-p)/(1-q)), with 0 log 0 = 0 and x log(x/0) = +infinity.
Source: Garivier and Cappe 2011, algorithm 1 [source]. c = 3 in the theorems, 0 recommended. log(log(t)) is taken as 0
at t = 2, which only a bandit with one arm reaches. `scale` = 1 is the paper; other values multiply the right-hand side.
The maximum is found by bisection to the last double: d(p, .) increases on [p, 1]. Ties go to the lowest arm.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import xlogy


def d(p: float, q: float) -> float:
    """The divergence of two Bernoulli laws, in nats."""

    def part(x: float, y: float) -> float:
        if x == 0.0:
            return 0.0
        return x * math.log(x / y) if y > 0.0 else math.inf

    return part(p, q) + part(1.0 - p, 1.0 - q)


def upper(p: float, level: float) -> float:
    """max{q in [0, 1] : d(p, q) <= level}, by bisection."""
    if d(p, 1.0) <= level:
        return 1.0
    low, high = p, 1.0
    while low < (middle := 0.5 * (low + high)) < high:
        low, high = (middle, high) if d(p, middle) <= level else (low, middle)
    return low


class KLUCB:
    """Attributes: N (K,) plays, S (K,) sums of rewards."""

    def __init__(self, K: int, c: float = 0.0, scale: float = 1.0) -> None:
        self.K, self.c, self.scale = K, c, scale
        self.N = np.zeros(K, dtype=np.int64)
        self.S = np.zeros(K)

    def level(self, t: int) -> float:
        """log(t) + c log(log(t)), times scale."""
        return self.scale * (math.log(t) + self.c * max(0.0, math.log(math.log(t))))

    def indices(self) -> np.ndarray:
        """The index of every arm in the coming round."""
        level = self.level(int(self.N.sum()) + 1)
        return np.array([upper(min(s / n, 1.0), level / n) for s, n in zip(self.S, self.N, strict=True)])

    @property
    def rest(self) -> np.ndarray:
        """N d(S/N, q) without its part in q: -N times the entropy of the mean; 0 for an arm without plays."""
        n = np.maximum(self.N, 1)
        return np.asarray(xlogy(self.S, self.S / n) + xlogy(n - self.S, 1.0 - self.S / n))

    def act(self) -> int:
        """The arm of the next round."""
        t = int(self.N.sum()) + 1
        if t <= self.K:
            return t - 1
        return int(np.argmax(self.indices()))  # first maximum

    def learn(self, a: int, r: float) -> None:
        """N[a] <- N[a] + 1, S[a] <- S[a] + r."""
        self.N[a] += 1
        self.S[a] += r
