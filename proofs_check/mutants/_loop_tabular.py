"""Faults of the learners of LOOP on all tables: each is one wrong line, planted in a given learner of the family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from mdps.learners._loop_tabular import adopt, derive_as, record, watch
from mdps.loop.relaxations import loop_box
from mdps.loop.tabular import Empirical, Optimistic, completion, empirical, excess, policies, solve_policy
from theorylab.errors import InputError
from theorylab.kernel import kernel, log
from theorylab.learner import Learner

Step = Callable[[Empirical, Any], Optimistic]


def planned_by(learner: Learner, step: Step, adopted: Callable[..., None] = adopt) -> Learner:
    """The learner with another step."""

    def plan_one(st: Any, p: Any, t: int, s: int) -> None:
        adopted(st, p, step(empirical(st.moves, p.r), p))

    return replace(learner, plan_one=plan_one)


def _found(data: Empirical, V: np.ndarray, Q: np.ndarray, J: float, pi: np.ndarray) -> Optimistic:
    return Optimistic(V, Q, J, pi, excess(data, Q, J), J, 0, 0)


def budget(step: Step, factor: float) -> Step:
    """The step with `factor` times the budget."""

    def wrong(data: Empirical, p: Any) -> Optimistic:
        return step(data, SimpleNamespace(**{**vars(p), "beta": factor * p.beta}))

    return wrong


def no_budget(step: Step) -> Step:
    """A radius of zero; where no table fits the data, as much more as it takes."""

    def wrong(data: Empirical, p: Any) -> Optimistic:
        for power in range(-20, 1):
            try:
                return budget(step, 2.0**power)(data, p)
            except InputError:
                continue
        return step(data, p)

    return wrong


def pessimist(step: Step) -> Step:
    """The sign of the bonus is wrong: the gain is lowered by what the budget allows."""
    plain = no_budget(step)

    def wrong(data: Empirical, p: Any) -> Optimistic:
        f = plain(data, p)
        J = f.J - 0.5 * float(np.sqrt(p.beta / max(1.0, data.n.sum())))
        return _found(data, f.V, f.Q, J, f.pi)

    return wrong


def last_policy(step: Step) -> Step:
    """Only the policy of highest index is looked at; the certificate is honest."""

    def wrong(data: Empirical, p: Any) -> Optimistic:
        f, pi = step(data, p), policies(data)[-1]
        found = solve_policy(data, p.beta, p.span, pi, p.cap)
        if found is None:
            return f
        V, J = found
        return replace(_found(data, V, completion(data, V, J, pi), J, pi), bound=f.bound)

    return wrong


def uncapped(step: Step) -> Step:
    """The gain has no cap."""

    def wrong(data: Empirical, p: Any) -> Optimistic:
        return step(data, SimpleNamespace(**{**vars(p), "cap": 3.0 * p.cap}))

    return wrong


def box(data: Empirical, p: Any) -> Optimistic:
    """A bonus for each pair on its own is called LOOP."""
    return loop_box(data, p.beta, p.span, p.cap)


def one_more(step: Step) -> Step:
    """n + 1 in the loss."""

    def wrong(data: Empirical, p: Any) -> Optimistic:
        P = (data.P_hat * data.n[..., None] + 1.0 / data.S) / (data.n[..., None] + 1.0)
        return step(Empirical(P, data.n + 1.0, data.r), p)

    return wrong


def one_less(step: Step) -> Step:
    """n / 2 in the bonus, of pairs that were visited."""

    def wrong(data: Empirical, p: Any) -> Optimistic:
        return step(Empirical(data.P_hat, 0.5 * data.n, data.r), p)

    return wrong


def uncentred(st: Any, p: Any, found: Optimistic) -> None:
    """V and Q with minimum zero."""
    low = found.V.min()
    adopt(st, p, replace(found, V=found.V - low, Q=found.Q - low))


def values_halved(st: Any, p: Any, found: Optimistic) -> None:
    """V is not that of Q."""
    adopt(st, p, replace(found, V=0.5 * found.V))


def other_unit(st: Any, p: Any, found: Optimistic) -> None:
    """The hypothesis in hundredths of the unit of reward."""
    adopt(st, p, replace(found, V=100.0 * found.V, Q=100.0 * found.Q, J=100.0 * found.J))


def only_once(st: Any, p: Any, found: Optimistic) -> None:
    """The first hypothesis is kept."""
    if st.switches[0] == 0:
        adopt(st, p, found)
    else:
        st.switches[0] += 1


def new_data_only(st: Any, p: Any, found: Optimistic) -> None:
    """The excess that is compared with 4 beta is that of the data since the last optimisation."""
    adopt(st, p, found)
    st.upsilon[0] = 0.0


@kernel
def record_but_loops(st, p, s, a, s2):
    """Transitions that stay in the state are not recorded."""
    if s2 != s:
        record(st, p, s, a, s2)


@kernel
def record_beside(st, p, s, a, s2):
    """The transition is recorded as one to the state after the right one."""
    record(st, p, s, a, (s2 + 1) % p.S)


@kernel
def record_negated(st, p, s, a, s2):
    """The gain is subtracted in the loss."""
    record(st, p, s, a, s2)
    n = float(st.N[s, a])
    e = st.Q[s, a] - st.J[0] - p.r[s, a] - st.ahead[s, a] / n
    st.upsilon[0] += n * e * e - st.loss[s, a]
    st.loss[s, a] = n * e * e


@kernel
def record_unweighted(st, p, s, a, s2):
    """Errors are not weighted by visits."""
    record(st, p, s, a, s2)
    n = float(st.N[s, a])
    st.upsilon[0] -= st.loss[s, a]
    st.loss[s, a] /= n
    st.upsilon[0] += st.loss[s, a]


@kernel
def watch_quadrupled(st, p, t, s, a, r, s2):
    """A pair must have four times its visits of the last plan."""
    record(st, p, s, a, s2)
    return st.N[s, a] - st.before[s, a] >= 3 * max(1, st.before[s, a])


def quadrupled(learner: Learner) -> Learner:
    """The learner with a late trigger of visits."""
    return replace(learner, watch=watch_quadrupled)


def recorded(learner: Learner, how: Any) -> Learner:
    """The learner with another record of a step."""
    return replace(learner, watch=watch.replace(record=how))


def beta_by(learner: Learner, form0: Callable[[dict[str, Any]], float]) -> Learner:
    """The learner with another beta of form 0."""
    derive = derive_as(learner.name)

    def wrong(p: dict[str, Any]) -> dict[str, Any]:
        found = derive(p)
        return found if p["beta"] else {**found, "beta": p["scale"] * form0(p)}

    return replace(learner, derive=wrong)


def no_log(p: dict[str, Any]) -> float:
    """9 B^2 (SA/2 + S): no logarithms."""
    return float(9.0 * p["span"] ** 2 * (0.5 * p["S"] * p["A"] + p["S"]))


def no_union(p: dict[str, Any]) -> float:
    """9 B^2 ln(1/delta): one table, not all."""
    return float(9.0 * p["span"] ** 2 * log(1.0 / p["delta"]))


def span_once(p: dict[str, Any]) -> float:
    """B to the first power."""
    S, A, T = p["S"], p["A"], float(p["T"])
    return float(9.0 * p["span"] * (0.5 * S * A * log(1.0 + T / (S * A)) + S * log(T + 1.0) + log(1.0 / p["delta"])))


def span_short(p: dict[str, Any]) -> float:
    """The bound on the span is a twentieth of what it should be."""
    S, A, T = p["S"], p["A"], float(p["T"])
    whole = 0.5 * S * A * log(1.0 + T / (S * A)) + S * log(T + 1.0) + log(1.0 / p["delta"])
    return float(9.0 * (p["span"] / 20.0) ** 2 * whole)


def defaults(learner: Learner, **params: float | int) -> Learner:
    """The learner with other defaults."""
    return replace(learner, params={**learner.params, **params})
