"""OFUL for finitely many arms x_a in R^d, R-subgaussian noise, ||theta|| <= S: optimism over a confidence ellipsoid.

Source: Abbasi-Yadkori, Pal, Szepesvari 2011, figure 1 and theorem 2 [recalled]; the power form of the radius: Abeille,
Lazaric 2017, proposition 1 [source]; LinUCB's alpha: Li et al. 2010 [recalled]. Everything is solved afresh each round
from the data, with numpy.linalg. Ties go to the lowest arm.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def determinant_radius(V: Floats, lam: float, delta: float, R: float, S: float) -> float:
    """Theorem 2: R sqrt(2 ln(det(V)^(1/2) det(lam I)^(-1/2) / delta)) + sqrt(lam) S."""
    log_ratio = 0.5 * np.linalg.slogdet(V)[1] - 0.5 * np.linalg.slogdet(lam * np.eye(len(V)))[1]
    return R * math.sqrt(2.0 * (float(log_ratio) - math.log(delta))) + math.sqrt(lam) * S


def trace_radius(n: int, d: int, L: float, lam: float, delta: float, R: float, S: float) -> float:
    """The same with det V <= (lam + n L^2/d)^d after n plays (lemma 10)."""
    log_ratio = 0.5 * d * math.log((lam + n * L * L / d) / lam)
    return R * math.sqrt(2.0 * (log_ratio - math.log(delta))) + math.sqrt(lam) * S


def power_radius(t: int, d: int, lam: float, delta: float, R: float, S: float) -> float:
    """Proposition 1 of 2017 at its t: R sqrt(2 ln((lam + t)^(d/2) lam^(-d/2) / delta)) + sqrt(lam) S."""
    return R * math.sqrt(2.0 * (0.5 * d * math.log(lam + t) - 0.5 * d * math.log(lam) - math.log(delta))) + (
        math.sqrt(lam) * S
    )


class OFUL:
    """Attributes: V (d,d), b (d,) = sum x r, n plays so far, index (A,) of the last decision."""

    def __init__(
        self,
        features: Floats,
        delta: float = 0.05,
        scale: float = 1.0,
        lam: float = 1.0,
        R: float = 1.0,
        S_theta: float = 1.0,
        radius: int = 0,
    ) -> None:
        self.x, self.delta, self.scale, self.lam, self.R, self.S, self.form = (
            np.array(features), delta, scale, lam, R, S_theta, radius,
        )  # fmt: skip
        self.A, self.d = self.x.shape
        self.L = max(float(np.linalg.norm(row)) for row in self.x)
        self.V, self.b, self.n = lam * np.eye(self.d), np.zeros(self.d), 0
        self.index = np.zeros(self.A)

    @property
    def theta(self) -> Floats:
        """theta_hat, the centre of the ellipsoid C_{t-1}."""
        return np.asarray(np.linalg.solve(self.V, self.b))

    @property
    def beta(self) -> float:
        """Radius of the ellipsoid, times `scale`."""
        if self.form == 0:
            value = determinant_radius(self.V, self.lam, self.delta, self.R, self.S)
        elif self.form == 1:
            value = trace_radius(self.n, self.d, self.L, self.lam, self.delta, self.R, self.S)
        elif self.form == 2:
            value = power_radius(self.n + 1, self.d, self.lam, self.delta, self.R, self.S)
        else:
            value = 1.0 + math.sqrt(math.log(2.0 / self.delta) / 2.0)
        return self.scale * value

    def norm(self, a: int) -> float:
        """||x_a||_{V^-1}."""
        return math.sqrt(float(self.x[a] @ np.linalg.solve(self.V, self.x[a])))

    def act(self) -> int:
        """(X_t, theta~_t) = argmax over arms and the ellipsoid of <x, theta>; the inner maximum in closed form."""
        for a in range(self.A):
            self.index[a] = float(self.x[a] @ self.theta) + self.beta * self.norm(a)
        return int(np.argmax(self.index))

    def learn(self, a: int, r: float) -> None:
        """Play X_t, observe the reward, update C_t."""
        self.V = self.V + np.outer(self.x[a], self.x[a])
        self.b = self.b + r * self.x[a]
        self.n += 1
