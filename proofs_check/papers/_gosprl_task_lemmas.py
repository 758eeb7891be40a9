"""Shortest paths that two tasks of GOSPRL rest on: how far a nearby model may be off, and costs beside times.

V is the expected cost until the goal, in P and (V') in P'.

    nearby   unit cost, rows within eta in the 1-norm (the goal counted), x = eta |V'| < 2: V <= V' / (1 - x / 2). For
             (P - P') V' is at most eta / 2 times the largest value, as rows of both sum to one and the goal is worth
             0, so that V' / (1 - x / 2) is above its own backup in P. Equality for one state. Up to x = 3/2 it gives
             V <= (1 + 2 x) V', the factor of the diameter's estimate [derived]
    chain    costs in [c_min, 1] off the goal: B <= D <= T <= B / c_min, B the largest least cost, D the largest
             least time, T the largest time of a policy of least cost [source: ALT23]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proofs_check.lemmas.shortest_path import policy_times

__all__ = ["chain", "false_chain", "false_nearby", "nearby"]

Floats = NDArray[np.float64]
Excess = tuple[float, str]


def _rows(rng: np.random.Generator, n: int, A: int) -> Floats:
    """Random rows (n,A,n) with some mass missing in each, which goes to the goal."""
    rows = 0.99 * rng.dirichlet(np.full(n + 1, 0.4), size=(n, A))
    return np.asarray(rows[..., :n])


def _nearby(rng: np.random.Generator, part: float) -> Excess:
    worst, where = -np.inf, ""
    for _ in range(20):
        n, x = int(rng.integers(1, 5)), float(rng.uniform(0.05, 1.9))
        near = _rows(rng, n, 1)[:, 0]
        v_near = policy_times(near)
        eta = x / v_near.max()
        other = near.copy()  # eta / 2 of mass from the goal to the state of largest value, as far as there is any
        other[:, int(np.argmax(v_near))] += np.minimum(0.5 * eta, 0.999 * (1.0 - near.sum(axis=1)))
        value = float(np.max(policy_times(other) / v_near)) * (1.0 - part * x) - 1.0
        if value > worst or value != value:
            worst, where = value, f"{n} states, x={x:.3g}"
    return worst, where


def nearby(rng: np.random.Generator) -> Excess:
    """Largest relative excess of V (1 - x / 2) over V'."""
    return _nearby(rng, 0.5)


def false_nearby(rng: np.random.Generator) -> Excess:
    """The false twin: V <= V' / (1 - 0.4 x)."""
    return _nearby(rng, 0.4)


def _least(Q: Floats, cost: Floats) -> tuple[Floats, Floats]:
    """Least costs (n,) of rows Q (n,A,n), and the times of the policy that has them."""
    n = len(Q)
    pi = np.zeros(n, dtype=int)
    v = policy_times(Q[np.arange(n), pi], cost[np.arange(n), pi])
    while True:
        q = cost + Q @ v
        better = q.min(axis=1) < (1.0 - 1e-12) * q[np.arange(n), pi]
        if not better.any():
            return v, policy_times(Q[np.arange(n), pi])
        pi = np.where(better, q.argmin(axis=1), pi)
        v = policy_times(Q[np.arange(n), pi], cost[np.arange(n), pi])


def _chain(rng: np.random.Generator, last: float) -> Excess:
    worst, where = -np.inf, ""
    for _ in range(8):
        n, A, low = int(rng.integers(1, 6)), int(rng.integers(1, 4)), float(rng.uniform(0.05, 0.95))
        Q = _rows(rng, n, A)
        cost = np.where(rng.random((n, A)) < 0.5, low, rng.uniform(low, 1.0, (n, A)))
        (costs, times), (fastest, _) = _least(Q, cost), _least(Q, np.ones((n, A)))
        B, D, T = costs.max(), fastest.max(), times.max()
        sides = (("B <= D", B / D - 1.0), ("D <= T", D / T - 1.0), ("T <= B/c_min", T * low * last / B - 1.0))
        for name, value in sides:
            if value > worst or value != value:
                worst, where = float(value), f"{name} with {n} states, c_min={low:.3g}"
    return worst, where


def chain(rng: np.random.Generator) -> Excess:
    """Largest relative excess of the three inequalities."""
    return _chain(rng, 1.0)


def false_chain(rng: np.random.Generator) -> Excess:
    """The false twin: T <= 0.9 B / c_min."""
    return _chain(rng, 1.0 / 0.9)
