"""The cone programs of one policy, as parametrised cvxpy problems: built once for each (S, A), solved by Clarabel.

Everything is in units of the cap of the gain, the budget is 1. With rows G V + g - w J = w (c - V), w = sqrt(n / beta)
and c = r + P_hat V - J, the residuals are y >= w (c - V) for all pairs and z >= w (V - c) for the pairs of the policy:

    gain:     max J              norm(y, z) <= 1,  |V| <= half,  J <= cap
    residual: min norm(y, z)     |V| <= half,  low <= J <= cap
    least:    min sum V^2        norm(y, z) <= radius,  y <= most_y,  z <= most_z,  |V| <= half,  J given

Solvers are trusted for nothing: callers evaluate the excess of what is returned directly and bound the gain by weak
duality at the multipliers, whatever these are.
"""

from __future__ import annotations

import threading
import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Programs", "programs"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: asked of Clarabel, whose own value is 1e-8
ACCURACY = 1e-10


def programs(S: int, A: int) -> Programs:
    """The problems of this size, one set for each thread: solving sets their parameters."""
    return _built(S, A, threading.get_ident())


@cache
def _built(S: int, A: int, thread: int) -> Programs:
    return Programs(S, A)


class Programs:
    """The three programs of size (S, A)."""

    def __init__(self, S: int, A: int) -> None:
        import cvxpy

        cp: Any = cvxpy
        self.S, self.A = S, A
        self.V, self.J = cp.Variable(S), cp.Variable()
        self.y, self.z = cp.Variable(S * A), cp.Variable(S)
        self.G, self.g, self.w = cp.Parameter((S * A, S)), cp.Parameter(S * A), cp.Parameter(S * A)
        self.G_pi, self.g_pi, self.w_pi = cp.Parameter((S, S)), cp.Parameter(S), cp.Parameter(S)
        self.half, self.cap, self.low, self.radius = (cp.Parameter() for _ in range(4))
        self.most_y, self.most_z = cp.Parameter(S * A), cp.Parameter(S)
        residual = self.G @ self.V + self.g
        residual_pi = self.G_pi @ self.V + self.g_pi
        norm = cp.norm(cp.hstack([self.y, self.z]))
        box = [self.V <= self.half, self.V >= -self.half, self.y >= 0, self.z >= 0]
        self.above = self.y >= residual - self.J * self.w
        self.below = self.z >= self.J * self.w_pi - residual_pi
        free = [self.above, self.below, *box, self.J <= self.cap]
        self.gain = cp.Problem(cp.Maximize(self.J), [*free, norm <= 1])
        self.residual = cp.Problem(cp.Minimize(norm), [*free, self.J >= self.low])
        given = [self.y >= residual, self.z >= -residual_pi, self.y <= self.most_y, self.z <= self.most_z]
        self.least = cp.Problem(cp.Minimize(cp.sum_squares(self.V)), [*given, *box, norm <= self.radius])

    def set(self, P: Floats, r: Floats, w: Floats, pi: Ints, half: float) -> None:
        """Data of one policy: P (S,A,S), r and w (S,A), pi (S,)."""
        states = np.arange(self.S)
        drift = P.copy()
        drift[states, :, states] -= 1.0
        G, g = w[..., None] * drift, w * r
        self.G.value, self.g.value, self.w.value = G.reshape(-1, self.S), g.ravel(), w.ravel()
        self.G_pi.value, self.g_pi.value, self.w_pi.value = G[states, pi], g[states, pi], w[states, pi]
        self.half.value = half

    def fix_gain(self, J: float) -> None:
        """The gain of `least`, after `set`: its rows are those of the other programs less J w."""
        self.g.value = self.g.value - J * self.w.value
        self.g_pi.value = self.g_pi.value - J * self.w_pi.value

    def residuals(self, V: Floats) -> tuple[Floats, Floats]:
        """The least y and z of V, after `fix_gain`."""
        above, below = self.G.value @ V + self.g.value, -(self.G_pi.value @ V + self.g_pi.value)
        return np.maximum(above, 0.0), np.maximum(below, 0.0)

    def multipliers(self, pi: Ints) -> Floats:
        """Those of the residuals, signed, (S,A): of y negative, of z positive, up to a common factor."""
        m = -(self.above.dual_value * self.w.value).reshape(self.S, self.A)
        m[np.arange(self.S), pi] += self.below.dual_value * self.w_pi.value
        return np.asarray(m)

    def solve(self, problem: Any) -> bool:
        """Whether the solver returned a point, in the variables."""
        import cvxpy as cp

        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Solution may be inaccurate")  # callers find that themselves
                problem.solve(solver=cp.CLARABEL, tol_gap_abs=ACCURACY, tol_gap_rel=ACCURACY, tol_feas=ACCURACY)
        except cp.SolverError:
            return False
        return self.V.value is not None and problem.status in ("optimal", "optimal_inaccurate")
