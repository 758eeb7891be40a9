"""Collecting a prescribed sample when p is known: what the optimum is on a star, and what bounds it.

    star        n >= 2 leaves reached with p_i, b_i samples of leaf i: the optimum is exactly sum b_i (1 + 1/p_i) =
                sum b_i D_i, so that no algorithm is faster, even with p known: T2 is attained               [derived]
    program     the value of the linear program of `mdps.collection.bounds` is at most the optimum           [derived]
    hitting     so is max over required s of D(s_1 -> s) + 1                                                 [derived]
    shrinking   G' a part of G: V*_G <= V*_G' entrywise, so that D_G only grows while G shrinks              [derived]
    chain       an SSP with goal g and costs in [c_min, 1]: B_star <= D_g <= T_star <= B_star / c_min. B_star the
                largest optimal cost to g, T_star the largest expected number of steps of the optimal policy, D_g the
                largest minimal one                                                                            [source]

In `chain` D_g belongs to the goal. With the diameter D of the model, over all goals, D <= T_star is false: state 0 goes
to g, and g back to 0 with probability 1/10, D = 10 and T_star = 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mdps.collection.bounds import hitting_bound, lp_bound, sum_of_diameters
from mdps.collection.optimum import optimal_time
from mdps.models.star import build as build_star
from proofs_check.lemmas.shortest_path import goal_values, policy_times
from theorylab.model import TabularMDP
from theorylab.plan import hitting_times

__all__ = [
    "chain", "false_chain", "false_hitting", "false_program", "false_shrinking", "false_star", "hitting",
    "optimal_costs", "program", "shrinking", "star", "walk_program",
]  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Excess = tuple[float, str]


def _worst(sides: list[tuple[float, str]]) -> Excess:
    return max(sides, key=lambda side: np.inf if side[0] != side[0] else side[0])


def _star(rng: np.random.Generator, arrival: float) -> Excess:
    n = int(rng.integers(2, 4))
    p = 1.0 / rng.integers(1, 11, size=n) if rng.random() < 0.5 else rng.uniform(0.05, 1.0, n)
    b = np.zeros((n + 1, n), dtype=np.int64)
    b[np.arange(1, n + 1), rng.integers(0, n, n)] = rng.integers(0, 4, n)
    b[rng.integers(1, n + 1), 0] += 1
    model = build_star(p=p.tolist())
    best = optimal_time(model, b).value
    formula = float(b[1:].sum(axis=1) @ (arrival + 1.0 / p))
    sides = [("sum b_i (1 + 1/p_i)", abs(formula / best - 1.0))]
    if arrival == 1.0:
        sides.append(("sum b_i D_i", abs(sum_of_diameters(model, b) / best - 1.0)))
    return _worst([(value, f"{name}, p={np.round(p, 3)}, b={b[1:].sum(axis=1)}") for name, value in sides])


def star(rng: np.random.Generator) -> Excess:
    """|sum b_i (1 + 1/p_i) / optimum - 1| and |sum b_i D_i / optimum - 1| on a random star."""
    return _star(rng, 1.0)


def false_star(rng: np.random.Generator) -> Excess:
    """The false twin: sum b_i / p_i, the step at the leaf not charged."""
    return _star(rng, 0.0)


def _instance(rng: np.random.Generator) -> tuple[TabularMDP, Ints]:
    """A small communicating model and a requirement with at most 4 samples, not zero."""
    S, A = int(rng.integers(2, 4)), int(rng.integers(1, 3))
    P = _kernel(rng, S, A)
    b = np.bincount(rng.integers(0, S * A, size=rng.integers(1, 5)), minlength=S * A).reshape(S, A)
    return TabularMDP(P=P, r=np.zeros((S, A)), mu0=np.eye(S)[rng.integers(S)]), b


def _kernel(rng: np.random.Generator, S: int, A: int) -> Floats:
    if rng.random() < 0.5:
        return _rows(rng, S, A)
    P: Floats = np.eye(S)[rng.integers(0, S, size=(S, A))]
    P[:, 0] = np.roll(np.eye(S), 1, axis=1)  # round the circle
    return P


def _rows(rng: np.random.Generator, S: int, A: int) -> Floats:
    rows: Floats = 0.9 * rng.dirichlet(np.full(S, 0.3), size=(S, A)) + 0.1 / S
    return rows


def walk_program(P: Floats, b: Ints, start: Floats, closed: bool) -> float:
    """The linear program written out in full, dense; `closed`: the law after the last step is that of the start."""
    from scipy.optimize import linprog

    S, A = b.shape
    rows = np.zeros((S, S * A + S))
    for s in range(S):
        for a in range(A):
            rows[:, s * A + a] -= P[s, a]
            rows[s, s * A + a] += 1.0
        rows[s, S * A + s] = 1.0
    low = np.concatenate([b.ravel(), start if closed else np.zeros(S)])
    cost = np.repeat([1.0, 0.0], [S * A, S])
    return float(linprog(cost, A_eq=rows, b_eq=start, bounds=np.column_stack([low, np.full(low.size, np.inf)])).fun)


def _below(rng: np.random.Generator, bound: Callable[[TabularMDP, Ints], float]) -> Excess:
    sides = []
    for _ in range(2):
        model, b = _instance(rng)
        best = optimal_time(model, b).value
        sides.append((bound(model, b) / best - 1.0, f"S={model.S}, b={b.ravel()}, optimum {best:.6g}"))
    return _worst(sides)


def program(rng: np.random.Generator) -> Excess:
    """Largest relative excess of the linear program's value over the optimum."""
    return _below(rng, lambda model, b: lp_bound(model, b).value)


