"""Minimal expected hitting times and the diameter.

T[s,g] = 0 if s = g, else 1 + min_a sum_s2 P[s,a,s2] T[s2,g]; diameter = max_{s,g} T[s,g] (Jaksch, Ortner and Auer,
2010, definition 1) [recalled]. Per goal: policy iteration on the shortest-path problem of unit costs, started from a
proper policy (from each state an action that may come one arc nearer to the goal, which reaches it with probability
1); every later policy is proper as its times are smaller. One linear system of size S-1 a step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theorylab.assume import communicating, reachability
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan.certify import TIE
from theorylab.plan.structure import distances

__all__ = ["hitting_times", "times_to"]

Floats = NDArray[np.float64]
MOST_STEPS = 1_000


def times_to(model: TabularMDP, goal: int, graph: object = None) -> Floats:
    """Minimal expected number of steps from each state to `goal`: float64 (S,), 0 at the goal."""
    S, A = model.S, model.A
    flat = model.P if model.sparse else model.P.reshape(-1, S)
    succ, prob = model.rows()
    layer = distances(reachability(model) if graph is None else graph, np.array([goal]))
    nearer = (prob > 0) & (layer[succ] < np.repeat(layer, A)[:, None])
    pi = np.argmax(nearer.any(axis=1).reshape(S, A), axis=1)
    others = np.delete(np.arange(S), goal)
    for _ in range(MOST_STEPS):
        rows = flat[others * A + pi[others]]
        part = (rows.toarray() if model.sparse else rows)[:, others]
        times = np.zeros(S)
        times[others] = np.linalg.solve(np.eye(S - 1) - part, np.ones(S - 1))
        q = 1.0 + (flat @ times).reshape(S, A)
        kept = np.take_along_axis(q, pi[:, None], axis=1)[:, 0]
        better = q.min(axis=1) < kept * (1 - TIE)
        better[goal] = False
        if not better.any():
            return times
        pi = np.where(better, np.argmin(q, axis=1), pi)
    raise InputError(f"hitting times of state {goal} did not settle in {MOST_STEPS} steps; check P for near-zero rows")


def hitting_times(model: TabularMDP) -> Floats:
    """Minimal expected hitting times T[s,g], float64 (S,S) with zero diagonal, in steps.

    Raises:
        InputError: a stage-dependent model, or one that is not communicating (names a pair of states).
    """
    if model.stage_dependent:
        raise InputError(f"hitting times need stationary transitions; P has shape {model.P.shape}: give P (S, A, S)")
    fails = communicating(model)
    if fails is not None:
        raise InputError(f"the diameter is infinite: {fails}; use a communicating model")
    graph = reachability(model)
    return np.stack([times_to(model, g, graph) for g in range(model.S)], axis=1)
