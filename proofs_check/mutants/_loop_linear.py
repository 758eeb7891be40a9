"""Faults of linear LOOP and FOPO: each is one wrong line, planted in a given learner of the two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from mdps.learners._loop_linear import adopt, record, regress, solve
from mdps.loop.linear import Linear, Regression
from theorylab.errors import InputError
from theorylab.kernel import kernel, quadratic
from theorylab.learner import Learner

Step = Callable[[Regression, Any], Linear]


def planned_by(
    learner: Learner, step: Step = solve, adopted: Callable[..., None] = adopt, data: Any = regress
) -> Learner:
    """The learner with another step, another way of taking it up, or other data."""

    def plan_one(st: Any, p: Any, t: int, s: int) -> None:
        e = data(st, p)
        adopted(st, p, e, step(e, p))

    return replace(learner, plan_one=plan_one)


def with_(**changed: Any) -> Step:
    """The step with other parameters, given by functions of the right ones."""

    def wrong(e: Regression, p: Any) -> Linear:
        return solve(e, SimpleNamespace(**{**vars(p), **{k: f(p) for k, f in changed.items()}}))

    return wrong


def budget(factor: float) -> Step:
    """The step with `factor` times beta."""
    return with_(beta=lambda p: factor * p.beta)


def first_that_leaves(e: Regression, p: Any, factor: float) -> Linear:
    """The step with the first of factor beta, 4 factor beta, ... that leaves any hypothesis."""
    while True:
        try:
            return budget(factor)(e, p)
        except InputError:
            factor *= 4.0


def least_budget(e: Regression, p: Any) -> Linear:
    """The radius is zero."""
    return first_that_leaves(e, p, 1e-6)


def own_budget(e: Regression, p: Any) -> Linear:
    """The radius is that of the parameters, or more where this leaves nothing."""
    return first_that_leaves(e, p, 1.0)


def pessimist(e: Regression, p: Any) -> Linear:
    """The sign of the bonus is wrong: the gain is lowered by what the budget allows."""
    f = least_budget(e, p)
    return replace(f, J=f.J - 0.5 * float(np.sqrt(p.beta / max(1.0, np.trace(e.Lam)))))


def gain_forgotten(e: Regression, p: Any) -> Linear:
    """kappa is omitted: the gain does not enter the loss."""
    return own_budget(replace(e, total=np.zeros_like(e.total)), p)


def ridge_twice(st: Any, p: Any) -> Regression:
    """lambda is added twice."""
    e = regress(st, p)
    return replace(e, ridge=2.0 * e.ridge)


def one_more(st: Any, p: Any) -> Regression:
    """One more visit of the first pair in Lam alone."""
    e = regress(st, p)
    return replace(e, Lam=e.Lam + np.outer(p.phi[0, 0], p.phi[0, 0]))


def only_once(st: Any, p: Any, e: Regression, found: Linear) -> None:
    """The first hypothesis is kept."""
    if st.switches[0] == 0:
        adopt(st, p, e, found)
    else:
        st.switches[0] += 1
        st.log_det_plan[0] = st.log_det[0]


def stale_values(st: Any, p: Any, e: Regression, found: Linear) -> None:
    """V is that of the first hypothesis."""
    V = st.V.copy() if st.switches[0] else found.V
    adopt(st, p, e, replace(found, V=V))


def new_data_only(st: Any, p: Any, e: Regression, found: Linear) -> None:
    """The excess that is compared with 4 beta is that of the data since the last optimisation."""
    adopt(st, p, e, found)
    st.error[:] = 0.0


def total_gain(st: Any, p: Any, e: Regression, found: Linear) -> None:
    """J is in another unit."""
    adopt(st, p, e, replace(found, J=found.J * p.T * p.T))


def other_unit(st: Any, p: Any, e: Regression, found: Linear) -> None:
    """V is T times too large."""
    adopt(st, p, e, replace(found, V=found.V * p.T))


@kernel
def record_but_loops(st, p, s, a, s2):
    """Transitions that stay in the state are not recorded."""
    if s2 != s:
        record(st, p, s, a, s2)


@kernel
def record_here(st, p, s, a, s2):
    """Every fourth transition of a pair is recorded as one to the state itself (all of them leave no hypothesis)."""
    record(st, p, s, a, s if st.N[s, a] % 4 == 3 else s2)


@kernel
def record_negated(st, p, s, a, s2):
    """The gain is subtracted in the loss."""
    record(st, p, s, a, s2)
    for i in range(p.d):
        st.error[i] -= 2.0 * st.J[0] * p.phi[s, a, i]
    st.upsilon[0] = quadratic(st.inverse, st.error, p.d)


@kernel
def never(st, p, t, s, a, r, s2):
    """The hypothesis is never given up."""
    record(st, p, s, a, s2)
    return False


@kernel
def always(st, p, t, s, a, r, s2):
    """Another optimisation at every step."""
    record(st, p, s, a, s2)
    return True


def derived_with(learner: Learner, change: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]) -> Learner:
    """The learner whose `derive` is changed: (parameters, what it derives) -> what replaces it."""
    faithful = learner.derive
    assert faithful is not None

    def wrong(p: dict[str, Any]) -> dict[str, Any]:
        found = faithful(p)
        return {**found, **change(p, found)}

    return replace(learner, derive=wrong)


def defaults(learner: Learner, **params: float | int) -> Learner:
    """The learner with other defaults."""
    return replace(learner, params={**learner.params, **params})
