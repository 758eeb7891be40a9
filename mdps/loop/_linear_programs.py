"""The cone programs of one policy for linear hypotheses, parametrised cvxpy problems built once for each (S, A, d).

The budget is 1: with G, target = R q and offset = R M^+ sum phi r divided by sqrt(beta),

    gain:   max J             |G omega + J target - offset| <= 1,  |F omega| <= half,  D omega >= 0,  |omega| <= norm,
     J <= cap least:  min |omega|^2     the same, J >= low

Solvers are trusted for nothing: callers evaluate the excess directly, and bound the gain by weak duality.
"""

from __future__ import annotations

import threading
import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LinearPrograms", "programs"]

Floats = NDArray[np.float64]
ACCURACY = 1e-10


def programs(S: int, A: int, d: int) -> LinearPrograms:
    """The problems of this size, one set for each thread: solving sets their parameters."""
    return _built(S, A, d, threading.get_ident())


@cache
def _built(S: int, A: int, d: int, thread: int) -> LinearPrograms:
    return LinearPrograms(S, A, d)


class LinearPrograms:
    """The two programs of size (S, A, d)."""

    def __init__(self, S: int, A: int, d: int) -> None:
        import cvxpy

        cp: Any = cvxpy
        self.S, self.A, self.d = S, A, d
        self.omega, self.J, self.b = cp.Variable(d), cp.Variable(), cp.Variable(d)
        self.G, self.target, self.offset = cp.Parameter((d, d)), cp.Parameter(d), cp.Parameter(d)
        self.F, self.D = cp.Parameter((S, d)), cp.Parameter((S * A, d))
        self.half, self.norm, self.cap, self.low = (cp.Parameter() for _ in range(4))
        self.balance = self.G @ self.omega + self.J * self.target - self.b == self.offset
        self.below, self.above = self.F @ self.omega <= self.half, self.F @ self.omega >= -self.half
        self.greedy = self.D @ self.omega >= 0
        common = [
            self.balance, self.below, self.above, self.greedy,
            cp.norm(self.b) <= 1, cp.norm(self.omega) <= self.norm, self.J <= self.cap,
        ]  # fmt: skip
        self.gain = cp.Problem(cp.Maximize(self.J), common)
        self.least = cp.Problem(cp.Minimize(cp.sum_squares(self.omega)), [*common, self.J >= self.low])

    def set(
        self, phi: Floats, pi: Any, G: Floats, target: Floats, offset: Floats, scale: float, half: float, norm: float,
        cap: float,
    ) -> None:  # fmt: skip
        """Data of one policy: G (m,d), target and offset (m,) with m <= d, pi (S,)."""
        m, F = len(G), phi[np.arange(self.S), pi]
        padded = np.zeros((self.d, self.d + 2))
        padded[:m, : self.d], padded[:m, self.d], padded[:m, self.d + 1] = G, target, offset
        padded /= scale
        self.G.value, self.target.value, self.offset.value = padded[:, : self.d], padded[:, -2], padded[:, -1]
        self.F.value, self.D.value = F, (F[:, None, :] - phi).reshape(-1, self.d)
        # beyond this the norm implies it
        self.half.value = min(half, 2.0 * norm * float(np.sqrt((phi**2).sum(axis=-1)).max()))
        self.norm.value, self.cap.value, self.low.value = norm, cap, -cap

    def solve(self, problem: Any) -> bool:
        """Whether the solver returned a point, in the variables."""
        import cvxpy as cp

        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Solution may be inaccurate")  # callers find that themselves
                problem.solve(solver=cp.CLARABEL, tol_gap_abs=ACCURACY, tol_gap_rel=ACCURACY, tol_feas=ACCURACY)
        except cp.SolverError:
            return False
        return self.omega.value is not None and problem.status in ("optimal", "optimal_inaccurate")

    def proves_empty(self) -> bool:
        """Whether the last `gain` was found infeasible by the solver, to its accuracy."""
        return str(self.gain.status).startswith("infeasible")

    def dual_bound(self) -> float:
        """Bound on the gain at the multipliers of `gain`, made exact: (dual) of mdps.loop.linear; at most the cap."""
        y = np.asarray(self.balance.dual_value)
        along = float(y @ self.target.value)
        if abs(along) < 1e-12:
            return float(self.cap.value)
        y = y / along
        lam = np.maximum(self.greedy.dual_value, 0.0) / abs(along)
        nu = (np.asarray(self.below.dual_value) - np.asarray(self.above.dual_value)) / abs(along)
        rest = self.G.value.T @ y + self.F.value.T @ nu - self.D.value.T @ lam
        most = y @ self.offset.value + np.sqrt(y @ y) + self.half.value * np.abs(nu).sum()
        return float(min(self.cap.value, most + self.norm.value * np.sqrt(rest @ rest)))
