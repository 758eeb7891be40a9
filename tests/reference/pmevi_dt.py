"""PMEVI-DT for a communicating average-reward MDP, rewards in [0, 1].

Source: Boone, Zhang 2024 [structure recalled], with the explicit constants that `mdps.learners.pmevi_dt` states
[derived], on the sets of `tests.reference.ucrl2b`. Everything about commutes is found anew at each plan from the whole
history: for s and y let T_1 < T_2 < ... be the first visit to either and then each first visit to the other one.

    n (h(s) - h(y)) = sum of (reward - gain) over the stretches from s to y, minus that over those from y to s, + error
    error <= 2 max(0, sum of optimistic gains - rewards) + 2 (1 + c0) sqrt(t x / 2) + c0,  x = ln(2 S^2 t_k^2 / delta)
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from tests.reference.ucrl2b import UCRL2B, Floats, half_width


def alternations(path: list[int], s: int, y: int) -> list[int]:
    """The times T_1 < T_2 < ..."""
    times: list[int] = []
    for t, x in enumerate(path):
        if x in (s, y) and (not times or path[times[-1]] != x):
            times.append(t)
    return times


class PMEVIDT(UCRL2B):
    """As UCRL2B, and limit (S,S), bonus (S,A), raised (S,), contradicted; path, paid and promised, one entry a step;
    est (S,S), and of the last alternation of two states its time, mark (S,S), and the rewards before it, paid_at."""

    def __init__(self, S: int, A: int, delta: float, span: float, **sets: Any) -> None:
        super().__init__(S, A, delta, **sets)
        self.c0 = span
        self.path: list[int] = []
        self.paid: list[float] = []
        self.promised: list[float] = []
        self.contradicted = 0
        self.limit, self.bonus = np.zeros((S, S)), np.zeros((S, A))
        self.est, self.mark, self.paid_at = (np.zeros((S, S)) for _ in range(3))

    def learn(self, s: int, a: int, r: float, s2: int) -> None:
        """One step; `ended` says whether the pair has doubled its visits."""
        super().learn(s, a, r, s2)
        self.path.append(s)
        self.paid.append(r)
        self.promised.append(float(np.max(self.u_next - self.u)))
        self.ended = bool(self.nu[s, a] >= max(1, self.N[s, a]))

    def extended_value_iteration(self) -> None:
        """Bias region, bonuses, then PMEVI."""
        self.bias_region()
        for s in range(self.S):
            for a in range(self.A):
                if self.N[s, a] > 0:
                    self.bonus[s, a] = self.variance_bonus(s, a)
        self.u_next, self.iterations = np.zeros(self.S), 0
        while True:
            self.u = self.u_next
            self.q = self.backup(self.u)
            self.raised = self.q.max(axis=1)
            self.u_next = (self.raised[None, :] + self.limit / self.tau).min(axis=1)
            self.iterations += 1
            step = self.u_next - self.u
            if step.max() - step.min() < 1.0 / math.sqrt(self.t_k) or self.iterations > 2000:
                break
        self.pi = np.argmax(self.q, axis=1)

    def bias_region(self) -> None:
        """Bounds of h(s) - h(y), closed under the triangle inequality."""
        t = len(self.path)
        gain = math.fsum(self.paid) / max(1, t)
        width = self.scale * (1 + self.c0) * math.sqrt(t * math.log(2 * self.S**2 * self.t_k**2 / self.delta) / 2)
        error = 2 * max(0.0, math.fsum(self.promised) - math.fsum(self.paid)) + 2 * width + self.c0
        d = np.full((self.S, self.S), self.c0)
        np.fill_diagonal(d, 0.0)
        for s in range(self.S):
            for y in range(self.S):
                times = alternations(self.path, s, y)
                if s != y and times:
                    self.mark[s, y], self.paid_at[s, y] = times[-1], math.fsum(self.paid[: times[-1]])
                if s != y and len(times) > 1:
                    total = 0.0
                    for i, j in pairwise(times):
                        sign = 1 if self.path[i] == s else -1
                        total += sign * math.fsum(r - gain for r in self.paid[i:j])
                    self.est[s, y] = total / (len(times) - 1)
                    d[s, y] = min(self.c0, (total + error) / (len(times) - 1))
        closed = d
        for _ in range(self.S):
            closed = np.minimum(closed, (closed[:, :, None] + closed[None, :, :]).min(axis=1))
        if closed.diagonal().min() < 0:
            self.contradicted += 1
            closed = self.c0 * (1 - np.eye(self.S))
        self.limit = closed

    def variance_bonus(self, s: int, a: int) -> float:
        """Half-width for a vector of the region, range c0, of the largest variance."""
        n = int(self.N[s, a])
        p = self.P[s, a] / n
        apart = np.maximum(self.limit, self.limit.T)
        spread = min(float(p @ apart**2 @ p) / 2, self.c0**2 / 4) / self.c0**2
        unit = half_width(spread, n, self.t_k, self.S, self.A, self.delta, self.form, self.alpha)
        return self.c0 * self.scale * unit

    def backup(self, u: Floats) -> Floats:
        """The mitigated operator before the maximum over actions."""
        plain = super().backup(u)
        for s in range(self.S):
            for a in range(self.A):
                if self.N[s, a] > 0:
                    ahead = math.fsum(self.P[s, a] / self.N[s, a] * u) + self.bonus[s, a] / self.tau
                    cap = self.r_up[s, a] + self.tau * ahead + (1 - self.tau) * u[s]
                    plain[s, a] = min(plain[s, a], cap)
        return plain
