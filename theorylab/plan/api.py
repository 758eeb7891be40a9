"""The planner's public functions: `plan`, `evaluate`, `gain_bias`, `gaps`, `bias_span`, `diameter`, `hitting_times`.

`plan` picks the planner by criterion: backward induction (FiniteHorizon), relative value iteration with policy
iteration (AverageReward), policy iteration (Discounted). Shapes and units are those of `Plan`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorylab.errors import InputError
from theorylab.model import SUM_TOLERANCE, AverageReward, Bandit, Discounted, FiniteHorizon, TabularMDP
from theorylab.plan import average_reward, backward_induction, discounted, hitting
from theorylab.plan.record import Plan

__all__ = ["bias_span", "diameter", "evaluate", "gain_bias", "gaps", "hitting_times", "plan"]

Floats = NDArray[np.float64]

METHODS = {
    "episodic": ("backward-induction",),
    "average": ("relative-value-iteration", "policy-iteration"),
    "discounted": ("policy-iteration",),
}


def _tabular(model: Any) -> TabularMDP:
    if not isinstance(model, TabularMDP):
        raise InputError(f"cannot plan on a {type(model).__name__}; give a TabularMDP (for a bandit, see its .gaps)")
    if model.setting not in METHODS:
        raise InputError(
            f"no planner for {model.criterion}; supported: FiniteHorizon(H), AverageReward(), Discounted(gamma). "
            "For expected hitting times use hitting_times(model)"
        )
    return model


def _stationary(model: TabularMDP) -> TabularMDP:
    """The model with average reward, whatever its criterion."""
    if model.stage_dependent:
        raise InputError(f"needs stationary transitions; P has shape {model.P.shape}: give P of shape (S, A, S)")
    return model if isinstance(model.criterion, AverageReward) else replace(model, criterion=AverageReward())


def plan(model: TabularMDP, *, method: str = "auto", tol: float = 1e-10, xp: Any = None) -> Plan:
    """Optimal values and a policy, with a certified error.

    Args:
        model: FiniteHorizon (dense, stage-dependent or CSR), AverageReward (weakly communicating) or Discounted.
        method: "auto", or "backward-induction" (finite horizon), "relative-value-iteration" or "policy-iteration"
            (average reward), "policy-iteration" (discounted).
        tol: span of T v - v at which "relative-value-iteration" stops, in units of reward per step. The other methods
            are exact up to rounding and do not use it; read `certified_error`.
        xp: array namespace (NumPy, CuPy, array-api-strict) for dense backward induction; None is NumPy. Results are
            NumPy arrays.

    Raises:
        InputError: a method or criterion without a planner, a `tol` that is not positive, `xp` where it cannot be
            used, or an average-reward model whose optimal gain need not be one number (the states are named).
    """
    model = _tabular(model)
    known = ("auto", *METHODS[model.setting])
    if method not in known:
        raise InputError(f"unknown method '{method}' for {model.criterion}; known: {', '.join(known)}")
    if not tol > 0:
        raise InputError(f"tol is {tol}; give a positive tolerance")
    if xp is not None and xp is not np and (model.sparse or not isinstance(model.criterion, FiniteHorizon)):
        raise InputError("xp other than NumPy is used by dense backward induction only; leave xp=None")
    if isinstance(model.criterion, FiniteHorizon):
        return backward_induction.backward_induction(model, xp)
    if isinstance(model.criterion, Discounted):
        return discounted.policy_iteration(model)
    return average_reward.average_reward(model, method, tol)


def _policy(model: TabularMDP, pi: ArrayLike) -> NDArray[Any]:
    """`pi` validated, with a stage axis if the horizon is finite: int (H,S) / (S,), or float (H,S,A) / (S,A)."""
    S, A = model.S, model.A
    try:
        array = np.array(pi)
    except ValueError as error:
        raise InputError(f"pi is not a rectangular array ({error})") from None
    deterministic = array.dtype.kind in "iu"
    if not deterministic and array.dtype.kind != "f":
        raise InputError(f"pi has dtype {array.dtype}; give integers (actions) or floats (probabilities)")
    shapes = [(S,)] if deterministic else [(S, A)]
    if isinstance(model.criterion, FiniteHorizon):
        shapes += [(model.H, *shapes[0])]
    if array.shape not in shapes:
        kind = "actions (integers)" if deterministic else "probabilities (floats)"
        raise InputError(f"pi of {kind} has shape {array.shape}; expected {' or '.join(map(str, shapes))}")
    bad = (array < 0) | (array >= A) if deterministic else ~(np.isfinite(array) & (array >= 0))
    if bad.any():
        i = tuple(int(k) for k in np.unravel_index(int(np.argmax(bad)), bad.shape))
        what = f"actions are 0..{A - 1}" if deterministic else "probabilities must be finite and >= 0"
        raise InputError(f"pi[{','.join(map(str, i))}] is {array[i].item()}; {what}: fix that entry")
    if not deterministic:
        sums = array.sum(axis=-1)
        off = np.abs(sums - 1) > SUM_TOLERANCE
        if off.any():
            i = tuple(int(k) for k in np.unravel_index(int(np.argmax(off)), off.shape))
            raise InputError(
                f"pi[{','.join(map(str, i))},:] sums to {sums[i].item()!r}; rows must sum to 1 within "
                f"{SUM_TOLERANCE:g}: fix that row"
            )
    array = array.astype(np.int64 if deterministic else np.float64)
    if isinstance(model.criterion, FiniteHorizon) and array.shape == shapes[0]:
        array = np.repeat(array[None], model.H, axis=0)
    return array


def evaluate(model: TabularMDP, pi: ArrayLike) -> Plan:
    """Values of a policy, with a certified error.

    Args:
        model: as for `plan`; with average reward the policy needs one recurrent class, the model nothing.
        pi: integers (S,) or, for a finite horizon, (H,S); or floats (S,A) or (H,S,A), probabilities of actions.

    Raises:
        InputError: a policy of a wrong shape or with a wrong entry (named), or one with several recurrent classes
            (named).
    """
    model = _tabular(model)
    policy = _policy(model, pi)
    if isinstance(model.criterion, FiniteHorizon):
        return backward_induction.evaluate_policy(model, policy)
    if isinstance(model.criterion, Discounted):
        return discounted.evaluate_policy(model, policy)
    return average_reward.evaluate_policy(model, policy)


def gain_bias(model: TabularMDP, pi: ArrayLike) -> tuple[float, Floats]:
    """Gain (reward per step) and bias (S,), minimum 0, of a stationary policy, whatever the model's criterion."""
    result = evaluate(_stationary(model), pi)
    assert result.gain is not None and result.bias is not None
    return result.gain, result.bias


