"""GOSPRL: collect b(s,a) samples of every pair of an unknown communicating MDP, on one trajectory without resets.

Source: Tarbouriech, Pirotta, Valko, Lazaric 2021, by the notes on sample collection: section 2.1 (main loop), 2.2
(radii) [source], 2.3 (optimistic model and value iteration) [recalled]. Times count the steps taken so far; t_k is that
number at the start of attempt k. With n = max(1, N(s,a)), phat = C / n and l the logarithm of the radius:

    AME   beta = 2 sqrt(phat (1 - phat) l / n) + 6 l / n      l = ln(6 S A n / delta)
    ROS   beta = 4 sqrt(phat l / n) + 28 l / n                l = ln(S A n / delta)
    L1    ||p - phat||_1 <= sqrt(8 S l / n)                   l = ln(2 A n / delta)

    plow(s2) = max(0, phat(s2) - alpha beta(s2)) off G; all other mass goes to one absorbing goal g, worth 0

For L1 the entry of the ball that is furthest from phat is half the norm away. The model is written out with g as state
S: every row is a probability vector, which is asserted. With `kernel` (S,A,S) given, plow is the kernel itself and no
attempt ends before G: the greedy learner that knows p. Ties: lowest action.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def logarithm(family: str, n: float, S: int, A: int, delta: float) -> float:
    """l of section 2.2."""
    return math.log({"AME": 6 * S * A * n, "ROS": S * A * n, "L1": 2 * A * n}[family] / delta)


def radius(family: str, phat: float, n: float, S: int, A: int, delta: float) -> float:
    """Section 2.2: beta of one entry, or the radius of the ball in the 1-norm."""
    ell = logarithm(family, n, S, A, delta)
    if family == "AME":
        return 2 * math.sqrt(phat * (1 - phat) * ell / n) + 6 * ell / n
    if family == "ROS":
        return 4 * math.sqrt(phat * ell / n) + 28 * ell / n
    return math.sqrt(8 * S * ell / n)


class GOSPRL:
    """The main loop. `act(s)` may start an attempt; `learn(s, a, s2)` is told of the step.

    Attributes: C (S,A,S) transitions, N (S,A) visits, U (S,A) visits at the start of the attempt, nu (S,A) visits in
    it; goals: the frozen G as a set; travelling: an attempt is on; policy (S,), v and v_next (S,), q (S,A) the last
    backup, beta (S,A,S), plow (S,A,S), model (S,A,S+1) of the last plan; attempts, arrivals, t, t_k, sweeps; finished:
    completion time or None.
    """

    def __init__(
        self,
        b: Ints,
        delta: float = 0.1,
        alpha: float = 1.0,
        family: str = "AME",
        kernel: Floats | None = None,
        floor: float = 1e-6,
    ) -> None:
        self.b = np.array(b, dtype=np.int64)
        self.S, self.A = self.b.shape
        self.delta, self.alpha, self.family, self.kernel, self.floor = delta, alpha, family, kernel, floor
        shape = (self.S, self.A)
        self.C = np.zeros((*shape, self.S), dtype=np.int64)
        self.N, self.U, self.nu = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        self.beta, self.plow = np.zeros((*shape, self.S)), np.zeros((*shape, self.S))
        self.model = np.zeros((*shape, self.S + 1))
        self.policy = np.zeros(self.S, dtype=np.int64)
        self.v, self.v_next, self.q = np.zeros(self.S), np.zeros(self.S), np.zeros(shape)
        self.t = self.attempts = self.arrivals = self.sweeps = 0
        self.t_k: int | None = None
        self.travelling = False
        self.goals = self.open_states()
        self.finished: int | None = None if self.goals else 0

    def open_states(self) -> set[int]:
        """Step 1: states with an action that is short of its requirement."""
        return {s for s in range(self.S) if any(self.N[s, a] < self.b[s, a] for a in range(self.A))}

    def act(self, s: int) -> int:
        """Steps 1-3; action 0 once everything has been collected."""
        if self.finished is not None:
            return 0
        if s in self.goals:  # step 2: largest gap, ties to the lowest index
            gaps = [int(self.b[s, a] - self.N[s, a]) for a in range(self.A)]
            return gaps.index(max(gaps))
        if not self.travelling:  # step 3
            self.start_attempt()
        return int(self.policy[s])  # step 4

    def learn(self, s: int, a: int, s2: int) -> None:
        """Steps 2 and 4: counts; the end of an attempt; step 5."""
        self.C[s, a, s2] += 1
        self.N[s, a] += 1
        self.t += 1
        if self.travelling:
            self.nu[s, a] += 1
            reached = s2 in self.goals  # step 4 (i), with the frozen G
            doubled = self.nu[s, a] >= max(1, self.U[s, a]) and self.kernel is None  # step 4 (ii)
            self.arrivals += reached
            if reached or doubled:
                self.travelling = False
                self.U = self.U + self.nu  # step 5
            else:
                return
        elif self.finished is None:
            self.U[s, a] += 1  # a sample taken in G counts as seen before the next attempt
        self.goals = self.open_states()
        if not self.goals and self.finished is None:
            self.finished = self.t

    def start_attempt(self) -> None:
        """Step 3: nu = 0, the optimistic model, the policy."""
        assert np.array_equal(self.U, self.N)
        self.nu = np.zeros_like(self.N)
        self.travelling = True
        self.attempts += 1
        self.t_k = self.t
        for s in range(self.S):
            for a in range(self.A):
                n = max(1, int(self.N[s, a]))
                self.model[s, a] = 0.0
                for s2 in range(self.S):
                    phat = self.C[s, a, s2] / n
                    self.beta[s, a, s2] = radius(self.family, phat, n, self.S, self.A, self.delta)
                    if self.family == "L1":
                        self.beta[s, a, s2] /= 2
                    low = phat - self.alpha * self.beta[s, a, s2]
                    if self.kernel is not None:
                        low = float(self.kernel[s, a, s2])
                    self.plow[s, a, s2] = 0.0 if s2 in self.goals else max(0.0, low)
                    self.model[s, a, s2] = self.plow[s, a, s2]
                self.model[s, a, self.S] = 1.0 - math.fsum(self.plow[s, a])  # what is left goes to g
                assert -1e-12 <= self.model[s, a, self.S] <= 1.0
        self.value_iteration()

    def backup(self, v: Floats) -> Floats:
        """Section 2.3: (L v)(s) before the minimum, with v(g) = 0; rows of goals are 0."""
        extended = np.append(v, 0.0)
        q = np.zeros((self.S, self.A))
        for s in range(self.S):
            for a in range(self.A):
                if s not in self.goals:
                    q[s, a] = 1.0 + math.fsum(self.model[s, a] * extended)
        return q

    def value_iteration(self) -> None:
        """Section 2.3: from v = 0 until the largest change is at most the precision; greedy for the v before it."""
        precision = max(self.floor, 1.0 / (2.0 * max(1, self.t)))
        self.v_next, self.sweeps = np.zeros(self.S), 0
        while True:
            self.v = self.v_next
            self.q = self.backup(self.v)
            self.v_next = self.q.min(axis=1)
            self.sweeps += 1
            if np.max(np.abs(self.v_next - self.v)) <= precision:
                break
        self.policy = np.argmin(self.q, axis=1)
