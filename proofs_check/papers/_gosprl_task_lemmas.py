"""What the estimate of the diameter rests on: how far a nearby model may be off. V is the expected time in P, V' in P'.

nearby   unit cost, rows within eta in the 1-norm (the goal counted), x = eta |V'| < 2: V <= V' / (1 - x / 2). For
         (P - P') V' is at most eta / 2 times the largest value, as rows of both sum to one and the goal is worth
         0, so that V' / (1 - x / 2) is above its own backup in P. Equality for one state. Up to x = 3/2 it gives
         V <= (1 + 2 x) V', the factor of the diameter's estimate [derived]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proofs_check.lemmas.shortest_path import policy_times

__all__ = ["false_nearby", "nearby"]

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
