"""Shortest paths at unit cost: when value iteration from zero may stop, how long trips last, how far models may differ.

A model is a set of rows that sum to at most one over the states off the goal; what is missing goes to the goal, which
ends the trip. V^pi is the expected number of steps under pi, V* the least of them, L the Bellman operator.

    certificate   v = L^j 0 with |L v - v| <= eps < 1: the greedy policy of v reaches the goal and v <= V* <= V^pi <=
                  v / (1 - eps). For v / (1 - eps) >= 1 + P_pi v / (1 - eps) [derived]; equality for one state.
    tail          expected steps at most d from every state: P(more than m steps) <= 2 exp(-m / (4 d))   [source: L7 of
                  Tarbouriech et al., ALT 2021]
    simulation    rows within eta in the 1-norm (the goal counted), costs c >= c_min, x = eta |V'| / c_min <= 1/2: V_pi
                  <= (1 + 2 x) V'_pi, V'_pi <= (1 + x) V_pi and |V - V'| <= 7 x |V'|. The source asks for x <= 2, where
                  1 / (1 - x) <= 1 + 2 x is no longer true [source: L2 of the same; the range derived]
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "best_times", "certificate", "false_certificate", "false_simulation", "false_tail", "goal_values", "policy_times",
    "simulation", "tail",
]  # fmt: skip

Floats = NDArray[np.float64]
Excess = tuple[float, str]


def policy_times(Q: Floats, cost: Floats | None = None) -> Floats:
    """Expected cost until the goal of a chain with rows Q (n,n) off it; unit cost by default."""
    n = len(Q)
    return np.asarray(np.linalg.solve(np.eye(n) - Q, np.ones(n) if cost is None else cost))


def best_times(Q: Floats) -> Floats:
    """Least expected steps to the goal, (n,), of rows Q (n,A,n): policy iteration from uniform play."""
    n = len(Q)
    v = policy_times(Q.mean(axis=1))  # proper where the goal can be reached from every state
    while True:
        pi = np.argmin(Q @ v, axis=1)
        better = policy_times(Q[np.arange(n), pi])
        if np.max(v - better) <= 1e-13 * np.max(v):
            return np.minimum(v, better)
        v = better


def goal_values(P: Floats) -> Floats:
    """V*_G of a communicating kernel (S,A,S) for every set G of states: (2^S, S), row sum of 2^s over s in G.

    The row of the empty set, where there is no way, is zero.
    """
    S = len(P)
    out = np.zeros((1 << S, S))
    for mask in range(1, (1 << S) - 1):
        rest = [s for s in range(S) if not mask >> s & 1]
        out[mask, rest] = best_times(P[np.ix_(rest, range(P.shape[1]), rest)])
    return out


def _rows(rng: np.random.Generator, n: int, A: int) -> Floats:
    """Random rows (n,A,n) with some mass missing in each."""
    rows = rng.dirichlet(np.full(n + 1, 0.3), size=(n, A))
    rows = 0.999 * rows[..., :n]
    return np.asarray(rows)


def _certificate(rng: np.random.Generator, part: float) -> Excess:
    worst, where = -np.inf, ""
    for _ in range(8):
        n, A, target = int(rng.integers(1, 6)), int(rng.integers(1, 4)), float(rng.uniform(0.02, 0.98))
        Q = _rows(rng, n, A)
        v, sweeps = np.zeros(n), 0
        while np.max(np.abs(1 + (Q @ v).min(axis=1) - v)) > target:
            v, sweeps = 1 + (Q @ v).min(axis=1), sweeps + 1
        eps = float(np.max(np.abs(1 + (Q @ v).min(axis=1) - v)))
        best, own = best_times(Q), policy_times(Q[np.arange(n), np.argmin(Q @ v, axis=1)])
        sides = (
            ("v <= V*", np.max(v / best) - 1.0),
            ("V* <= V^pi", np.max(best / own) - 1.0),
            ("V^pi <= v/(1-eps)", np.max(own * (1.0 - part * eps) / v) - 1.0),
        )
        for name, value in sides:
            if value > worst or value != value:
                worst, where = float(value), f"{name} with {n} states, {sweeps} sweeps, eps={eps:.3g}"
    return worst, where


def certificate(rng: np.random.Generator) -> Excess:
    """Largest relative excess over random models and numbers of sweeps."""
    return _certificate(rng, 1.0)


def false_certificate(rng: np.random.Generator) -> Excess:
    """The false twin: V^pi <= v / (1 - 0.8 eps)."""
    return _certificate(rng, 0.8)


def _tail(rng: np.random.Generator, factor: float, rate: float) -> Excess:
    worst, where = -np.inf, ""
    for _ in range(8):
        n = int(rng.integers(1, 7))
        if rng.random() < 0.5:  # nearly a fixed number of steps, where the tail is longest against the mean
            Q, slip = np.diag(np.ones(n - 1), 1), float(rng.uniform(0, 0.1))
            Q = (1 - slip) * Q + slip * np.eye(n)
        else:
            Q = _rows(rng, n, 1)[:, 0]
        d = float(np.max(policy_times(Q)))
        alive = np.ones(n)
        for m in range(int(10 * d) + 2):
            value = float(np.max(alive)) / (factor * math.exp(-m / (rate * d))) - 1.0
            if value > worst or value != value:
                worst, where = value, f"{n} states, d={d:.4g}, m={m}"
            alive = Q @ alive
    return worst, where


def tail(rng: np.random.Generator) -> Excess:
    """Largest relative excess of P(more than m steps) over 2 exp(-m/(4d))."""
    return _tail(rng, 2.0, 4.0)


def false_tail(rng: np.random.Generator) -> Excess:
    """The false twin: exp(-m/d), the tail of a geometric number of steps."""
    return _tail(rng, 1.0, 1.0)


def _simulation(rng: np.random.Generator, first: float, second: float) -> Excess:
    worst, where = -np.inf, ""
    for _ in range(20):
        n, x = int(rng.integers(1, 5)), float(rng.uniform(0.01, 0.5))
        near = _rows(rng, n, 1)[:, 0]
        cost = rng.uniform(0.2, 1.0, n) if rng.random() < 0.5 else np.ones(n)
        v_near = policy_times(near, cost)
        eta = x * cost.min() / v_near.max()
        # eta / 2 of mass from the goal to the state of largest value, or the other way round, as far as there is any
        to, sign = int(np.argmax(v_near)), float(rng.choice([-1.0, 1.0]))
        other = near.copy()
        free = 1.0 - near.sum(axis=1) if sign > 0 else near[:, to]
        other[:, to] += sign * np.minimum(0.5 * eta, 0.999 * free)
        v = policy_times(other, cost)
        sides = (
            ("V <= (1+2x) V'", np.max(v / v_near) / (1.0 + first * x) - 1.0),
            ("V' <= (1+x) V", np.max(v_near / v) / (1.0 + second * x) - 1.0),
            ("|V-V'| <= 7x|V'|", np.max(np.abs(v - v_near)) / (7.0 * x * v_near.max()) - 1.0),
        )
        for name, value in sides:
            if value > worst or value != value:
                worst, where = float(value), f"{name} with {n} states, x={x:.3g}"
    return worst, where


def simulation(rng: np.random.Generator) -> Excess:
    """Largest relative excess over random pairs of models."""
    return _simulation(rng, 2.0, 1.0)


def false_simulation(rng: np.random.Generator) -> Excess:
    """The false twin: V <= (1 + x/4) V' and V' <= (1 + x/4) V."""
    return _simulation(rng, 0.25, 0.25)
