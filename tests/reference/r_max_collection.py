"""R-MAX for collection, written out with its fictitious state and unscaled values.

Source: the notes on sample collection, section 4 [derived from R-MAX]. The model has the state z = S besides: z stays
in z and pays 1; every other pair pays 0. A pair is known when N(s,a) >= max(1, b(s,a)); an unknown one leads to z, a
known one to s2 with C / N. Discounted values V = L V, L V(z) = 1 + gamma V(z), L V(s) = gamma max_a P V. The learner
under test keeps v = (1 - gamma) V off z, starts at V(z) = 1 / (1 - gamma) and V = 0 elsewhere, and stops when the
largest change c of v has gamma c <= (1 - gamma) precision. Greedy for the V before the last sweep, ties to the lowest
action; a plan when a pair has just become known; action 0 once everything is collected.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class RMaxCollection:
    """`act(s)` may plan; `learn(s, a, s2)` is told of the step.

    Attributes: C (S,A,S), N (S,A); known (S,A) of the last plan, model (S,A,S+1), V and V_next (S+1,), q (S,A), policy
    (S,); plans, sweeps, t; due: a plan is; finished: completion time or None.
    """

    def __init__(self, b: Ints, gamma: float = 0.99, precision: float = 1e-6) -> None:
        self.b = np.array(b, dtype=np.int64)
        self.S, self.A = self.b.shape
        self.gamma, self.precision = gamma, precision
        self.C = np.zeros((self.S, self.A, self.S), dtype=np.int64)
        self.N = np.zeros((self.S, self.A), dtype=np.int64)
        self.known = np.zeros((self.S, self.A), dtype=bool)
        self.model = np.zeros((self.S, self.A, self.S + 1))
        self.V, self.V_next = np.zeros(self.S + 1), np.zeros(self.S + 1)
        self.q = np.zeros((self.S, self.A))
        self.policy = np.zeros(self.S, dtype=np.int64)
        self.t = self.plans = self.sweeps = 0
        self.due = True
        self.finished: int | None = 0 if np.all(self.N >= self.b) else None

    def knows(self, s: int, a: int) -> bool:
        """N >= m."""
        return bool(self.N[s, a] >= max(1, self.b[s, a]))

    def act(self, s: int) -> int:
        """The last plan's action; 0 at the end."""
        if self.finished is not None:
            return 0
        if self.due:
            self.due = False
            self.plan()
        return int(self.policy[s])

    def learn(self, s: int, a: int, s2: int) -> None:
        """Count."""
        before = self.knows(s, a)
        self.t += 1
        self.C[s, a, s2] += 1
        self.N[s, a] += 1
        self.due = self.due or self.knows(s, a) != before
        if self.finished is None and np.all(self.N >= self.b):
            self.finished = self.t

    def plan(self) -> None:
        """The model with z, and value iteration."""
        self.plans += 1
        z = self.S
        for s, a in np.ndindex(self.S, self.A):
            self.known[s, a] = self.knows(s, a)
            self.model[s, a] = 0.0
            if self.known[s, a]:
                self.model[s, a, :z] = self.C[s, a] / self.N[s, a]
            else:
                self.model[s, a, z] = 1.0
            assert abs(math.fsum(self.model[s, a]) - 1.0) < 1e-12
        self.V_next, self.sweeps = np.append(np.zeros(z), 1.0 / (1.0 - self.gamma)), 0
        while True:
            self.V = self.V_next
            self.q = np.array([[self.gamma * math.fsum(row * self.V) for row in rows] for rows in self.model])
            self.V_next = np.append(self.q.max(axis=1), 1.0 + self.gamma * self.V[z])
            self.sweeps += 1
            change = (1.0 - self.gamma) * float(np.max(np.abs(self.V_next[:z] - self.V[:z])))
            if self.gamma * change <= (1.0 - self.gamma) * self.precision:
                break
        self.policy = np.argmax(self.q, axis=1)
