"""Faults planted in LOOP on a finite class of value functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from mdps.learners.loop_values import adopt, choose, derive, excesses, learner, lookup, planned, record, watch
from proofs_check.mutants._greedy import worst_action
from theorylab.kernel import kernel, log
from theorylab.learner import Learner

# the confidence set


def _by(best: Callable[[np.ndarray, Any], int]) -> Learner:
    """The learner that takes hypothesis best(excess of all, p)."""

    def choice(n: Any, P_hat: Any, p: Any, xp: Any) -> tuple[int, float]:
        excess = excesses(n, P_hat, p, np.arange(p.M), xp)
        m = best(excess, p)
        return m, float(excess[m])

    return replace(learner, plan_batch=planned(choice))


def _inside(factor: float, sign: float) -> Callable[[np.ndarray, Any], int]:
    def best(excess: np.ndarray, p: Any) -> int:
        gains = np.where(excess <= factor * p.beta, sign * p.gains, -np.inf)
        return int(gains.argmax())

    return best


def _seen(change: Callable[[Any, Any, Any], tuple[Any, Any, Any]]) -> Learner:
    """The learner whose plans see changed data and parameters."""
    return replace(learner, plan_batch=planned(lambda n, P_hat, p, xp: choose(*change(n, P_hat, p), xp)))


def _without_updates(n: Any, P_hat: Any, p: Any) -> tuple[Any, Any, Any]:
    K = p.K - p.M
    return n, P_hat, SimpleNamespace(**{**vars(p), "auxiliary": p.auxiliary[p.M :], "K": K, "pair": p.pair % K})


def _gain_negated(n: Any, P_hat: Any, p: Any) -> tuple[Any, Any, Any]:
    return n, P_hat, SimpleNamespace(**{**vars(p), "r": p.r + 0.5})


def stale_V(st: Any, p: Any, i: int, m: int, excess: float, xp: Any) -> None:
    """V stays that of the first hypothesis."""
    first, V = st.switches[i, 0] == 0, st.V[i].copy()
    adopt(st, p, i, m, excess, xp)
    if not first:
        st.V[i] = V


def raised_V(st: Any, p: Any, i: int, m: int, excess: float, xp: Any) -> None:
    """V and Q with minimum zero."""
    adopt(st, p, i, m, excess, xp)
    low = st.V[i].min()
    st.V[i] -= low
    st.Q[i] -= low


def first_kept(st: Any, p: Any, i: int, m: int, excess: float, xp: Any) -> None:
    """The first hypothesis is kept."""
    if st.switches[i, 0] == 0:
        adopt(st, p, i, m, excess, xp)
    else:
        st.switches[i, 0] += 1


def other_unit_adopted(st: Any, p: Any, i: int, m: int, excess: float, xp: Any) -> None:
    """The hypothesis in hundredths of the unit of reward."""
    adopt(st, p, i, m, excess, xp)
    for x in (st.Q, st.V, st.J):
        x[i] *= 100.0


# data and trigger


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
def every_step(st, p, t, s, a, r, s2):
    """An optimisation at every step."""
    record(st, p, s, a, s2)
    st.upsilon[0] = lookup(st, p)
    return True


@kernel
def every_fourth(st, p, t, s, a, r, s2):
    """Three visits of four are not recorded."""
    if t % 4 == 0:
        record(st, p, s, a, s2)
    return False


@kernel
def never(st, p, t, s, a, r, s2):
    """No optimisation but the first."""
    record(st, p, s, a, s2)
    return False


@kernel
def never_looked_up(st, p, t, s, a, r, s2):
    """The lazy bound is taken for the excess."""
    record(st, p, s, a, s2)
    st.upsilon[0] = st.own[0] - st.least[0]
    return st.upsilon[0] >= p.factor * p.beta


@kernel
def looked_up_low(st, p):
    """The smallest loss of the auxiliary class is that of the hypothesis itself."""
    return 0.0


def _beta(form0: Callable[[float, int, int, float], float]) -> Learner:
    def wrong(p: dict[str, Any]) -> dict[str, Any]:
        found = derive(p)
        if p["beta"] or p["values"] is None:
            return found
        return {**found, "beta": p["scale"] * form0(p["span"], len(p["values"]), found["K"], p["delta"])}

    return replace(learner, derive=wrong)


pessimistic = _by(_inside(1.0, -1.0))
set_ignored = _by(_inside(np.inf, 1.0))
radius_doubled = _by(_inside(2.0, 1.0))
radius_zero = _by(lambda excess, p: int(excess.argmin()))
incomplete = _seen(_without_updates)
reward_shifted = _seen(_gain_negated)
one_more = _seen(lambda n, P_hat, p: (n + 5.0, P_hat, p))
stale = replace(learner, plan_batch=planned(choose, stale_V))
uncentred = replace(learner, plan_batch=planned(choose, raised_V))
kept = replace(learner, plan_batch=planned(choose, first_kept))
other_unit = replace(learner, plan_batch=planned(choose, other_unit_adopted))
other_unit_kept = replace(other_unit, watch=never)
counts_lost = replace(learner, watch=watch.replace(record=record_but_loops))
successor_shifted = replace(learner, watch=watch.replace(record=record_beside))
trigger_always = replace(learner, watch=every_step)
three_of_four_lost = replace(learner, watch=every_fourth)
trigger_by_bound = replace(learner, watch=never_looked_up)
trigger_never = replace(learner, watch=watch.replace(lookup=looked_up_low))
trigger_late = replace(learner, params={**learner.params, "factor": 40.0})
policy_minimises = replace(learner, act=worst_action)
log_dropped = _beta(lambda B, M, K, delta: 9.0 * B * B)
union_dropped = _beta(lambda B, M, K, delta: 9.0 * B * B * log(1.0 / delta))
span_once = _beta(lambda B, M, K, delta: 9.0 * B * log(M * K / delta))

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": union_dropped,
    "wrong variance": span_once,
    "count off by one": one_more,
    "lost counts": counts_lost,
    "unvisited at zero": "no field: every hypothesis says something of every pair, visited or not",
    "no clipping": "no field: nothing is clipped, a hypothesis beyond span or cap is refused",
    "backup of the wrong stage": "no field: there are no stages",
    "mass to the wrong state": successor_shifted,
    "stale estimate": stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: hypotheses of equal gain are equally optimistic, and no step says which is played",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": "no field: forms 0 and 1 of beta are uniform in time and have no length",
}
