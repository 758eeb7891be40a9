"""Discounted models: Howard's policy iteration with exact linear solves.

V = max_a q, q[s,a] = r[s,a] + gamma sum_s2 P[s,a,s2] V[s2]; shapes V (S,), Q (S,A). The certified error is
(|T V - V| + rounding) / (1 - gamma rho), by contraction. Source: Puterman (1994), section 6.4 [recalled].
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import eye_array
from scipy.sparse.linalg import splu

from theorylab.errors import InputError
from theorylab.model import Discounted, TabularMDP
from theorylab.plan.average_reward import _chain
from theorylab.plan.certify import Rounding, U, dot_bound, greedy, tie_tolerance
from theorylab.plan.record import Plan

__all__ = ["evaluate_policy", "policy_iteration"]

Floats = NDArray[np.float64]
MOST_STEPS = 10_000


def _gamma(model: TabularMDP) -> float:
    if not isinstance(model.criterion, Discounted):
        raise InputError(f"the criterion is {model.criterion}; this planner needs Discounted(gamma)")
    return model.criterion.gamma


def _values(model: TabularMDP, pi: NDArray[Any]) -> Floats:
    chain, reward = _chain(model, pi)
    gamma = _gamma(model)
    if isinstance(chain, np.ndarray):
        matrix = np.eye(model.S) - gamma * chain
        solve: Callable[[Floats], Any] = partial(np.linalg.solve, matrix)
    else:
        matrix = (eye_array(model.S, format="csr") - gamma * chain).tocsc()
        solve = splu(matrix).solve
    v: Floats = solve(reward)
    v += solve(reward - matrix @ v)  # one step of refinement
    return v


def _q(model: TabularMDP, v: Floats) -> Floats:
    flat = model.P if model.sparse else model.P.reshape(-1, model.S)
    out: Floats = model.r + _gamma(model) * (flat @ v).reshape(model.S, model.A)
    return out


def _certify(model: TabularMDP, v: Floats, values: Floats, q: Floats, averaging: float) -> tuple[float, float]:
    """(residual, certified error) from values = T v."""
    gamma, rounding = _gamma(model), Rounding.of(model)
    v_max, q_max = float(np.abs(v).max()), float(np.abs(q).max())
    residual = float(np.abs(values - v).max())
    # the product with gamma rounds once more than `backup` counts
    error = rounding.backup(v_max, q_max) + U * rounding.row_sum * v_max + U * residual + averaging * q_max
    rate = gamma * rounding.row_sum * (1 + averaging) * (1 + 4 * U)
    bound = (residual + error) / (1 - rate) * (1 + 16 * U) if rate < 1 else float("inf")
    return residual, bound


def policy_iteration(model: TabularMDP) -> Plan:
    """Optimal values of a discounted model, dense or CSR."""
    pi = greedy(model.r, 0.0)
    for step in range(1, MOST_STEPS + 1):
        v = _values(model, pi)
        q = _q(model, v)
        kept = np.take_along_axis(q, pi[:, None], axis=1)[:, 0]
        better = q.max(axis=1) > kept + tie_tolerance(v)
        if not better.any():
            residual, error = _certify(model, v, q.max(axis=1), q, 0.0)
            return Plan(v, q, greedy(q, tie_tolerance(v)), None, None, residual, error, step, "policy-iteration")
        pi = np.where(better, np.argmax(q, axis=1), pi)
    raise InputError(f"policy iteration did not settle in {MOST_STEPS} steps; use a smaller gamma")


def evaluate_policy(model: TabularMDP, pi: NDArray[Any]) -> Plan:
    """Values of a policy: pi int (S,), or float (S,A) with rows summing to 1."""
    v = _values(model, pi)
    q = _q(model, v)
    if pi.ndim == 1:
        values, averaging = np.take_along_axis(q, pi[:, None], axis=1)[:, 0], 0.0
    else:
        values = (pi * q).sum(axis=1)
        averaging = float(np.abs(pi.sum(axis=1) - 1).max()) + 2 * dot_bound(model.A)
    residual, error = _certify(model, v, values, q, averaging)
    return Plan(v, q, pi.copy(), None, None, residual, error, 1, "linear solve")
