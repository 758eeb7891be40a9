"""The planner's public functions: `plan`, `evaluate`, `gain_bias`, `gaps`, `bias_span`, `diameter`, `hitting_times`.

`plan` picks the planner by criterion: backward induction (FiniteHorizon), value, policy and modified policy iteration
(Discounted, AverageReward, ShortestPath), or a linear program as an oracle. Shapes and units are those of `Plan`.
Every function takes a `TabularMDP`, or a record with an exact tabular embedding (`LinearMDP`, `LinearMixtureMDP`).
"""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorylab.errors import InputError, nearest
from theorylab.model import Bandit, Discounted, FiniteHorizon, ShortestPath
from theorylab.plan import average_reward, backward_induction, discounted, hitting, mixing, multichain, shortest_path
from theorylab.plan.inputs import as_stationary, as_tabular, checked_policy
from theorylab.plan.record import Certified, Plan
from theorylab.plan.suboptimality import certified_gaps

__all__ = [
    "METHODS",
    "bias_span",
    "diameter",
    "evaluate",
    "gain_bias",
    "gaps",
    "hitting_times",
    "mixing_time",
    "plan",
    "plan_multichain",
    "stationary_distribution",
]

Floats = NDArray[np.float64]

LINEAR_PROGRAM = "linear-programming"
#: setting -> methods of `plan` besides "auto"
METHODS: dict[str, tuple[str, ...]] = {
    "episodic": ("backward-induction", LINEAR_PROGRAM),
    "average": ("relative-value-iteration", "policy-iteration", LINEAR_PROGRAM),
    "discounted": (*discounted.METHODS, LINEAR_PROGRAM),
    "ssp": (*shortest_path.METHODS, LINEAR_PROGRAM),
}
#: methods that run on the arrays of another namespace
PORTABLE = ("auto", "backward-induction", "relative-value-iteration", "value-iteration", "modified-policy-iteration")


def plan(model: Any, *, method: str = "auto", tol: float = 1e-10, xp: Any = None) -> Plan:
    """Optimal values and a policy, with a certified error.

    Args:
        model: any criterion; AverageReward needs a weakly communicating model (else see `plan_multichain`),
            ShortestPath a goal that can be reached from every state, and a loss on every cycle that avoids it.
        method: "auto", "linear-programming" (an oracle through HiGHS, its policy then solved exactly), or
            FiniteHorizon: "backward-induction";
            AverageReward: "relative-value-iteration", "policy-iteration";
            Discounted: "value-iteration", "modified-policy-iteration", "policy-iteration", "inexact-policy-iteration";
            ShortestPath: "value-iteration", "policy-iteration".
        tol: where iterative methods stop, in units of reward: see the planner's module. Direct methods are exact up
            to rounding and do not use it. What was reached is `certified_error`, never `tol`.
        xp: array namespace (NumPy, CuPy, array-api-strict) for backward induction and the value iterations; None is
            NumPy. Results are NumPy arrays.

    Raises:
        InputError: a method that the criterion does not have, a `tol` that is not positive, `xp` where it cannot be
            used, an average-reward model whose optimal gain need not be one number, a shortest-path model with an
            unreachable goal or a cycle without loss, a linear program that fails. States are named.
    """
    model = as_tabular(model)
    known = ("auto", *METHODS[model.setting])
    if method not in known:
        raise InputError(f"unknown method '{method}' for {model.criterion}{nearest(method, known)}")
    if not 0 < tol < float("inf"):
        raise InputError(f"tol is {tol}; give a positive finite tolerance")
    if xp is not None and not hasattr(xp, "asarray"):
        raise InputError(f"xp is {xp!r}; give an array namespace (numpy, cupy, array_api_strict), or None")
    if xp is not None and xp is not np and (method not in PORTABLE or isinstance(model.criterion, ShortestPath)):
        raise InputError(f"xp other than NumPy is not used by '{method}' for {model.criterion}; leave xp=None")
    if method == LINEAR_PROGRAM:
        from theorylab.plan import linear_program  # scipy.optimize is slow to import

        return linear_program.solve(model)
    if isinstance(model.criterion, FiniteHorizon):
        return backward_induction.backward_induction(model, xp)
    if isinstance(model.criterion, Discounted):
        return discounted.solve(model, method, tol, xp)
    if isinstance(model.criterion, ShortestPath):
        return shortest_path.solve(model, method, tol)
    return average_reward.average_reward(model, method, tol, xp)


def evaluate(model: Any, pi: ArrayLike) -> Plan:
    """Values of a policy, with a certified error.

    Args:
        model: as for `plan`; with average reward the policy needs one recurrent class, the model nothing; with a
            shortest path the policy must reach the goal from every state.
        pi: integers (S,) or, for a finite horizon, (H,S); or floats (S,A) or (H,S,A), probabilities of actions.

    Raises:
        InputError: a policy of a wrong shape or with a wrong entry (named), one with several recurrent classes
            (named), or one that does not reach the goal (from the state named).
    """
    model = as_tabular(model)
    policy = checked_policy(model, pi)
    if isinstance(model.criterion, FiniteHorizon):
        return backward_induction.evaluate_policy(model, policy)
    if isinstance(model.criterion, Discounted):
        return discounted.evaluate_policy(model, policy)
    if isinstance(model.criterion, ShortestPath):
        return shortest_path.evaluate_policy(model, policy)
    return average_reward.evaluate_policy(model, policy)


def gain_bias(model: Any, pi: ArrayLike) -> tuple[float, Floats]:
    """Gain (reward per step) and bias (S,), minimum 0, of a stationary policy, whatever the model's criterion."""
    result = evaluate(as_stationary(model), pi)
    assert result.gain is not None and result.bias is not None
    return result.gain, result.bias


