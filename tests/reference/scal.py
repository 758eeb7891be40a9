"""SCAL for a weakly communicating average-reward MDP whose optimal bias has a span of at most c.

Source: Fruit, Pirotta, Lazaric, Ortner 2018, algorithm SCAL with the operator T_c [truncation, mixture and augmented
reward: source, public code; restart probability r_max / (c t_k): recalled], on the sets of `tests.reference.ucrl2b`.
With eta = min(1, 1 / (c t_k)) and L the extended Bellman operator in which every kernel p is (1 - eta) p + eta e_0 and
then lazy with tau:

    T_c v = min(L v, min L v + c / tau),      v_0 = 0,      until sp(v_{n+1} - v_n) < 1 / sqrt(t_k).

Where L v exceeds the threshold, the greedy action has the probability w and the action of least value, reward 0, the
rest, so that the mean of their values is the threshold.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.reference.ucrl2b import UCRL2B, Floats, inner_maximum


class SCAL(UCRL2B):
    """As UCRL2B, and raised (S,) the last L v, least (S,A) values of the minimising laws, worst and weight (S,)."""

    def __init__(self, S: int, A: int, delta: float, span: float, **sets: Any) -> None:
        super().__init__(S, A, delta, **sets)
        self.c = span

    def due(self, s: int, coin: float) -> bool:
        """Whether the pair that the coin chooses in s has doubled its visits."""
        a = self.action(s, coin)
        return bool(self.nu[s, a] >= max(1, self.N[s, a]))

    def action(self, s: int, coin: float) -> int:
        """The greedy action with its weight."""
        return int(self.pi[s]) if coin < self.weight[s] else int(self.worst[s])

    def backup(self, u: Floats) -> Floats:
        """L before the maximum over actions."""
        q = np.zeros((self.S, self.A))
        for s in range(self.S):
            for a in range(self.A):
                self.law[s, a] = inner_maximum(self.low[s, a], self.high[s, a], u)
                q[s, a] = self.r_up[s, a] + self.lazy(self.law[s, a], u, s)
        return q

    def lazy(self, law: Floats, u: Floats, s: int) -> float:
        """Value of u under a law with the restart, lazy in s."""
        moved = (1 - self.eta) * law
        moved[0] += self.eta
        row = self.tau * moved
        row[s] += 1 - self.tau
        return math.fsum(row * u)

    def extended_value_iteration(self) -> None:
        """ScOpt: iterate T_c, then the randomised policy of the last sweep."""
        self.eta = min(1.0, 1.0 / (self.c * self.t_k))
        self.u_next, self.iterations = np.zeros(self.S), 0
        while True:
            self.u = self.u_next
            self.q = self.backup(self.u)
            self.raised = self.q.max(axis=1)
            self.u_next = np.minimum(self.raised, self.raised.min() + self.c / self.tau)
            self.iterations += 1
            step = self.u_next - self.u
            if step.max() - step.min() < 1.0 / math.sqrt(self.t_k) or self.iterations > 2000:
                break
        self.pi = np.argmax(self.q, axis=1)
        self.worst, self.weight, self.least = self.pi.copy(), np.ones(self.S), np.zeros((self.S, self.A))
        for s in (int(x) for x in np.flatnonzero(self.raised > self.u_next)):
            for a in range(self.A):
                law = inner_maximum(self.low[s, a], self.high[s, a], -self.u)
                self.least[s, a] = self.lazy(law, self.u, s)
            self.worst[s] = np.argmin(self.least[s])
            below = self.least[s].min()
            self.weight[s] = (self.u_next[s] - below) / (self.raised[s] - below)
