"""UCRL-VTR for episodic linear mixture MDPs: value-targeted ridge regression, from the list of its samples.

Source: Jia et al. 2020, Ayoub et al. 2020 [recalled]; Q and its clipping as in Zhou, Gu, Szepesvari 2021, section 4.1
[source]; radius by the self-normalised bound with noise H/2 [derived]. phi (S,A,S,d); rewards r (S,A) are known;
stages count from 0. One regression for all stages, or one a stage with ln(H/delta). Ties go to the lowest action.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def radius(H: int, delta: float, log_det: float, lam: float, B: float) -> float:
    """(H/2) sqrt(2 ln(1/delta) + ln(det Sigma / lam^d)) + sqrt(lam) B."""
    return H / 2 * math.sqrt(2 * math.log(1 / delta) + log_det) + math.sqrt(lam) * B


def trace_bound(d: int, n: int, H: int, lam: float) -> float:
    """d ln(1 + n H^2 / (d lam)) >= ln(det Sigma / lam^d) for n features of length at most H."""
    return d * math.log(1 + n * H**2 / (d * lam))


class UCRLVTR:
    """Attributes: Q (H,S,A), V (H+1,S), theta, Sigma, beta a list with one entry a regression, as of the last plan;
    samples[g], a list of pairs (phi_V, V(s'))."""

    def __init__(
        self,
        phi: Floats,
        r: Floats,
        H: int,
        delta: float,
        lam: float,
        B: float,
        homogeneous: bool,
        trace: bool,
        scale: float = 1.0,
    ) -> None:
        self.phi, self.r, self.H, self.lam, self.B, self.trace, self.scale = phi, r, H, lam, B, trace, scale
        self.S, self.A, self.d = phi.shape[0], phi.shape[1], phi.shape[3]
        self.groups = 1 if homogeneous else H
        self.delta = delta / self.groups
        self.samples: list[list[tuple[Floats, float]]] = [[] for _ in range(self.groups)]
        self.Q = np.zeros((H, self.S, self.A))
        self.V = np.zeros((H + 1, self.S))
        self.theta: list[Floats] = []
        self.Sigma: list[Floats] = []
        self.beta: list[float] = []

    def features(self, V: Floats) -> Floats:
        """phi_V(s,a) = sum_s' phi(s'|s,a) V(s'), (S,A,d)."""
        return np.asarray(np.einsum("satd,t->sad", self.phi, V))

    def plan(self) -> None:
        """The estimates of all regressions, then optimistic values from the last stage to the first."""
        self.theta, self.Sigma, self.beta = [], [], []
        for sample in self.samples:
            Sigma, b = self.lam * np.eye(self.d), np.zeros(self.d)
            for x, y in sample:
                Sigma += np.outer(x, x)
                b += x * y
            size = np.linalg.slogdet(Sigma / self.lam)[1]
            if self.trace:
                size = trace_bound(self.d, len(sample), self.H, self.lam)
            self.theta.append(np.linalg.solve(Sigma, b))
            self.Sigma.append(Sigma)
            self.beta.append(self.scale * radius(self.H, self.delta, float(size), self.lam, self.B))
        self.V[self.H] = 0.0
        for h in reversed(range(self.H)):
            g = min(h, self.groups - 1)
            x = self.features(self.V[h + 1])
            norm = np.sqrt(np.einsum("sai,sai->sa", x, np.linalg.solve(self.Sigma[g], x[..., None])[..., 0]))
            self.Q[h] = np.clip(self.r + x @ self.theta[g] + self.beta[g] * norm, 0, self.H)
            self.V[h] = self.Q[h].max(axis=1)

    def act(self, h: int, s: int) -> int:
        """The first maximiser of Q_h(s, .)."""
        return int(np.argmax(self.Q[h, s]))

    def learn(self, h: int, s: int, a: int, s2: int) -> None:
        """The target is the value of this episode's plan at the next state."""
        x = self.features(self.V[h + 1])[s, a]
        self.samples[min(h, self.groups - 1)].append((x, float(self.V[h + 1, s2])))
