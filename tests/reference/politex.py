"""Politex for a tabular ergodic MDP: a transcription that keeps each phase's trajectory and all estimates.

Source: Abbasi-Yadkori et al. 2019 [tabular form: public code of the authors of wei2020, with N steps in the system in
place of N - 1 and no cap].
"""

from __future__ import annotations

import math

import numpy as np


class Politex:
    """Attributes: pi (S,A); Q, estimates (S,A), one a phase; lam, v (S,) of the phase; N, B; phase, its steps."""

    def __init__(
        self,
        S: int,
        A: int,
        T: int,
        N: int | None = None,
        B: int | None = None,
        eta: float = 0.2,
        ridge: float = 0.05,
    ) -> None:
        self.S, self.A, self.eta, self.ridge = S, A, eta, ridge
        self.B = max(2, math.ceil(math.sqrt(T))) if B is None else B
        self.N = self.B // 2 if N is None else N
        self.pi = np.full((S, A), 1 / A)
        self.Q: list[np.ndarray] = []
        self.lam = 0.0
        self.v: np.ndarray = np.zeros(S)
        self.phase: list[tuple[int, int, float, int]] = []

    def act(self, s: int, u: float) -> int:
        """Forced in the second part, else the inverse of the distribution function at u."""
        tried = {a for x, a, _, _ in self.phase[self.N :] if x == s}
        untried = [a for a in range(self.A) if a not in tried]
        if len(self.phase) >= self.N and untried:
            return untried[0]
        return min(int(np.searchsorted(np.cumsum(self.pi[s]), u, side="right")), self.A - 1)

    def learn(self, s: int, a: int, r: float, s2: int) -> None:
        self.phase.append((s, a, r, s2))
        if len(self.phase) == self.N:
            self.evaluate()
        if len(self.phase) == self.B:
            self.improve()

    def evaluate(self) -> None:
        """Gain and bias from the linear system, row by row over the trajectory."""
        self.lam = math.fsum(r for _, _, r, _ in self.phase) / self.N
        left, right = self.ridge * np.eye(self.S), np.zeros(self.S)
        for s, _, r, s2 in self.phase:
            row = np.zeros(self.S)
            row[s] += 1
            row[s2] -= 1
            left[s] += row
            right[s] += r - self.lam
        self.v = np.linalg.solve(left, right)

    def improve(self) -> None:
        """Q by means over the second part, then the product form of the policy."""
        Q = np.zeros((self.S, self.A))
        for s in range(self.S):
            for a in range(self.A):
                terms = [r - self.lam + self.v[s2] for x, b, r, s2 in self.phase[self.N :] if (x, b) == (s, a)]
                if terms:
                    Q[s, a] = math.fsum(terms) / len(terms)
        self.Q.append(Q)
        total = self.eta * np.sum(self.Q, axis=0)
        weights = np.exp(total - total.max(axis=1, keepdims=True))
        self.pi = weights / weights.sum(axis=1, keepdims=True)
        self.phase = []
