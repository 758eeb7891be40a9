"""0/1-UCRL: UCRL2B with the known reward 1 on pairs that are short of their requirement, 0 elsewhere.

Source: the notes on sample collection, section 4 [recalled name], on the frame of Jaksch, Ortner, Auer 2010 (figure 1)
and the box of section 2.2 [source: AME]. Times count the steps taken. With n = N(s,a) >= 1, phat = C / n:

    box      |p(s2) - phat(s2)| <= alpha (2 sqrt(phat (1 - phat) l / n) + 6 l / n), l = ln(6 S A n / delta), in [0, 1]
    n = 0    every distribution
    EVI      u_0 = 0, u_{i+1}(s) = max_a { r(s,a) + .9 max_{p in box} p u_i + .1 u_i(s) }, until span < 1 / sqrt(t + 1)
    episode  ends after a step that doubles its pair, nu(s,a) >= max(1, U(s,a)), or completes it, N(s,a) = b(s,a)

The inner maximum is written from above: upper ends first, mass removed from the worst states (ties: the last). Greedy
for the last u, ties to the lowest action; action 0 once everything is collected.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def half_width(phat: float, n: int, S: int, A: int, delta: float, alpha: float) -> float:
    """alpha times the AME radius."""
    ell = math.log(6 * S * A * n / delta)
    return alpha * (2 * math.sqrt(phat * (1 - phat) * ell / n) + 6 * ell / n)


def best_law(low: Floats, high: Floats, u: Floats) -> Floats:
    """The p with low <= p <= high, sum p = 1 and the largest p u."""
    p = high.copy()
    over = math.fsum(p) - 1.0
    for s in sorted(range(len(u)), key=lambda s: (u[s], -s)):
        cut = min(max(over, 0.0), float(p[s] - low[s]))
        p[s] -= cut
        over -= cut
    assert abs(math.fsum(p) - 1.0) < 1e-12
    return p


class ZeroOneUCRL:
    """`act(s)` may begin an episode; `learn(s, a, s2)` is told of the step.

    Attributes: C (S,A,S), N, U, nu (S,A); reward (S,A), low, high (S,A,S), policy (S,), u, u_next (S,), q (S,A) of the
    last plan; episodes, sweeps, t; running: an episode is on; finished: completion time or None. With alpha = 0
    sweeps may have no end: they are left off past `limit` of them.
    """

    def __init__(self, b: Ints, delta: float = 0.1, alpha: float = 1.0, tau: float = 0.9, limit: int = 10**6) -> None:
        self.b = np.array(b, dtype=np.int64)
        self.S, self.A = self.b.shape
        self.delta, self.alpha, self.tau, self.limit = delta, alpha, tau, limit
        shape = (self.S, self.A)
        self.C = np.zeros((*shape, self.S), dtype=np.int64)
        self.N, self.U, self.nu = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        self.reward, self.q = np.zeros(shape), np.zeros(shape)
        self.low, self.high = np.zeros((*shape, self.S)), np.ones((*shape, self.S))
        self.u, self.u_next = np.zeros(self.S), np.zeros(self.S)
        self.policy = np.zeros(self.S, dtype=np.int64)
        self.t = self.episodes = self.sweeps = 0
        self.running = False
        self.finished: int | None = None if self.missing() else 0

    def missing(self) -> int:
        """Pairs that are short of their requirement."""
        return int(np.sum(self.N < self.b))

    def act(self, s: int) -> int:
        """The policy of the episode; action 0 at the end."""
        if self.finished is not None:
            return 0
        if not self.running:
            self.begin_episode()
        return int(self.policy[s])

    def learn(self, s: int, a: int, s2: int) -> None:
        """Count, then ask whether the episode and the task are over."""
        self.t += 1
        self.C[s, a, s2] += 1
        self.N[s, a] += 1
        self.nu[s, a] += 1
        if self.nu[s, a] >= max(1, self.U[s, a]) or self.N[s, a] == self.b[s, a]:
            self.running = False
        if self.finished is None and not self.missing():
            self.finished = self.t

    def begin_episode(self) -> None:
        """Counts frozen, rewards, boxes, plan."""
        self.running = True
        self.episodes += 1
        self.U, self.nu = self.N.copy(), np.zeros_like(self.N)
        self.reward = (self.N < self.b).astype(float)
        for s, a in np.ndindex(self.S, self.A):
            n = int(self.N[s, a])
            for s2 in range(self.S if n else 0):
                phat = float(self.C[s, a, s2]) / n
                width = half_width(phat, n, self.S, self.A, self.delta, self.alpha)
                self.low[s, a, s2], self.high[s, a, s2] = max(0.0, phat - width), min(1.0, phat + width)
        self.extended_value_iteration()

    def backup(self, u: Floats) -> Floats:
        """The values (S,A) of a sweep before the maximum."""
        q = np.zeros((self.S, self.A))
        for s, a in np.ndindex(self.S, self.A):
            ahead = math.fsum(best_law(self.low[s, a], self.high[s, a], u) * u)
            q[s, a] = self.reward[s, a] + self.tau * ahead + (1 - self.tau) * u[s]
        return q

    def extended_value_iteration(self) -> None:
        """From zero; the policy is greedy for the u of the last sweep."""
        self.u_next, self.sweeps = np.zeros(self.S), 0
        while True:
            self.u = self.u_next
            self.q = self.backup(self.u)
            self.u_next = self.q.max(axis=1)
            self.sweeps += 1
            change = self.u_next - self.u
            if change.max() - change.min() < 1.0 / math.sqrt(self.t + 1) or self.sweeps > self.limit:
                break
        self.policy = np.argmax(self.q, axis=1)
