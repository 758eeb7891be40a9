"""Linear LOOP and FOPO, slowly: losses summed over all samples, each program by its own modelling of the same
statement.

Source: He, Zhong, Yang 2024, algorithm 1 on linear functions, and Wei et al. 2021, algorithm 1, both as recalled in
the notes. With D = {(s, a, r, s')}, L(g; V, J) = sum (phi g - r - V(s') + J)^2 + ridge |g|^2:

    LOOP   at t = 1, or when the excess L(omega) - min_g L(g) on all of D is at least 4 beta
    FOPO   at t = 1, or when det(ridge I + sum phi phi^T) is at least twice that of the last plan
           maximise J over (omega, J) with excess <= beta, |omega| <= W, |V| <= B/2 (LOOP), J <= 1, V = max_a phi omega
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import cvxpy
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
cp: Any = cvxpy


class LoopLinear:
    """Attributes: data (s, a, s'); omega, J in play; plans so far."""

    def __init__(
        self,
        phi: Floats,
        r: Floats,
        beta: float,
        span: float,
        W: float,
        ridge: float,
        factor: float | None = 4.0,
        cap: float = 1.0,
    ) -> None:
        self.phi, self.r, self.beta, self.span, self.W, self.ridge = phi, r, beta, span, W, ridge
        self.factor, self.cap = factor, cap
        self.data: list[tuple[int, int, int]] = []
        self.omega, self.J, self.plans = np.zeros(phi.shape[2]), 0.0, 0
        self.size = 0.0

    def design(self) -> Floats:
        return np.array([self.phi[s, a] for s, a, _ in self.data]).reshape(-1, self.phi.shape[2])

    def targets(self, V: Floats, J: float) -> Floats:
        return np.array([self.r[s, a] + V[s2] - J for s, a, s2 in self.data])

    def values(self) -> Floats:
        return np.array([max(float(x @ self.omega) for x in rows) for rows in self.phi])

    def excess(self, omega: Floats, J: float) -> float:
        """L(omega) - min_g L(g), by least squares on the stacked samples."""
        d = len(omega)
        V = np.array([max(float(x @ omega) for x in rows) for rows in self.phi])
        X = np.vstack([self.design(), math.sqrt(self.ridge) * np.eye(d)])
        y = np.concatenate([self.targets(V, J), np.zeros(d)])
        g = np.linalg.lstsq(X, y, rcond=None)[0]
        return float(((X @ omega - y) ** 2).sum() - ((X @ g - y) ** 2).sum())

    def log_det(self) -> float:
        """ln det of the matrix; without a ridge that of its range."""
        X = self.design()
        if self.ridge == 0.0:
            sizes = np.linalg.eigvalsh(X.T @ X)
            return float(np.log(sizes[sizes > 1e-9 * sizes.max()]).sum())
        return float(np.linalg.slogdet(self.ridge * np.eye(X.shape[1]) + X.T @ X)[1])

    def largest(self) -> float:
        """The largest gain over all choices of maximising actions: samples as rows, no statistics."""
        S, A, d = self.phi.shape
        X = np.vstack([self.design(), math.sqrt(self.ridge) * np.eye(d)])
        hat = X @ np.linalg.pinv(X)
        best = -math.inf
        for pi in itertools.product(range(A), repeat=S):
            omega, J = cp.Variable(d), cp.Variable()
            F = np.array([self.phi[s, pi[s]] for s in range(S)])
            rows = [np.concatenate([F[s2]]) for _, _, s2 in self.data] + [np.zeros(d)] * d
            reward = np.array([self.r[s, a] for s, a, _ in self.data] + [0.0] * d)
            ones = np.array([1.0] * len(self.data) + [0.0] * d)
            gap = X @ omega - hat @ (np.array(rows) @ omega + reward - J * ones)
            limits = [cp.norm(gap) <= math.sqrt(self.beta), cp.norm(omega) <= self.W, J <= self.cap]
            limits += [F[s] @ omega >= self.phi[s, a] @ omega for s in range(S) for a in range(A) if a != pi[s]]
            if self.span < math.inf:
                limits += [F @ omega <= self.span / 2, F @ omega >= -self.span / 2]
            problem = cp.Problem(cp.Maximize(J), limits)
            problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
            if problem.status in ("optimal", "optimal_inaccurate"):
                best = max(best, float(J.value))
        return best

    def due(self) -> bool:
        if not self.plans:
            return True
        if self.factor is None:
            return self.log_det() >= self.size + math.log(2.0) - 1e-9
        return self.excess(self.omega, self.J) >= self.factor * self.beta

    def take(self, omega: Floats, J: float) -> None:
        """The plan: any maximiser is legal, so that the kernels' one is taken up once it has been checked."""
        self.omega, self.J, self.plans = omega.copy(), J, self.plans + 1
        self.size = self.log_det()

    def learn(self, s: int, a: int, s2: int) -> None:
        self.data.append((s, a, s2))
