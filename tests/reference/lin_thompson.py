"""Linear Thompson sampling, finitely many arms x_a in R^d, ||x|| <= 1, R-subgaussian noise, ||theta|| <= S, T rounds.

Source: Abeille, Lazaric 2017, figure 1 and proposition 1 [source]. V^(-1/2) is not unique; here any root M of V^-1 may
be handed in, and it is checked to be one: two roots give the same law. Without one, M = L^-T from V = L L^T. Ties go to
the lowest arm.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

Floats = NDArray[np.float64]


class LinThompson:
    """Attributes: V (d,d), b (d,) = sum x r, t the round (from 1), sample (d,) and value (A,) of the last decision."""

    def __init__(
        self,
        features: Floats,
        T: int,
        delta: float = 0.05,
        scale: float = 1.0,
        lam: float = 1.0,
        R: float = 1.0,
        S_theta: float = 1.0,
        inflate: int = 1,
    ) -> None:
        self.x, self.lam, self.R, self.S, self.scale, self.inflate = (
            np.array(features), lam, R, S_theta, scale, inflate,
        )  # fmt: skip
        self.delta_prime = delta / (4.0 * T)  # line 1
        self.A, self.d = self.x.shape
        self.V, self.b, self.t = lam * np.eye(self.d), np.zeros(self.d), 1
        self.sample, self.value = np.zeros(self.d), np.zeros(self.A)

    @property
    def theta(self) -> Floats:
        """theta_hat_t."""
        return np.asarray(np.linalg.solve(self.V, self.b))

    @property
    def beta(self) -> float:
        """beta_t(delta') = R sqrt(2 ln((lam + t)^(d/2) lam^(-d/2) / delta')) + sqrt(lam) S; R without inflation."""
        if not self.inflate:
            return self.scale * self.R
        log_term = 0.5 * self.d * (math.log(self.lam + self.t) - math.log(self.lam)) - math.log(self.delta_prime)
        return self.scale * (self.R * math.sqrt(2.0 * log_term) + math.sqrt(self.lam) * self.S)

    def act(self, eta: Floats, root: Floats | None = None) -> int:
        """Lines 3 to 5 with the perturbation eta (d,), drawn from the standard normal law."""
        if root is None:
            root = np.asarray(solve_triangular(np.linalg.cholesky(self.V), np.eye(self.d), lower=True).T)
        assert np.abs(root.T @ self.V @ root - np.eye(self.d)).max() < 1e-9, "no root of V^-1"
        self.sample = self.theta + self.beta * (root @ eta)  # line 4
        self.value = self.x @ self.sample
        return int(np.argmax(self.value))  # line 5

    def learn(self, a: int, r: float) -> None:
        """Lines 6 and 7: play x_t, observe r_{t+1}, update V and theta_hat."""
        self.V = self.V + np.outer(self.x[a], self.x[a])
        self.b = self.b + r * self.x[a]
        self.t += 1