def bias_span(model: TabularMDP) -> float:
    """max - min of the optimal bias, in units of reward, whatever the model's criterion."""
    result = plan(_stationary(model))
    assert result.bias is not None
    return float(np.ptp(result.bias))


def hitting_times(model: TabularMDP) -> Floats:
    """Minimal expected hitting times T[s,g] in steps, float64 (S,S); see `hitting`."""
    return hitting.hitting_times(model)


def diameter(model: TabularMDP) -> float:
    """max over ordered pairs of states of the minimal expected hitting time, in steps, whatever the criterion.

    Raises:
        InputError: a stage-dependent model, or one that is not communicating (names a pair of states).
    """
    return float(hitting_times(model).max())


def gaps(model: TabularMDP | Bandit) -> Floats:
    """Sub-optimality gaps, >= 0, in units of reward.

    Finite horizon: V_star[h,s] - Q_star[h,s,a], (H,S,A). Average reward: gain + bias[s] - Q[s,a], (S,A), taken as
    max_a Q[s,a] - Q[s,a], which is the same up to `Plan.residual`. Discounted: (S,A). Bandit: best mean - mean, (A,).
    """
    if isinstance(model, Bandit):
        return model.gaps
    q = plan(model).Q
    out: Floats = q.max(axis=-1, keepdims=True) - q
    return out
