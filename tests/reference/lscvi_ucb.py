"""gamma-LSCVI-UCB for average-reward linear MDPs, from the list of its steps.

Source: Hong et al. 2025 [clip from the abstract; the rest recalled]; the backups of a plan run to their limit, as in
the learner [derived]. phi (S,A,d), known rewards r (S,A).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class LSCVIUCB:
    """Attributes: steps, a list of (s, a, s2); Lam, w, Q, V, ahead, pi, sweeps of the last plan; plans."""

    def __init__(
        self,
        phi: Floats,
        r: Floats,
        T: int,
        delta: float,
        span: float,
        c: float,
        lam: float,
        gamma: float,
        scale: float,
    ) -> None:
        self.phi, self.r, self.T, self.span, self.lam = phi, r, T, span, lam
        self.S, self.A, self.d = phi.shape
        self.gamma = gamma or 1 - 1 / math.sqrt(T)
        self.beta = scale * c * span * self.d * math.sqrt(math.log(self.d * T / delta))
        self.steps: list[tuple[int, int, int]] = []
        self.plans, self.det = 0, 0.0

    def matrix(self) -> Floats:
        """Lambda."""
        phi = (self.phi[s, a] for s, a, _ in self.steps)
        return np.asarray(self.lam * np.eye(self.d) + sum((np.outer(x, x) for x in phi), np.zeros((self.d, self.d))))

    def size(self) -> float:
        """ln det Lambda."""
        return float(np.linalg.slogdet(self.matrix())[1])

    def due(self) -> bool:
        """Before the first step, and when the determinant has doubled."""
        return self.plans == 0 or self.size() - self.det >= math.log(2.0)

    def plan(self, limit: int) -> bool:
        """Clipped value iteration from 1/(1 - gamma); false when `limit` backups were not enough."""
        self.plans, self.det = self.plans + 1, self.size()
        Lam = self.matrix()
        norm = np.sqrt(np.einsum("sai,sai->sa", self.phi, np.linalg.solve(Lam, self.phi[..., None])[..., 0]))
        features = np.array([self.phi[s, a] for s, a, _ in self.steps]).reshape(-1, self.d)
        after = np.array([s2 for *_, s2 in self.steps], dtype=int)
        Q = np.full((self.S, self.A), 1 / (1 - self.gamma))
        V = Q.max(axis=1)
        for n in range(1, limit + 1):
            w = np.linalg.solve(Lam, features.T @ (V[after] - V.min()))
            new = np.minimum(Q, self.r + self.gamma * (self.phi @ w + V.min() + self.beta * norm))
            fall = float((Q - new).max())
            best = new.max(axis=1)
            Q, ahead, V = new, V, np.minimum(best, best.min() + 2 * self.span)
            if fall < 1 / math.sqrt(self.T):
                self.Lam, self.w, self.Q, self.V, self.ahead, self.sweeps = Lam, w, Q, V, ahead, n
                self.pi = np.argmax(Q, axis=1)
                return True
        return False
