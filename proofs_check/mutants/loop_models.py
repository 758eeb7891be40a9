"""Faults planted in LOOP on a finite class of models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners.loop_models import adopt, derive, learner, plan, record, settle, watch
from proofs_check.mutants._greedy import worst_action
from theorylab.kernel import kernel, log
from theorylab.learner import Learner, f8, i8

# the confidence set


@kernel
def pessimist(st, p):
    """The model of SMALLEST gain of the confidence set."""
    best = -1
    for m in range(p.M):
        if st.excess[m] <= p.beta and (best < 0 or p.J_m[m] < p.J_m[best]):
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
def minimiser(st, p):
    """A radius of zero: the model of least loss."""
    best = 0
    for m in range(p.M):
        if st.excess[m] < st.excess[best]:
            best = m
    return best


@kernel
def twice_the_radius(st, p):
    """The set has radius 2 beta."""
    best = -1
    for m in range(p.M):
        if st.excess[m] <= 2.0 * p.beta and (best < 0 or p.J_m[m] > p.J_m[best]):
            best = m
    return best


def _beta(form0: Any) -> Any:
    def wrong(p: dict[str, Any]) -> dict[str, Any]:
        found = derive(p)
        if p["models"] is not None and p["beta"] == 0.0:
            B, M, delta = p["span"], len(p["models"]), p["delta"]
            found["beta"] = p["scale"] * form0(B, M, delta)
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
            st.ahead[s, a] -= low
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
    for s in range(p.S):
        for a in range(p.A):
            value = 0.0
            for s2 in range(p.S):
                value += p.models[m, s, a, s2] * st.V[s2]
            st.ahead[s, a] = value
            st.Q[s, a] = p.r[s, a] + value - st.J[0]


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
            st.ahead[s, a] *= p.T
            st.Q[s, a] *= p.T


@kernel
def adopt_negated(st, p, m):
    """The Bellman solution with the gain's sign wrong: Q = r + P V + J."""
    adopt(st, p, m)
    for s in range(p.S):
        for a in range(p.A):
            st.Q[s, a] += 2.0 * st.J[0]


# losses


@kernel
def record_of_state(st, p, s, a, s2):
    """The regression target is V of the state left, not of the next one."""
    st.N[s, a] += 1
    if st.fresh[s, a] > 0:
        st.room[0] -= st.off[s, a] * st.off[s, a] / st.fresh[s, a]
    st.fresh[s, a] += 1
    st.off[s, a] += st.ahead[s, a] - st.V[s]
    st.room[0] += st.off[s, a] * st.off[s, a] / st.fresh[s, a]


@kernel
def record_but_loops(st, p, s, a, s2):
    """Transitions that stay in the state are not counted."""
    if s2 != s:
        record(st, p, s, a, s2)


@kernel
def one_less(st, p):
    """The losses miss one visit of every pair that was visited."""
    for s in range(p.S):
        for a in range(p.A):
            if st.fresh[s, a] > 0:
                st.fresh[s, a] -= 1
    settle(st, p)


@kernel
def forget(st, p):
    """The losses are never brought up to date."""
    for s in range(p.S):
        for a in range(p.A):
            st.fresh[s, a] = 0
            st.off[s, a] = 0.0
    st.room[0] = 0.0


@kernel
def record_moves(st, p, s, a, s2):
    """As faithful, and the transitions by next state."""
    record(st, p, s, a, s2)
    st.moves[s, a, s2] += 1


@kernel
def settle_anew(st, p):
    """All losses are made anew with the V of the model in play now, not of the models played then."""
    for m in range(p.M):
        st.loss[m] = 0.0
    for s in range(p.S):
        for a in range(p.A):
            st.fresh[s, a] = 0
            st.off[s, a] = 0.0
            for s2 in range(p.S):
                st.fresh[s, a] += st.moves[s, a, s2]
                st.off[s, a] += st.moves[s, a, s2] * (st.ahead[s, a] - st.V[s2])
    settle(st, p)


# the trigger


@kernel
def every_step(st, p, t, s, a, r, s2):
    """A new optimisation at every step."""
    record(st, p, s, a, s2)
    settle(st, p)
    st.upsilon[0] = st.base[0]
    return True


@kernel
def plan_remembering(st, p, t, s, rng):
    """As faithful, and the losses at this optimisation."""
    for m in range(p.M):
        st.old[m] = st.loss[m]
    return plan(st, p, t, s, rng)


@kernel
def since_switch(st, p, t, s, a, r, s2):
    """The excess that is compared with 4 beta is that on the data since the last optimisation only."""
    record(st, p, s, a, s2)
    settle(st, p)
    least = st.loss[0] - st.old[0]
    for m in range(1, p.M):
        least = min(least, st.loss[m] - st.old[m])
    f = st.played[0]
    st.upsilon[0] = st.loss[f] - st.old[f] - least
    return st.upsilon[0] >= p.factor * p.beta


@kernel
def trigger_at_beta(st, p, t, s, a, r, s2):
    """The excess is compared with 2 beta."""
    record(st, p, s, a, s2)
    settle(st, p)
    st.upsilon[0] = st.base[0]
    return st.base[0] >= 2.0 * p.beta


def _plan(**names: Any) -> Learner:
    return replace(learner, plan=plan.replace(**names))


def _watch(**names: Any) -> Learner:
    return replace(learner, watch=watch.replace(**names))


def _derived(form0: Any) -> Learner:
    return replace(learner, derive=_beta(form0))


optimist_negated = _plan(optimist=pessimist)
set_ignored = _plan(optimist=everyone)
radius_zero = _plan(optimist=minimiser)
radius_doubled = _plan(optimist=twice_the_radius)
log_dropped = _derived(lambda B, M, delta: 9.0 * B * B)
union_dropped = _derived(lambda B, M, delta: 9.0 * B * B * log(1.0 / delta))
span_once = _derived(lambda B, M, delta: 9.0 * B * log(M * M / delta))
other_unit = _plan(adopt=adopt_scaled)
uncentred = _plan(adopt=adopt_uncentred)
stale = _plan(adopt=adopt_stale)
total_gain = _plan(adopt=adopt_total)
gain_negated = _plan(adopt=adopt_negated)
policy_minimises = replace(learner, act=worst_action)
target_of_state = _watch(record=record_of_state)
counts_lost = _watch(record=record_but_loops)
one_visit_less = _watch(settle=one_less)
losses_stale = _watch(settle=forget)
targets_newest = replace(
    learner,
    watch=watch.replace(record=record_moves, settle=settle_anew),
    state={**learner.state, "moves": i8["S", "A", "S"]},
)
always = replace(learner, watch=every_step)
always_stale = replace(learner, watch=every_step.replace(settle=forget))
new_data_only = replace(learner, watch=since_switch, plan=plan_remembering, state={**learner.state, "old": f8["M"]})
trigger_early = replace(learner, watch=trigger_at_beta)
trigger_late = replace(learner, params={**learner.params, "factor": 40.0})

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": union_dropped,
    "wrong variance": span_once,
    "count off by one": one_visit_less,
    "lost counts": counts_lost,
    "unvisited at zero": "no field: a finite class has no pairs of its own, every model says something of every pair",
    "no clipping": "no field: nothing is clipped, a model with too large a span is refused",
    "backup of the wrong stage": target_of_state,
    "mass to the wrong state": "no field: probabilities are those of the class",
    "stale estimate": losses_stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: models of equal gain are equally optimistic, and no step speaks of which one is "
    "played",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": "no field: forms 0 and 1 of beta are uniform in time and have no length",
}
