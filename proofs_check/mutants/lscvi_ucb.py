"""Faults planted in gamma-LSCVI-UCB: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners._average_linear import add_data, begin_data
from mdps.learners.lscvi_ucb import backup, clip, derive, learner, plan, watch
from proofs_check.mutants._average_linear import act_zero
from theorylab.kernel import kernel, log, product, sqrt
from theorylab.learner import Learner


@kernel
def loops_lost(st, p, t, s, a, r, s2):
    """Steps that stay in the state are not recorded."""
    return watch(st, p, t, s, a, r, s2) if s2 != s else False


@kernel
def old_state(st, p, t, s, a, r, s2):
    """The value regressed on is that of the state that was left."""
    return watch(st, p, t, s, a, r, s)


@kernel
def tripled(st, p, t, s, a, r, s2):
    """The determinant triples before a new plan."""
    add_data(st, p, s, a, s2)
    return st.log_det[0] - st.log_det_plan[0] >= log(3.0)


@kernel
def always(st, p, t, s, a, r, s2):
    """A plan at every step."""
    watch(st, p, t, s, a, r, s2)
    return True


@kernel
def larger_ridge(st, p):
    """Lambda starts at (lam + 1) I."""
    begin_data(st, p)
    for i in range(p.d):
        st.Lam_inv[i, i] = 1.0 / (p.lam + 1.0)


@kernel
def nothing_unknown(st, p):
    """Directions never seen have no width."""
    for i in range(p.d):
        st.Lam_inv[i, i] = 0.0


@kernel
def without_values(st, p, values, base, w):
    """The regression forgets the values: on 1, not on V(s') - min V."""
    for s2 in range(p.S):
        for i in range(p.d):
            st.x[i] += st.after[s2, i]
    product(st.Lam_inv, st.x, w, p.d)


@kernel
def not_reduced(st, p, values, base, w):
    """The minimum is not taken out of the targets, and yet put back."""
    for s2 in range(p.S):
        for i in range(p.d):
            st.x[i] += st.after[s2, i] * values[s2]
    product(st.Lam_inv, st.x, w, p.d)


@kernel
def no_clip(st, p):
    """The span is not clipped."""
    clip(st, p)
    for s in range(p.S):
        st.V[s] = st.Q[s, st.pi[s]]


@kernel
def halved_clip(st, p):
    """Clipped at span for 2 span."""
    clip(st, p)
    low = st.V[0]
    for s in range(1, p.S):
        low = min(low, st.V[s])
    for s in range(p.S):
        st.V[s] = min(st.V[s], low + p.span)


@kernel
def worst_planned(st, p):
    """The policy takes the smallest Q."""
    clip(st, p)
    for s in range(p.S):
        for a in range(p.A):
            if st.Q[s, a] < st.Q[s, st.pi[s]]:
                st.pi[s] = a


@kernel
def few(st, p, t, s, rng):
    """Ten backups, settled or not."""
    st.log_det_plan[0] = st.log_det[0]
    for x in range(p.S):
        st.V[x] = p.top
        for a in range(p.A):
            st.Q[x, a] = p.top
    for _ in range(10):
        backup(st, p)
    return True


@kernel
def first_kept(st, p, t, s, rng):
    """The first plan is kept."""
    st.log_det_plan[0] = st.log_det[0]
    if t == 0:
        return plan(st, p, t, s, rng)
    return True


def no_bonus(p: dict[str, Any]) -> dict[str, Any]:
    """beta = 0."""
    return {**derive(p), "beta": 0.0}


def no_log(p: dict[str, Any]) -> dict[str, Any]:
    """The logarithm is left out."""
    return {**derive(p), "beta": p["scale"] * p["c"] * p["span"] * p["d"]}


def no_delta(p: dict[str, Any]) -> dict[str, Any]:
    """delta is left out."""
    size = log(float(p["d"]) * p["T"])
    return {**derive(p), "beta": p["scale"] * p["c"] * p["span"] * p["d"] * sqrt(size)}


def no_length(p: dict[str, Any]) -> dict[str, Any]:
    """One step for T in the logarithm."""
    size = log(float(p["d"]) / p["delta"])
    return {**derive(p), "beta": p["scale"] * p["c"] * p["span"] * p["d"] * sqrt(size)}


def unit_span(p: dict[str, Any]) -> dict[str, Any]:
    """The span is left out of beta."""
    found = derive(p)
    return {**found, "beta": found["beta"] / p["span"]}


def fixed_discount(p: dict[str, Any]) -> dict[str, Any]:
    """gamma = 1/2 for every T (pitfall 27)."""
    return derive({**p, "gamma": 0.5})


def higher_top(p: dict[str, Any]) -> dict[str, Any]:
    """Values begin at 2/(1 - gamma)."""
    found = derive(p)
    return {**found, "top": 2.0 * found["top"]}


bonus_zero = replace(learner, derive=no_bonus)
log_dropped = replace(learner, derive=no_log)
delta_dropped = replace(learner, derive=no_delta)
length_dropped = replace(learner, derive=no_length)
span_dropped = replace(learner, derive=unit_span)
top_doubled = replace(learner, derive=higher_top)
gamma_fixed = replace(learner, derive=fixed_discount)
counts_lost = replace(learner, watch=loops_lost)
successor_lost = replace(learner, watch=old_state)
trigger_late = replace(learner, watch=tripled)
trigger_always = replace(learner, watch=always)
ridge_off_by_one = replace(learner, begin=larger_ridge)
unvisited_zero = replace(learner, begin=nothing_unknown)
features_without_values = replace(learner, plan=plan.replace(backup=backup.replace(fit_values=without_values)))
minimum_kept = replace(learner, plan=plan.replace(backup=backup.replace(fit_values=not_reduced)))
clip_off = replace(learner, plan=plan.replace(backup=backup.replace(clip=no_clip)))
clip_halved = replace(learner, plan=plan.replace(backup=backup.replace(clip=halved_clip)))
argmin = replace(learner, plan=plan.replace(backup=backup.replace(clip=worst_planned)))
stops_early = replace(learner, plan=few)
stale = replace(learner, plan=first_kept)
plays_zero = replace(learner, act=act_zero)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": span_dropped,
    "count off by one": ridge_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": clip_off,
    "backup of the wrong stage": "no field: average reward, there are no stages",
    "mass to the wrong state": successor_lost,
    "stale estimate": stale,
    "worst action played": argmin,
    "ties to the last": "equivalent: any maximiser will do in the proof, and every step holds for each of them",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing of its own",
    "wrong length in the logarithm": length_dropped,
}
