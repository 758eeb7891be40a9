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

Besides: b(s), visits of a state with any action; `planner` "policies", policy iteration by numpy's solve, and
"extended" (section 2.4), whose inner minima are linear programs; `Ruled`, where b_t is a function of the counts.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

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
        b_states: Ints | None = None,
        planner: str = "values",
    ) -> None:
        self.b = np.array(b, dtype=np.int64)
        self.S, self.A = self.b.shape
        self.b_states = np.zeros(self.S, dtype=np.int64) if b_states is None else np.array(b_states, dtype=np.int64)
        self.planner = planner
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
        """Step 1: states with an action that is short of its requirement, or short of visits with any action."""
        return {s for s in range(self.S) if self.is_open(s)}

    def is_open(self, s: int) -> bool:
        """Whether something asked of s is missing."""
        return any(self.N[s, a] < self.b[s, a] for a in range(self.A)) or self.N[s].sum() < self.b_states[s]

    def inside(self, s: int) -> int:
        """Step 2: largest gap, ties to the lowest index; where no action is short, the one with the fewest visits."""
        gaps = [int(self.b[s, a] - self.N[s, a]) for a in range(self.A)]
        return gaps.index(max(gaps)) if max(gaps) > 0 else self.N[s].tolist().index(self.N[s].min())

    def act(self, s: int) -> int:
        """Steps 1-3; action 0 once everything has been collected."""
        if self.finished is not None:
            return 0
        if s in self.goals:
            return self.inside(s)
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
        {"values": self.value_iteration, "policies": self.policy_iteration, "extended": self.value_iteration}[
            self.planner
        ]()

    def backup(self, v: Floats) -> Floats:
        """Section 2.3: (L v)(s) before the minimum, with v(g) = 0; rows of goals are 0."""
        if self.planner == "extended":
            return self.extended_backup(v)
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

    def policy_iteration(self) -> None:
        """Section 2.3, the exact alternative: (I - Q) v = 1 for each policy, until no action is better. A policy that
        never arrives (alpha = 0) has no values: `sweeps` then is beyond any limit."""
        out = [s for s in range(self.S) if s not in self.goals]
        policy, self.sweeps = np.zeros(self.S, dtype=np.int64), 0
        while True:
            self.sweeps += 1
            Q = np.array([[self.model[s, policy[s], s2] for s2 in out] for s in out])
            self.v = np.zeros(self.S)
            try:
                self.v[out] = np.linalg.solve(np.eye(len(out)) - Q, np.ones(len(out)))
            except np.linalg.LinAlgError:
                self.sweeps = sys.maxsize
                return
            self.q = self.backup(self.v)
            better = [s for s in out if self.q[s].min() < self.q[s, policy[s]] * (1.0 - 1e-12)]
            if not better:
                break
            policy[better] = np.argmin(self.q[better], axis=1)
        self.v_next = self.q.min(axis=1)
        self.policy = policy

    def extended_backup(self, v: Floats) -> Floats:
        """Section 2.4: 1 + min q v over the box or the ball of each row, v = 0 on G; unseen pairs jump to the goal."""
        q = np.zeros((self.S, self.A))
        for s in set(range(self.S)) - self.goals:
            for a in range(self.A):
                q[s, a] = 1.0
                if self.N[s, a] > 0 and np.any(v > 0.0):
                    q[s, a] += self.least(self.C[s, a] / self.N[s, a], s, a, v)
        return q

    def least(self, phat: Floats, s: int, a: int, v: Floats) -> float:
        """min q v over the plausible laws, as a linear program."""
        from scipy.optimize import linprog

        S, width = self.S, self.alpha * self.beta[s, a]
        if self.family != "L1":
            bounds = [(max(0.0, x - w), min(1.0, x + w)) for x, w in zip(phat, width, strict=True)]
            found = linprog(v, A_eq=np.ones((1, S)), b_eq=[1.0], bounds=bounds)
        else:  # q and e >= |q - phat|, with sum e at most the radius of the ball
            near = np.block([[np.eye(S), -np.eye(S)], [-np.eye(S), -np.eye(S)], [np.zeros((1, S)), np.ones((1, S))]])
            right = np.concatenate([phat, -phat, [2.0 * width[0]]])
            found = linprog(
                np.concatenate([v, np.zeros(S)]), A_ub=near, b_ub=right, bounds=[(0.0, None)] * (2 * S),
                A_eq=np.concatenate([np.ones((1, S)), np.zeros((1, S))], axis=1), b_eq=[1.0],
            )  # fmt: skip
        assert found.status == 0, found.message
        return float(found.fun)


class Ruled(GOSPRL):
    """Adaptive requirements, section 2.1: `rule(C)` gives b_t (S,A); it is looked up for the state of each sample taken
    in G, and for all states before an attempt and whenever one ends or nothing is open. `advance()` is asked when
    nothing is open: true when the task is done. With `even` ties between gaps go to the fewest visits."""

    def __init__(
        self, S: int, A: int, rule: Callable[[Ints], Ints], advance: Callable[[], bool] = lambda: True,
        even: bool = False, **options: float | str,
    ) -> None:  # fmt: skip
        super().__init__(np.ones((S, A)), **options)  # type: ignore[arg-type]
        self.rule, self.advance, self.even = rule, advance, even
        self.due = True

    def inside(self, s: int) -> int:
        """Step 2, with ties as chosen."""
        gaps = self.b[s] - self.N[s]
        order = [(-int(gaps[a]), int(self.N[s, a]) if self.even else 0, a) for a in range(self.A)]
        return min(order)[2]

    def look_up(self) -> None:
        """All requirements from the counts; the end, or the next objective."""
        while self.finished is None:
            self.b = self.rule(self.C)
            self.goals = self.open_states()
            if self.goals:
                break
            if self.advance():
                self.finished = self.t

    def act(self, s: int) -> int:
        """Steps 1-3."""
        if self.due:
            self.look_up()
        self.due = False
        return super().act(s)

    def learn(self, s: int, a: int, s2: int) -> None:
        """Steps 2 and 4: counts; what is looked up again."""
        self.C[s, a, s2] += 1
        self.N[s, a] += 1
        self.t += 1
        if self.finished is not None:
            return
        if self.travelling:
            self.nu[s, a] += 1
            self.arrivals += s2 in self.goals
            self.due = s2 in self.goals or self.nu[s, a] >= max(1, self.U[s, a])
            self.travelling = not self.due
        else:
            self.b[s] = self.rule(self.C)[s]
            self.goals = (self.goals - {s}) | ({s} if self.is_open(s) else set())
            self.due = s2 not in self.goals or not self.goals

    def start_attempt(self) -> None:
        """U holds every visit so far."""
        self.U = self.N.copy()
        super().start_attempt()
