"""Lower bounds on the expected time to collect a sample, for an agent that knows p; and the worst-case sum of D_s b(s).

    lp_bound         min sum x over x(s,a) >= b(s,a), sum_a x(s,a) >= b(s), mu >= 0,
                     sum_a x(s,a) + mu(s) = mu0(s) + sum_{s',a'} p(s | s',a') x(s',a')
    hitting_bound    max over states s with a requirement of D(s_1 -> s) + 1
    lower_bound      the larger of the two

x is the expected number of visits and mu the law of the state after the last step: every rule that completes the sample
in finite expected time is feasible, so that E[T] is at least the program's value [derived; the episodic twin: source,
Al-Marjani, Tirinzoni and Kaufmann, 2023]. For few samples the program is loose: a circulation that is not connected to
s_1 pays nothing for the way there. D(s_1 -> s), the minimal expected hitting time from the start, pays for one such way
[derived]. With a random start all are expectations over mu0.

Certified, rounding included. Weak duality: for every u >= 0 with c(s,a) = 1 + u(s) - sum p u >= 0 the value is at least

    - mu0 u + sum_{s,a} b(s,a) c(s,a) + sum_s max(0, b(s) - sum_a b(s,a)) min_a c(s,a).

HiGHS is trusted for u alone: u is shifted to minimum 0 and scaled until all c >= 0, and the value is rounded down. The
exact model is P and mu0 with each row divided by its sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, eye_array, hstack

from mdps.collection.requirements import Requirement, requirement
from theorylab.assume import reachability
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan.certify import Rounding, U, dot_bound
from theorylab.plan.hitting import CHECK, SWEEPS, _Times, certified_hitting_times
from theorylab.plan.inputs import as_stationary
from theorylab.plan.structure import distances, pattern

__all__ = [
    "HittingBound",
    "LPBound",
    "LowerBound",
    "check_budget",
    "hitting_bound",
    "lower_bound",
    "lp_bound",
    "sum_of_diameters",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Asked = ArrayLike | Requirement

FEW = 16  # goals whose hitting times are computed without looking for the farthest first
BLOCK = 32  # goals bracketed together
CLEAR = 1 + 1e-9  # a goal is dropped when another one is farther by more than rounding


@dataclass(frozen=True, eq=False)
class LPBound:
    """The linear program's bound, in steps.

    Attributes:
        value: the optimum as HiGHS found it, to its tolerance of about 1e-7, relative to the largest requirement.
        certified_lower: a proved lower bound on the expected completion time of every rule; at most the exact optimum.
        x: float64 (S,A), expected visits of an optimal solution; last: (S,), the law of the state after the last step.
    """

    value: float
    certified_lower: float
    x: Floats
    last: Floats


@dataclass(frozen=True)
class HittingBound:
    """value: max over required s of D(s_1 -> s) + 1, in steps; state: the s; certified_lower: value, rounded down.

    0 and None where nothing is asked for.
    """

    value: float
    certified_lower: float
    state: int | None


@dataclass(frozen=True, eq=False)
class LowerBound:
    """value: the larger of the certified bounds, in steps; binding: "linear program" or "hitting time"; and both."""

    value: float
    binding: str
    lp: LPBound
    hitting: HittingBound


def lp_bound(model: Any, b: Asked) -> LPBound:
    """The oracle's linear program (module docstring).

    Args:
        model: stationary transitions, dense or CSR, any criterion; the graph and mu0 are used.
        b: (S,A), or a `Requirement` (for visits of states with any action).

    Sparse: a grid of 2,000 states and 4 actions takes under a second.

    Raises:
        InputError: a requirement that `requirement` refuses; a program that HiGHS gives up (with its words).
    """
    model, asked = as_stationary(model), requirement(model, b)
    S, A = model.S, model.A
    scale = float(asked.by_state.max())
    if scale == 0.0:
        return LPBound(0.0, 0.0, np.zeros((S, A)), model.mu0.copy())
    x, last, u = _solve(model, asked, scale)
    return LPBound(float(x.sum()), _dual_value(model, asked, u), x, last)


def _solve(model: TabularMDP, asked: Requirement, scale: float) -> tuple[Floats, Floats, Floats]:
    """x, mu and potentials u, by dual simplex; counts are divided by `scale`, as HiGHS's tolerances are absolute."""
    from scipy.optimize import linprog

    S, A = model.S, model.A
    leave = csr_array((np.ones(S * A), (np.repeat(np.arange(S), A), np.arange(S * A))), shape=(S, S * A))
    flat = pattern(model)
    even = flat / np.asarray(flat.sum(axis=1)).reshape(-1, 1)
    balance = hstack([leave - csr_array(even).T, eye_array(S)], format="csc")
    some = asked.states > 0
    more: dict[str, Any] = {}
    if some.any():
        visits = hstack([-leave[some], csr_array((int(some.sum()), S))], format="csc")
        more = {"A_ub": visits, "b_ub": -asked.states[some] / scale}
    low = np.concatenate([asked.pairs.ravel() / scale, np.zeros(S)])
    found = linprog(
        np.concatenate([np.ones(S * A), np.zeros(S)]),
        A_eq=balance,
        b_eq=model.mu0 / model.mu0.sum() / scale,
        bounds=np.column_stack([low, np.full(low.size, np.inf)]),
        method="highs-ds",
        **more,
    )
    if found.status != 0 or found.x is None:
        raise InputError(f"linear program of the bound: HiGHS says '{found.message}'; check P for near-zero entries")
    x: Floats = found.x * scale
    return x[: S * A].reshape(S, A), x[S * A :], -found.eqlin.marginals


