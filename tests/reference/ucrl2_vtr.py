"""UCRL2-VTR and LOOP-EVI for average-reward linear mixture MDPs, from the lists of their samples.

Source: Wu, Zhou, Gu 2022 [radii and weights from public code; precision 1/sqrt(T) recalled]; LOOP-EVI: the value-
targeted confidence set of He, Zhong, Yang 2024 with extended value iteration [derived]. phi (S,A,S,d), known rewards r
(S,A); t counts completed steps. Everything is made anew at every plan: sums over samples, `solve` for every norm.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def hoeffding(d: int, D: float, t: int, delta: float, lam: float, B: float) -> float:
    """D sqrt(d ln((lam + t D^2)/(delta lam))) + sqrt(lam) B."""
    return D * math.sqrt(d * math.log((lam + t * D**2) / (delta * lam))) + math.sqrt(lam) * B


def bernstein(d: int, t: int, delta: float, lam: float, B: float) -> float:
    """8 sqrt(d ln(1 + t/lam) l) + 4 sqrt(d) l + sqrt(lam) B."""
    ell = math.log(4 * t**2 / delta)
    return 8 * math.sqrt(d * math.log(1 + t / lam) * ell) + 4 * math.sqrt(d) * ell + math.sqrt(lam) * B


def loop_radius(d: int, span: float, T: int, delta: float, lam: float, B: float) -> float:
    """sqrt(lam) B + span sqrt(((d/2) ln(1 + T span^2/(d lam)) + ln(1/delta))/2)."""
    inside = d / 2 * math.log(1 + T * span**2 / (d * lam)) + math.log(1 / delta)
    return math.sqrt(lam) * B + span * math.sqrt(inside / 2)


class ValueTargeted:
    """Attributes: samples, a list of (X, y, v); squares, a list of (X2, y^2); u, w, Q, pi, T_u of the last plan; theta,
    A, beta, sweeps; plans; t completed steps. `form` is "hoeffding", "bernstein", "code" or "loop"."""

    def __init__(
        self,
        phi: Floats,
        r: Floats,
        T: int,
        form: str,
        delta: float,
        bound: float,
        B: float,
        tau: float,
        scale: float,
        lam: float | None = None,
    ) -> None:
        self.phi, self.r, self.T, self.form, self.delta, self.D, self.B = phi, r, T, form, delta, bound, B
        self.tau, self.scale = tau, scale
        self.lam = 1 / B**2 if lam is None else lam
        self.d = phi.shape[3]
        self.samples: list[tuple[Floats, float, float]] = []
        self.squares: list[tuple[Floats, float]] = []
        self.t = self.plans = self.sweeps = 0
        self.det_at_plan = 0.0
        self.v = 1.0

    def matrix(self) -> Floats:
        """A."""
        return np.asarray(self.lam * np.eye(self.d) + sum(np.outer(x, x) / v for x, _, v in self.samples))

    def ridge(self) -> Floats:
        """theta_hat."""
        b = sum((x * y / v for x, y, v in self.samples), np.zeros(self.d))
        return np.asarray(np.linalg.solve(self.matrix(), b))

    def due(self) -> bool:
        """Before the first step, and when det A has doubled."""
        return self.plans == 0 or self.size() - self.det_at_plan >= math.log(2.0)

    def size(self) -> float:
        """ln det A."""
        return float(np.linalg.slogdet(self.matrix())[1])

    def radius(self) -> float:
        """Of the set at the time of the plan."""
        given: dict[str, Any] = dict(delta=self.delta, lam=self.lam, B=self.B)
        if self.form == "loop":
            return self.scale * loop_radius(self.d, self.D, self.T, **given)
        if self.form == "hoeffding":
            return self.scale * hoeffding(self.d, self.D, self.t + 1, **given)
        return self.scale * bernstein(self.d, self.t + 1, **given)

    def plan(self, limit: int) -> bool:
        """Sweeps from zero; false when `limit` of them were not enough."""
        self.plans += 1
        self.A, self.theta, self.beta = self.matrix(), self.ridge(), self.radius()
        self.det_at_plan = self.size()
        u = np.zeros(len(self.r))
        for n in range(1, limit + 1):
            c, half = (u.max() + u.min()) / 2, (u.max() - u.min()) / 2
            w = u - c
            X = np.einsum("satd,t->sad", self.phi, w)
            norm = np.sqrt(np.maximum(0, np.einsum("sai,sai->sa", X, np.linalg.solve(self.A, X[..., None])[..., 0])))
            Q = self.r + c + np.clip(X @ self.theta + self.beta * norm, -half, half)
            Lu = np.minimum(Q.max(axis=1), Q.max(axis=1).min() + self.D)
            self.u, self.w, self.Q, self.sweeps = u, w, Q, n
            if np.ptp(Lu - u) < 1 / math.sqrt(self.T):
                self.pi, self.gain = np.argmax(Q, axis=1), (float((Lu - u).min()), float((Lu - u).max()))
                return True
            u = (1 - self.tau) * u + self.tau * Lu
        return False

    def learn(self, s: int, a: int, s2: int) -> None:
        """The sample of a step, with the plan's w, and its weight from the samples before it."""
        self.t += 1
        X, y, v = self.phi[s, a].T @ self.w, float(self.w[s2]), 1.0
        if self.form in ("bernstein", "code"):
            X2 = self.phi[s, a].T @ self.w**2
            v = self.variance(X, X2)
            self.squares.append((X2, y**2))
        self.v = v
        self.samples.append((X, y, v))

    def variance(self, X: Floats, X2: Floats) -> float:
        """sigma_t^2, t from 1."""
        d, D, t, lam = self.d, self.D, self.t, self.lam
        ell = math.log(4 * t**2 / self.delta)
        last = math.sqrt(lam) * self.B
        rc = 8 * d * math.sqrt(math.log(1 + t / (4 * lam)) * ell) + 4 * math.sqrt(d) * ell + last
        rt = 2 * D**2 * math.sqrt(d * math.log(1 + t * D**2 / (4 * d * lam)) * ell) + D**2 * ell + last
        A2 = lam * np.eye(d) + sum((np.outer(x, x) for x, _ in self.squares), np.zeros((d, d)))
        b2 = sum((x * y for x, y in self.squares), np.zeros(d))
        mean, square = float(X @ self.ridge()), float(X2 @ np.linalg.solve(A2, b2))
        low, high, most = (-D / 2, D / 2, D**2 / 4) if self.form == "bernstein" else (0.0, D, D**2)
        V = min(max(square, 0.0), most) - min(max(mean, low), high) ** 2
        width = math.sqrt(max(0.0, float(X @ np.linalg.solve(self.matrix(), X))))
        width2 = math.sqrt(max(0.0, float(X2 @ np.linalg.solve(A2, X2))))
        E = min(D**2 / 4, D * rc * width) + min(D**2 / 4, rt * width2)
        return float(max(D**2 / d, V + E))