def false_program(rng: np.random.Generator) -> Excess:
    """The false twin: the walk must end where it began (mu fixed to the start's law)."""
    return _below(rng, lambda model, b: walk_program(model.dense(), b, model.mu0, True))


def hitting(rng: np.random.Generator) -> Excess:
    """Largest relative excess of max D(s_1 -> s) + 1 over the optimum."""
    return _below(rng, lambda model, b: hitting_bound(model, b).value)


def false_hitting(rng: np.random.Generator) -> Excess:
    """The false twin: D_s, from the worst state, in place of D(s_1 -> s)."""
    return _below(rng, lambda model, b: float(hitting_times(model)[:, b.any(axis=1)].max()) + 1.0)


def _shrinking(rng: np.random.Generator, mean: bool) -> Excess:
    S = int(rng.integers(3, 5))
    V = goal_values(_kernel(rng, S, 2))
    sides = []
    for mask in range(1, (1 << S) - 1):
        closed = [s for s in range(S) if not mask >> s & 1]
        for s in range(S):
            if mask >> s & 1 and mask != 1 << s:
                smaller = mask - (1 << s)
                before, after = V[mask], V[smaller]
                if mean:
                    value = before[closed].mean() / after[[*closed, s]].mean() - 1.0
                else:
                    value = float(np.max(before[closed] / after[closed])) - 1.0
                    value = max(value, float(before.max() / after.max()) - 1.0)
                sides.append((float(value), f"S={S}, G={mask:b} without state {s}"))
    return _worst(sides)


def shrinking(rng: np.random.Generator) -> Excess:
    """Largest relative excess of V*_G over V*_G', and of D_G over D_G', G' being G without one state."""
    return _shrinking(rng, False)


def false_shrinking(rng: np.random.Generator) -> Excess:
    """The false twin: the mean time over the closed states does not fall either."""
    return _shrinking(rng, True)


def optimal_costs(Q: Floats, cost: Floats) -> tuple[Floats, Floats]:
    """Optimal costs to the goal (n,) and the expected steps (n,) of an optimal policy; rows Q (n,A,n), cost (n,A)."""
    n = len(Q)
    at, pi = np.arange(n), np.zeros(n, dtype=np.int64)
    while True:  # every policy reaches the goal: rows lose mass to it
        v = policy_times(Q[at, pi], cost[at, pi])
        q = cost + Q @ v
        better = q.min(axis=1) < q[at, pi] * (1.0 - 1e-12)
        if not better.any():
            return v, policy_times(Q[at, pi])
        pi = np.where(better, np.argmin(q, axis=1), pi)


def _chain(rng: np.random.Generator, own: bool) -> Excess:
    sides = []
    for _ in range(4):
        S, A = int(rng.integers(2, 6)), int(rng.integers(1, 4))
        P, rest = _rows(rng, S, A), np.arange(1, S)  # the goal is state 0
        c_min = float(rng.uniform(0.05, 1.0))
        cost = np.ones((S - 1, A)) if rng.random() < 0.2 else rng.choice([c_min, 1.0], size=(S - 1, A))
        Q = P[rest][:, :, rest]
        v, steps = optimal_costs(Q, cost)
        B_star, T_star = float(v.max()), float(steps.max())
        D = float(optimal_costs(Q, np.ones((S - 1, A)))[0].max())
        if not own:
            D = float(hitting_times(TabularMDP(P=P, r=np.zeros((S, A)))).max())
        what = f"S={S}, A={A}, c_min={cost.min():.3g}"
        sides += [
            (B_star / D - 1.0, f"B_star <= D, {what}"),
            (D / T_star - 1.0, f"D <= T_star, {what}"),
            (T_star * float(cost.min()) / B_star - 1.0, f"T_star <= B_star / c_min, {what}"),
        ]
    return _worst(sides)


def chain(rng: np.random.Generator) -> Excess:
    """Largest relative excess in B_star <= D_g <= T_star <= B_star / c_min."""
    return _chain(rng, True)


def false_chain(rng: np.random.Generator) -> Excess:
    """The false twin: D, the diameter over all goals, in place of D_g."""
    return _chain(rng, False)