@overload
def bias_span(model: Any) -> float: ...
@overload
def bias_span(model: Any, *, certified: Literal[False]) -> float: ...
@overload
def bias_span(model: Any, *, certified: Literal[True]) -> Certified: ...
def bias_span(model: Any, *, certified: bool = False) -> float | Certified:
    """max - min of the optimal bias, in units of reward, whatever the model's criterion.

    With `certified`, a `Certified` number: its error is that of the bias, infinite where the optimal bias is not
    proved to be unique.
    """
    result = plan(as_stationary(model))
    assert result.bias is not None and result.bias_error is not None
    span = float(np.ptp(result.bias))
    # bias and exact bias both have minimum 0, so the span is the maximum, which is off by no more than any entry
    return Certified(span, result.bias_error) if certified else span


@overload
def hitting_times(model: Any) -> Floats: ...
@overload
def hitting_times(model: Any, *, certified: Literal[False]) -> Floats: ...
@overload
def hitting_times(model: Any, *, certified: Literal[True]) -> Certified: ...
def hitting_times(model: Any, *, certified: bool = False) -> Floats | Certified:
    """Minimal expected hitting times T[s,g] in steps, float64 (S,S) with zero diagonal; see `hitting`.

    The largest of a column, `hitting_times(model)[:, g].max()`, is the shortest-path diameter of the goal g.
    """
    out = hitting.certified_hitting_times(as_tabular(model))
    return out if certified else out.value


@overload
def diameter(model: Any) -> float: ...
@overload
def diameter(model: Any, *, certified: Literal[False]) -> float: ...
@overload
def diameter(model: Any, *, certified: Literal[True]) -> Certified: ...
def diameter(model: Any, *, certified: bool = False) -> float | Certified:
    """max over ordered pairs of states of the minimal expected hitting time, in steps, whatever the criterion.

    Raises:
        InputError: a stage-dependent model, or one that is not communicating (names a pair of states).
    """
    out = hitting.certified_diameter(as_tabular(model))
    return out if certified else float(out.value)


@overload
def gaps(model: Any) -> Floats: ...
@overload
def gaps(model: Any, *, certified: Literal[False]) -> Floats: ...
@overload
def gaps(model: Any, *, certified: Literal[True]) -> Certified: ...
def gaps(model: Any, *, certified: bool = False) -> Floats | Certified:
    """Sub-optimality gaps, >= 0, in units of reward.

    Finite horizon: V_star[h,s] - Q_star[h,s,a], (H,S,A). Average reward: gain + bias[s] - Q[s,a], (S,A), taken as
    max_a Q[s,a] - Q[s,a], which is the same up to `Plan.residual`. Discounted, shortest path: (S,A). Bandit: best
    mean - mean, (A,).
    """
    if hasattr(model, "bandit"):
        model = model.bandit()
    elif not isinstance(model, Bandit):
        model = as_tabular(model)
    out = certified_gaps(model)
    return out if certified else out.value


def plan_multichain(model: Any) -> multichain.MultichainPlan:
    """Optimal gain from each state, whatever the recurrent classes and the criterion; see `multichain`."""
    return multichain.plan_multichain(as_stationary(model))


@overload
def mixing_time(model: Any, pi: ArrayLike | None = None, *, epsilon: float = 0.25) -> int: ...
@overload
def mixing_time(
    model: Any, pi: ArrayLike | None = None, *, epsilon: float = 0.25, certified: Literal[False]
) -> int: ...
@overload
def mixing_time(
    model: Any, pi: ArrayLike | None = None, *, epsilon: float = 0.25, certified: Literal[True]
) -> Certified: ...
def mixing_time(
    model: Any, pi: ArrayLike | None = None, *, epsilon: float = 0.25, certified: bool = False
) -> int | Certified:
    """Steps after which the law from every state is within `epsilon` of the stationary law, in total variation.

    Args:
        model: stationary, of any criterion.
        pi: a policy, (S,) or (S,A); None is the policy of largest average reward.
        epsilon: in (0, 1).
        certified: give a `Certified` number, whose error is positive where rounding leaves the time open.

    Raises:
        InputError: a periodic policy (names the period) or one with several recurrent classes (named), an `epsilon`
            out of range; a time that rounding leaves open, unless `certified`.
    """
    model = as_stationary(model)
    out = mixing.mixing_time(model, None if pi is None else checked_policy(model, pi), epsilon)
    if certified:
        return out
    if out.error > 0:
        raise InputError(
            f"the mixing time lies between {out.low:g} and {out.high:g}: rounding hides when the distance passes "
            f"epsilon={epsilon}; choose another epsilon, or certified=True for the bracket"
        )
    return int(out.value)


@overload
def stationary_distribution(model: Any, pi: ArrayLike) -> Floats: ...
@overload
def stationary_distribution(model: Any, pi: ArrayLike, *, certified: Literal[False]) -> Floats: ...
@overload
def stationary_distribution(model: Any, pi: ArrayLike, *, certified: Literal[True]) -> Certified: ...
def stationary_distribution(model: Any, pi: ArrayLike, *, certified: bool = False) -> Floats | Certified:
    """Stationary law (S,) of a policy with one recurrent class, periodic or not; the error is in total variation.

    Raises:
        InputError: a policy of a wrong shape or entry, or with several recurrent classes (named).
    """
    model = as_stationary(model)
    out = mixing.stationary_distribution(model, checked_policy(model, pi))
    return out if certified else out.value
