"""LOOP on a finite class of models, slowly: every loss at every step, and each model solved by policy iteration.

Source: He, Zhong, Yang 2024, algorithm 1 with the model-based discrepancy; trigger and confidence set as recalled, beta
as derived in the notes: with L(k) = sum_i (r_k + P_k V_{f_i} - r - V_{f_i}(s'))^2 over D, steps from 1,

    1. at t = 1, or when L_D(f) - min_k L_D(k) >= 4 beta:  C = {m: L_D(m) - min_k L_D(k) <= beta},  f = argmax_C J
    2. play a greedy action of Q_f, 3. add (f, s, a, s') to D, 4. the excess of f on the new D.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def solve(P: Floats, r: Floats) -> tuple[float, Floats, Floats, Ints]:
    """Gain, Q (S,A), V (S,) with midrange 0, and the lowest optimal actions of one model, by policy iteration."""
    S, A = r.shape
    pi = np.zeros(S, dtype=np.int64)
    while True:
        system = np.zeros((S + 1, S + 1))
        for s in range(S):
            system[s, :S] = np.eye(S)[s] - P[s, pi[s]]
            system[s, S] = 1.0
        system[S, 0] = 1.0  # h(0) = 0
        reward = np.array([r[s, pi[s]] for s in range(S)] + [0.0])
        solution = np.linalg.lstsq(system, reward, rcond=None)[0]
        solution = np.round(solution, 12)  # short numbers stay short
        h, gain = solution[:S], float(solution[S])
        q = np.array([[r[s, a] + math.fsum(P[s, a] * h) - gain for a in range(A)] for s in range(S)])
        better = [s for s in range(S) if q[s].max() > q[s, pi[s]] + 1e-9]
        if not better:
            shift = (h.max() + h.min()) / 2
            lowest = np.array([next(a for a in range(A) if q[s, a] > q[s].max() - 1e-9) for s in range(S)])
            return gain, q - shift, h - shift, lowest
        for s in better:
            pi[s] = int(np.argmax(q[s]))


class LoopModels:
    """Attributes: t steps taken; data (f, s, a, s'); losses, excess (M,) on all of it; f in play; optimisations;
    beta.
    """

    def __init__(self, models: Floats, r: Floats, beta: float, factor: float = 4.0, span: float = math.inf) -> None:
        self.models, self.r, self.beta, self.factor = models, r, beta, factor
        solved = [solve(P, r) for P in models]
        self.J = np.array([x[0] for x in solved])
        self.Q, self.V = np.array([x[1] for x in solved]), np.array([x[2] for x in solved])
        self.pi = np.array([x[3] for x in solved])
        assert max(np.ptp(V) for V in self.V) <= span * (1 + 1e-9)
        self.data: list[tuple[int, int, int, int]] = []
        self.losses = np.zeros(len(models))
        self.f, self.optimisations, self.t = -1, 0, 0

    @property
    def excess(self) -> Floats:
        return np.asarray(self.losses - self.losses.min())

    def act(self, s: int) -> int:
        if self.t == 0 or self.excess[self.f] >= self.factor * self.beta:
            members = [m for m in range(len(self.models)) if self.excess[m] <= self.beta]
            self.f = max(members, key=lambda m: (self.J[m], -m))
            self.optimisations += 1
        return int(self.pi[self.f, s])

    def learn(self, s: int, a: int, s2: int) -> None:
        self.t += 1
        self.data.append((self.f, s, a, s2))
        target = self.r[s, a] + self.V[self.f, s2]
        for k in range(len(self.models)):
            self.losses[k] += (self.r[s, a] + math.fsum(self.models[k, s, a] * self.V[self.f]) - target) ** 2
