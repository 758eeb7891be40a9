"""Discounted models: V[s] = max_a q[s,a], q[s,a] = r[s,a] + gamma sum_s2 P[s,a,s2] V[s2].

Shapes: V (S,), Q (S,A), pi (S,); P dense or CSR. Whatever the method, the certified error is computed from the returned
V alone (`discounted_bounds`): V may come from any iteration. Methods:

    value-iteration             centred value iteration, stopped by the span         any array namespace
    modified-policy-iteration   backups with sweeps of their policy in between       any array namespace
    policy-iteration            Howard's, with dense or sparse LU                    NumPy
    inexact-policy-iteration    BiCGStab, with Gauss-Seidel sweeps on large CSR      NumPy
    auto                        modified; where chains turn out to mix slowly, policy iteration up to LU_STATES states
                                (or P dense) and inexact policy iteration beyond

A CSR model of more than `backups.FUSED_TERMS` entries is planned with compiled loops, on all cores; so is a smaller one
of more than LU_STATES states on which inexact policy iteration runs.

Source: Puterman (1994), chapter 6 [recalled].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import eye_array
from scipy.sparse.linalg import splu

from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan.backups import Arrays, Fused, backups
from theorylab.plan.certify import dot_bound, greedy, tie_tolerance
from theorylab.plan.chains import policy_chain
from theorylab.plan.discounted_bounds import Bound, Monitor
from theorylab.plan.discounted_sweeps import evaluate, inexact, modified, value_iteration
from theorylab.plan.inputs import to_numpy
from theorylab.plan.record import Plan

__all__ = ["METHODS", "evaluate_policy", "solve"]

Floats = NDArray[np.float64]

METHODS = ("value-iteration", "modified-policy-iteration", "policy-iteration", "inexact-policy-iteration")
ARRAY_METHODS = METHODS[:2]

LU_STATES = 5_000  # states up to which LU is preferred: its fill grows fast on models without structure
TINY = 64  # states up to which policy iteration is quicker than anything
MOST_STEPS = 1_000


def _linear(chain: Any, reward: Floats, gamma: float) -> Floats:
    """(I - gamma C)^-1 reward by LU, with one step of refinement."""
    S = reward.size
    if isinstance(chain, np.ndarray):
        matrix = np.eye(S) - gamma * chain
        lu = lu_factor(matrix, check_finite=False)
        apply: Callable[[Floats], Any] = lambda b: lu_solve(lu, b, check_finite=False)  # noqa: E731
    else:
        matrix = (eye_array(S, format="csr") - gamma * chain).tocsc()
        apply = splu(matrix).solve
    v: Floats = apply(reward)
    v += apply(reward - matrix @ v)
    return v


def _howard(model: TabularMDP, op: Arrays | Fused, monitor: Monitor, start: Floats | None) -> None:
    """Howard's policy iteration, from the greedy policy of `start` (of r, if None)."""
    gamma = monitor.bound.gamma
    pi = greedy(model.r if start is None else to_numpy(op.q(start)), 0.0)
    for _ in range(MOST_STEPS):
        v = _linear(*policy_chain(model, pi), gamma)
        q = op.q(v)
        best = q.max(axis=1)
        monitor.steps += 1
        drift = best - v
        if monitor.stop(np, v, float(drift.min()), float(drift.max()), q):
            return
        kept = np.take_along_axis(q, pi[:, None], axis=1)[:, 0]
        better = best > kept + tie_tolerance(v)
        if not better.any():
            monitor.v, monitor.q = v, q
            return
        pi = np.where(better, np.argmax(q, axis=1), pi)


def _first(op: Arrays | Fused, bound: Bound) -> Any:
    """The centred backup of V = 0, which needs no product with P."""
    xp = op.xp
    best = xp.max(op.r, axis=1)
    best += op.gamma * bound.shift(float(xp.min(best)), float(xp.max(best)))
    return best


