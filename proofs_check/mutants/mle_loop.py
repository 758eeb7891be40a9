"""Faults planted in MLE-LOOP on a finite class of models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners.mle_loop import adopt, compare, derive, learner, plan, record, watch
from proofs_check.mutants._greedy import worst_action
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, i8

# the confidence set


@kernel
def pessimist(st, p):
    """The model of SMALLEST gain of the confidence set."""
    best = -1
    for m in range(p.M):
        if st.loglik[m] >= st.loglik[st.mle[0]] - p.beta and (best < 0 or p.J_m[m] < p.J_m[best]):
            best = m
    return best


@kernel
def everyone(st, p):
    """The confidence set is ignored: the model of largest gain of the class."""
    best = 0
    for m in range(p.M):
        if p.J_m[m] > p.J_m[best]:
            best = m
    return best


@kernel
def likeliest(st, p):
    """A radius of zero: the model of largest likelihood."""
    return st.mle[0]


@kernel
def twice_the_radius(st, p):
    """The set has radius 2 beta."""
    best = -1
    for m in range(p.M):
        if st.loglik[m] >= st.loglik[st.mle[0]] - 2.0 * p.beta and (best < 0 or p.J_m[m] > p.J_m[best]):
            best = m
    return best


def _beta(form0: Any) -> Any:
    def wrong(p: dict[str, Any]) -> dict[str, Any]:
        found = derive(p)
        if p["models"] is not None and p["beta"] == 0.0:
            found["beta"] = p["scale"] * form0(len(p["models"]), p["delta"])
        return found

    return wrong


# what is played


@kernel
def adopt_uncentred(st, p, m):
    """V and Q with minimum 0."""
    adopt(st, p, m)
    low = st.V[0]
    for s in range(1, p.S):
        low = min(low, st.V[s])
    for s in range(p.S):
        st.V[s] -= low
        for a in range(p.A):
            st.Q[s, a] -= low


@kernel
def adopt_stale(st, p, m):
    """V stays that of the first model."""
    st.played[0] = m
    st.J[0] = p.J_m[m]
    for s in range(p.S):
        if st.switches[0] == 0:
            st.V[s] = p.V_m[m, s]
        st.pi[s] = p.pi_m[m, s]
        for a in range(p.A):
            st.Q[s, a] = p.Q_m[m, s, a]


@kernel
def adopt_total(st, p, m):
    """J is the reward of T steps, not of one."""
    adopt(st, p, m)
    st.J[0] = p.J_m[m] * p.T


@kernel
def adopt_scaled(st, p, m):
    """Values are sums over the T steps, not per step: V and Q are T times too large."""
    adopt(st, p, m)
    for s in range(p.S):
        st.V[s] *= p.T
        for a in range(p.A):
            st.Q[s, a] *= p.T


# likelihoods


@kernel
def record_of_state(st, p, s, a, s2):
    """The likelihood is that of staying, whatever the next state."""
    return record(st, p, s, a, s)


@kernel
def record_but_loops(st, p, s, a, s2):
    """Transitions that stay in the state are not counted."""
    if s2 != s:
        return record(st, p, s, a, s2)
    return st.mle[0]


@kernel
def record_after_first(st, p, s, a, s2):
    """The first visit of a pair is missing from the likelihoods."""
    if st.N[s, a] == 0:
        st.N[s, a] += 1
        return st.mle[0]
    return record(st, p, s, a, s2)


@kernel
def record_visits(st, p, s, a, s2):
    """The likelihoods are never updated."""
    st.N[s, a] += 1
    return st.mle[0]


@kernel
def record_first(st, p, s, a, s2):
    """The first model is held for the most likely one."""
    record(st, p, s, a, s2)
    return 0


@kernel
def record_squared(st, p, s, a, s2):
    """Every transition counts twice."""
    record(st, p, s, a, s2)
    best = record(st, p, s, a, s2)
    st.N[s, a] -= 1
    return best


# the trigger


@kernel
def whole_norm(st, p):
    """The distance is the 1-norm, not half of it."""
    compare(st, p)
    for s in range(p.S):
        for a in range(p.A):
            st.tv[s, a] *= 2.0
    st.upsilon[0] *= 2.0


@kernel
def distance_kept(st, p, t, s, a, r, s2):
    """A change of the most likely model leaves the distances as they were."""
    g = record(st, p, s, a, s2)
    st.mle[0] = g
    st.upsilon[0] += st.tv[s, a]
    return st.upsilon[0] > p.factor * sqrt(p.beta * (t + 2.0)) or st.loglik[g] <= p.removed


@kernel
def every_step(st, p, t, s, a, r, s2):
    """A new optimisation at every step."""
    st.mle[0] = record(st, p, s, a, s2)
    compare(st, p)
    return True


@kernel
def every_step_stale(st, p, t, s, a, r, s2):
    """A new optimisation at every step, on likelihoods that are never updated."""
    record_visits(st, p, s, a, s2)
    return True


@kernel
def without_time(st, p, t, s, a, r, s2):
    """The threshold is 3 sqrt(beta), whatever the time."""
    g = record(st, p, s, a, s2)
    st.mle[0] = g
    compare(st, p)
    return st.upsilon[0] > p.factor * sqrt(p.beta)


@kernel
def plan_remembering(st, p, t, s, rng):
    """As faithful, and the visits at this optimisation."""
    for x in range(p.S):
        for a in range(p.A):
            st.old[x, a] = st.N[x, a]
    return plan(st, p, t, s, rng)


@kernel
def since_switch(st, p, t, s, a, r, s2):
    """The distance is summed over the data since the last optimisation only."""
    st.mle[0] = record(st, p, s, a, s2)
    compare(st, p)
    for x in range(p.S):
        for b in range(p.A):
            st.upsilon[0] -= st.old[x, b] * st.tv[x, b]
    return st.upsilon[0] > p.factor * sqrt(p.beta * (t + 2.0))


def _plan(**names: Any) -> Learner:
    return replace(learner, plan=plan.replace(**names))


def _watch(**names: Any) -> Learner:
    return replace(learner, watch=watch.replace(**names))


def _derived(form0: Any) -> Learner:
    return replace(learner, derive=_beta(form0))


optimist_negated = _plan(optimist=pessimist)
set_ignored = _plan(optimist=everyone)
radius_zero = _plan(optimist=likeliest)
radius_doubled = _plan(optimist=twice_the_radius)
log_dropped = _derived(lambda M, delta: 3.0)
union_dropped = _derived(lambda M, delta: 3.0 * log(1.0 / delta))
factor_dropped = _derived(lambda M, delta: log(M / delta))
uncentred = _plan(adopt=adopt_uncentred)
stale = _plan(adopt=adopt_stale)
total_gain = _plan(adopt=adopt_total)
other_unit = _plan(adopt=adopt_scaled)
policy_minimises = replace(learner, act=worst_action)
likelihood_of_staying = _watch(record=record_of_state)
counts_lost = _watch(record=record_but_loops)
first_visit_lost = _watch(record=record_after_first)
likelihoods_stale = _watch(record=record_visits)
first_likeliest = _watch(record=record_first)
counted_twice = _watch(record=record_squared)
norm_not_halved = replace(learner, plan=plan.replace(compare=whole_norm), watch=watch.replace(compare=whole_norm))
distances_stale = replace(learner, watch=distance_kept)
always = replace(learner, watch=every_step)
always_stale = replace(learner, watch=every_step_stale)
trigger_early = replace(learner, watch=without_time)
new_data_only = replace(
    learner, watch=since_switch, plan=plan_remembering, state={**learner.state, "old": i8["S", "A"]}
)
trigger_late = replace(learner, params={**learner.params, "factor": 30.0})

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": union_dropped,
    "wrong variance": "no field: there are no variances, confidence is by likelihood",
    "count off by one": first_visit_lost,
    "lost counts": counts_lost,
    "unvisited at zero": "no field: a finite class has no pairs of its own, every model says something of every pair",
    "no clipping": "no field: nothing is clipped, a model with too large a span is refused",
    "backup of the wrong stage": "no field: average reward, there are no stages",
    "mass to the wrong state": likelihood_of_staying,
    "stale estimate": likelihoods_stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: models of equal gain are equally optimistic, and no step speaks of which one is "
    "played",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": trigger_early,
}
