"""OLSVI.FH for average-reward linear MDPs: optimistic least-squares value iteration on cut-out episodes.

Source: Wei et al. 2021 [recalled]. phi (S,A,d); rewards as observed. Everything is made anew from the list of steps.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def printed_length(span: float, T: int, d: int) -> float:
    """max{ sqrt(span) T^{1/4}/d^{3/4}, (span T/d^2)^{1/3} }."""
    first: float = span ** (1 / 2) * T ** (1 / 4) * d ** (-3 / 4)
    second: float = (span * T) ** (1 / 3) * d ** (-2 / 3)
    return max(first, second)


class OLSVIFH:
    """Attributes: steps, a list of (s, a, r, s2); L; Lam, Q (L,S,A), V (L+1,S), w of stage 0, of the last plan."""

    def __init__(
        self, phi: Floats, T: int, delta: float, span: float, length: int, c: float, lam: float, scale: float
    ) -> None:
        self.phi, self.lam = phi, lam
        self.S, self.A, self.d = phi.shape
        self.L = length or max(1, math.ceil(round(printed_length(span, T, self.d), 9)))
        self.beta = scale * c * self.d * self.L * math.sqrt(math.log(2 * self.d * T / delta))
        self.steps: list[tuple[int, int, float, int]] = []

    def log_det(self) -> float:
        """ln(det Lambda / lam^d) at the last plan."""
        return float(np.linalg.slogdet(self.Lam / self.lam)[1])

    def plan(self) -> None:
        """Backwards, one matrix for all stages."""
        self.Lam = self.lam * np.eye(self.d)
        for s, a, _, _ in self.steps:
            self.Lam += np.outer(self.phi[s, a], self.phi[s, a])
        norm = np.sqrt(np.einsum("sai,sai->sa", self.phi, np.linalg.solve(self.Lam, self.phi[..., None])[..., 0]))
        self.Q, self.V = np.zeros((self.L, self.S, self.A)), np.zeros((self.L + 1, self.S))
        for h in reversed(range(self.L)):
            b = sum((self.phi[s, a] * (r + self.V[h + 1, s2]) for s, a, r, s2 in self.steps), np.zeros(self.d))
            self.w = np.linalg.solve(self.Lam, b)
            self.Q[h] = np.minimum(self.L, self.phi @ self.w + self.beta * norm)
            self.V[h] = self.Q[h].max(axis=1)