def _dual_value(model: TabularMDP, asked: Requirement, u: Floats) -> float:
    """The dual value of potentials u (S,), made feasible, rounded down."""
    u = u - u.min()
    rounding, top = Rounding.of(model), float(u.max())
    error = (rounding.backup(top, top) + (rounding.defect + 4 * U) * top) * (1 + 8 * U)
    down = u[:, None] - np.asarray(model.flat @ u).reshape(model.S, model.A) - error  # at most u - P u
    # 1 + t down >= 0 for the factor t <= 1, and the rounding of 1 + t down is at most U max(1, top)
    t = min(1.0, (1 - 8 * U) / max(1.0, -float(down.min())))
    c = np.maximum(1.0 + t * down - 4 * U * (1.0 + top), 0.0)
    gap = np.maximum(asked.states - asked.pairs.sum(axis=1), 0)
    gain = float((asked.pairs * c).sum() + (gap * c.min(axis=1)).sum())
    start = t * float(model.mu0 @ u)
    off = dot_bound(model.S * (model.A + 1) + 8)
    return max(0.0, gain - start - off * (gain + start) - 2 * abs(float(model.mu0.sum()) - 1) * start)


def hitting_bound(model: Any, b: Asked) -> HittingBound:
    """The farthest state with a requirement (module docstring); the first one among equals.

    Cost: a bracket of the hitting times of every required state, in blocks; states that are not the farthest are
    dropped as soon as their bracket says so, and the rest are solved to rounding. About 13 CPU seconds on a grid of
    2,000 states and 4 actions with all states required.

    Raises:
        InputError: a requirement that `requirement` refuses; a state that cannot reach a required one.
    """
    model, asked = as_stationary(model), requirement(model, b)
    goals = np.flatnonzero(asked.by_state)
    if not goals.size:
        return HittingBound(0.0, 0.0, None)
    if goals.size > FEW:
        goals = _farthest(model, goals)
    start = model.mu0 / model.mu0.sum()
    times = certified_hitting_times(model, goals)
    means = start @ times.value
    k = int(np.argmax(means))
    low = float(means[k]) * (1 - dot_bound(model.S + 4)) - times.error
    return HittingBound(float(means[k]) + 1.0, max(0.0, (low + 1.0) * (1 - 4 * U)), int(goals[k]))


def _farthest(model: TabularMDP, goals: Ints) -> Ints:
    """The goals that may be the farthest from the start; in blocks, the farthest by arcs first."""
    arcs = distances(reachability(model).T, np.flatnonzero(model.mu0))
    order = goals[np.argsort(-arcs[goals], kind="stable")]
    low, high = np.zeros(model.S), np.full(model.S, -np.inf)
    first = certified_hitting_times(model, order[:1])  # a good guess, so that the others are dropped early
    low[order[0]] = float(model.mu0 @ first.value[:, 0]) - first.error
    for i in range(0, order.size, BLOCK):
        block = order[i : i + BLOCK]
        times, left = _Times(model, block), np.arange(block.size)
        for _ in range(SWEEPS // CHECK):
            times.sweep(left)
            mean = model.mu0 @ times.v
            low[block] = np.maximum(low[block], mean * times.low)
            finite = np.isfinite(times.high)
            high[block] = np.where(finite, mean * np.where(finite, times.high, 0.0), np.inf)
            left = left[(high[block[left]] > low.max() * CLEAR) & ~times.settled(left)]
            if not left.size:
                break
    near: Ints = goals[high[goals] * CLEAR >= low.max()]
    return near


def lower_bound(model: Any, b: Asked) -> LowerBound:
    """The larger of `lp_bound` and `hitting_bound`, certified, and which of them binds (the program where they tie).

    Raises InputError as they do.
    """
    lp, hitting = lp_bound(model, b), hitting_bound(model, b)
    if hitting.certified_lower > lp.certified_lower:
        return LowerBound(hitting.certified_lower, "hitting time", lp, hitting)
    return LowerBound(lp.certified_lower, "linear program", lp, hitting)


def sum_of_diameters(model: Any, b: Asked) -> float:
    """sum_s D_s b(s), in steps: D_s = max_s' D(s' -> s), b(s) the visits of s asked for.

    The order of the worst case over models with these D_s: on a star that asks for its leaves no algorithm is faster
    (lower bound T2) [recalled; the star derived]; on a given model with a flat b it is far from any need. A trip for
    each sample shows that the optimum with p known is at most this sum plus sum_s b(s) [derived]. Needs the hitting
    times of all required states: a minute at S = 2,000.

    Raises InputError as `hitting_bound` does.
    """
    model, asked = as_stationary(model), requirement(model, b)
    visits = asked.by_state
    goals = np.flatnonzero(visits)
    if not goals.size:
        return 0.0
    return float(certified_hitting_times(model, goals).value.max(axis=0) @ visits[goals])


def check_budget(model: Any, b: Asked, budget: int) -> None:
    """Refuse a budget of steps that no algorithm can do with.

    Raises:
        InputError: a budget that is no whole number >= 0, below the number of samples, or below the hitting-time bound
            (both numbers are given); or a requirement that `requirement` refuses.
    """
    if isinstance(budget, bool) or not isinstance(budget, (int, np.integer)) or budget < 0:
        raise InputError(f"budget is {budget!r}; give a whole number of steps >= 0")
    asked = requirement(model, b)
    if budget < asked.total:
        raise InputError(f"budget={budget} is below the {asked.total} samples asked for; give a larger budget")
    bound = hitting_bound(model, asked)
    if budget < bound.certified_lower:
        raise InputError(
            f"budget={budget} is below the hitting-time bound {bound.value:.6g}: state {bound.state} alone takes every "
            f"algorithm {bound.value - 1:.6g} steps on average to reach, and one for its sample; give a larger budget, "
            f"or ask for no samples of state {bound.state}"
        )