def solve(model: TabularMDP, method: str = "auto", tol: float = 1e-10, xp: Any = None) -> Plan:
    """Optimal values of a discounted model.

    Args:
        model: criterion Discounted(gamma); dense (S,A,S) or CSR.
        method: "auto" or one of METHODS; see the module docstring.
        tol: stop when certified_error <= tol max(1, max |V|), or when rounding allows no more; the certified error
            says which. "policy-iteration" goes on to a policy that no action improves unless that comes first.
        xp: array namespace of the iteration; None is NumPy. CSR models take NumPy or CuPy. Results are NumPy arrays.

    `Plan.iterations` counts backups over all actions (linear solves for "policy-iteration"); sweeps of evaluations
    are not counted. `Plan.method` names what ran.

    Raises:
        InputError: an unknown method, or one that does not run on `xp`.
    """
    if method not in ("auto", *METHODS):
        raise InputError(f"unknown method '{method}' for {model.criterion}; known: auto, {', '.join(METHODS)}")
    numpy = xp is None or xp is np
    if not numpy and method not in ("auto", *ARRAY_METHODS):
        raise InputError(f"'{method}' runs on NumPy only; with xp use {' or '.join(ARRAY_METHODS)}")
    bound = Bound(model)
    monitor = Monitor(bound, tol)
    op = backups(model, bound.gamma, xp, fused=True if method == "inexact-policy-iteration" and _large(model) else None)
    if method == "auto":
        method = _automatic(model, op, monitor, numpy)
    elif method == "policy-iteration":
        _howard(model, op, monitor, None)
    elif method == "inexact-policy-iteration":
        inexact(op, monitor, _first(op, bound))
    elif method == "value-iteration":
        value_iteration(op, monitor, _first(op, bound))
    else:
        modified(op, monitor, _first(op, bound))
    q = to_numpy(op.q(monitor.v) if monitor.q is None else monitor.q)
    v = to_numpy(monitor.v)
    drift = q.max(axis=1)
    drift -= v
    return _plan(bound, v, q, drift, greedy(q, tie_tolerance(v)), 0.0, monitor.steps, method)


def _automatic(model: TabularMDP, op: Arrays | Fused, monitor: Monitor, numpy: bool) -> str:
    """Plan; returns the name of the method that ran last."""
    if numpy and model.S <= TINY:
        _howard(model, op, monitor, None)
        return "policy-iteration"
    start = modified(op, monitor, _first(op, monitor.bound), leave_if_slow=numpy)
    if start is None:
        return "modified-policy-iteration"
    if not _large(model):
        _howard(model, op, monitor, start)
        return "policy-iteration"
    inexact(backups(model, op.gamma, fused=True), monitor, start)
    return "inexact-policy-iteration"


def _large(model: TabularMDP) -> bool:
    """Whether Gauss-Seidel loops take the place of LU."""
    return model.sparse and model.S > LU_STATES


def _plan(
    bound: Bound, v: Floats, q: Floats, drift: Floats, pi: NDArray[Any], averaging: float, steps: int, method: str
) -> Plan:
    residual = float(max(drift.max(), -drift.min()))
    error = bound(residual, float(max(v.max(), -v.min())), averaging)
    return Plan(v, q, pi, None, None, residual, error, steps, method)


def evaluate_policy(model: TabularMDP, pi: NDArray[Any]) -> Plan:
    """Values of a policy: pi int (S,), or float (S,A) with rows summing to 1; as exactly as rounding allows.

    LU up to LU_STATES states, beyond that iterations on the policy's chain. `Plan.iterations` counts restarts of the
    latter.
    """
    bound = Bound(model)
    chain, reward = policy_chain(model, pi)
    method, steps = "linear solve", 1
    if model.S <= LU_STATES:
        v = _linear(chain, reward, bound.gamma)
    else:
        method, monitor = "iterative evaluation", Monitor(bound, 0.0)
        column = np.ascontiguousarray(reward[:, None])
        if isinstance(chain, np.ndarray):
            op: Arrays | Fused = Arrays(chain, column, bound.gamma)
        else:
            chain.sort_indices()
            op = Fused(chain.indptr, chain.indices, chain.data, column, bound.gamma)
        evaluate(op, monitor, _first(op, bound))
        v, steps = monitor.v, monitor.steps
    q = backups(model, bound.gamma).q(v)
    if pi.ndim == 1:
        drift, averaging = np.take_along_axis(q, pi[:, None], axis=1)[:, 0] - v, 0.0
    else:
        drift = (pi * q).sum(axis=1) - v
        # a row of pi may be off 1 within the tolerance of the check; the average is taken with the entries as given
        averaging = float(np.abs(pi.sum(axis=1) - 1).max()) + 2 * dot_bound(model.A)
    return _plan(bound, v, q, drift, pi.copy(), averaging, steps, method)
