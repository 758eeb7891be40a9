"""GOSPRL under a requirement that is a rule of the data, and two rules: exploration for all goals, and the diameter.

Source: the notes on sample collection: 2.1 (main loop; adaptive requirements are looked up at the boundaries of
attempts and after each sample taken in G), 2.6 (goal-free exploration [source: ALT21, equation 6]; diameter estimation
[source: ALT21, algorithm 4]), 2.4 (extended value iteration over boxes). Plans of attempts are those of `GOSPRL`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.gosprl import GOSPRL, radius

Floats = NDArray[np.float64]


class RuleGOSPRL(GOSPRL):
    """The loop: b is `rule.ask(self, s, a)`; where nothing is open `rule.advance(self)` says whether it is done."""

    def __init__(self, rule: Any, S: int, A: int, delta: float, alpha: float, family: str = "AME") -> None:
        super().__init__(np.zeros((S, A), dtype=np.int64), delta=delta, alpha=alpha, family=family)
        self.rule, self.finished, self.due = rule, None, True

    def look_up(self, states: range) -> None:
        for s in states:
            for a in range(self.A):
                self.b[s, a] = self.rule.ask(self, s, a)
        self.goals = self.open_states()

    def act(self, s: int) -> int:
        if self.due:
            self.due = False
            self.look_up(range(self.S))
            while not self.goals and self.finished is None:
                if self.rule.advance(self):
                    self.finished = self.t
                self.look_up(range(self.S))
        return super().act(s)

    def learn(self, s: int, a: int, s2: int) -> None:
        self.C[s, a, s2] += 1
        self.N[s, a] += 1
        self.t += 1
        if self.finished is not None:
            return
        if self.travelling:
            self.nu[s, a] += 1
            reached, doubled = s2 in self.goals, self.nu[s, a] >= max(1, self.U[s, a])
            self.arrivals += reached
            if reached or doubled:
                self.travelling, self.due = False, True
                self.U = self.U + self.nu
        else:
            self.U[s, a] += 1
            self.look_up(range(s, s + 1))
            self.due = s2 not in self.goals


class Explore:
    """b = ceil phi(X, y), y = omega."""

    def __init__(self, X: float, epsilon: float, c_min: float, theta: float, alpha0: float) -> None:
        self.X, self.epsilon, self.alpha0 = X, epsilon, alpha0
        self.y: float = max(c_min, epsilon / (theta * X))

    def ask(self, core: RuleGOSPRL, s: int, a: int) -> int:
        S, A, delta, X, y, eps = core.S, core.A, core.delta, self.X, self.y, self.epsilon
        Gh = max(1, int((core.C > 0).sum(axis=2).max()))
        ell, short = math.log(X * S * A / (y * eps * delta)), math.log(X * S * A / (y * delta))
        phi = X**3 * Gh / (y * eps**2) * ell + X**2 * S / (y * eps) * ell + X**2 * Gh / y**2 * short**2
        return math.ceil(float(self.alpha0 * phi))

    def advance(self, core: RuleGOSPRL) -> bool:
        return True


class Diameter:
    """W, rounds, the last |v| and the estimate; the EVI stops at changes of epsilon / 2 and |v| bounds its policies;
    infinite where it takes more than `limit` sweeps."""

    def __init__(self, epsilon: float, limit: int = 10**6) -> None:
        self.epsilon, self.W, self.rounds, self.v, self.estimate = epsilon, 0.5, 0, math.inf, 0.0
        self.limit = limit

    def ask(self, core: RuleGOSPRL, s: int, a: int) -> int:
        if self.rounds == 0:
            return int(core.N[s, a])
        n = max(1, int(core.N[s, a]))
        total = sum(entry(core, core.C[s, a, y] / n, n) for y in range(core.S))
        return int(core.N[s, a]) + int(core.alpha * total > self.epsilon / self.W / 2)

    def advance(self, core: RuleGOSPRL) -> bool:
        if self.rounds > 0:
            u = max(float(times_to(core, g, self.epsilon / 2, self.limit).max()) for g in range(core.S))
            self.v = u / (1 - self.epsilon / 2)
            if self.v <= self.W:
                self.estimate = (1 + 2 * self.epsilon / self.W * self.v) * self.v
                return True
        self.rounds, self.W = self.rounds + 1, 2 * self.W
        return False


def entry(core: RuleGOSPRL, x: float, n: int) -> float:
    """beta of an entry: of the ball in the 1-norm, half its radius."""
    return (0.5 if core.family == "L1" else 1.0) * radius(core.family, x, n, core.S, core.A, core.delta)


def box_minimum(core: RuleGOSPRL, s: int, a: int, v: Floats) -> float:
    """min q v over the box: section 2.4; over the ball, a linear program."""
    n = int(core.N[s, a])
    if n == 0:
        return 0.0
    if core.family == "L1":
        core.beta[s, a] = entry(core, 0.0, n)
        return core.least(core.C[s, a] / n, s, a, v) if np.any(v > 0.0) else 0.0
    low, high = np.zeros(core.S), np.zeros(core.S)
    for y in range(core.S):
        x = core.C[s, a, y] / n
        beta = core.alpha * entry(core, x, n)
        low[y], high[y] = max(0.0, x - beta), min(1.0, x + beta)
    q, missing = low.copy(), 1.0 - low.sum()
    for y in np.argsort(v, kind="stable"):
        step = min(missing, high[y] - low[y])
        q[y], missing = q[y] + step, missing - step
    return float(q @ v)


def times_to(core: RuleGOSPRL, goal: int, precision: float, limit: int) -> Floats:
    """Optimistic expected times to the goal: the last iterate L v, |L v - v| at most the precision; else infinite."""
    new = np.zeros(core.S)
    for k in range(limit):
        v, new = new, np.zeros(core.S)
        for s in range(core.S):
            if s != goal:
                new[s] = 1.0 + min(box_minimum(core, s, a, v) for a in range(core.A))
        if np.max(np.abs(new - v)) <= precision:
            core.sweeps = k + 1
            return new
    return np.full(core.S, math.inf)
