"""Faults planted in UCRL-VTR: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners.ucrl_vtr import derive, estimate, evaluate, learner, plan, value_features, watch
from proofs_check.mutants._greedy import least
from theorylab.kernel import kernel, log, product, rank_one_inverse, sqrt
from theorylab.learner import Learner, f8


@kernel
def include(st, p, h, s, a, values, y):
    """One sample: phi_V(s,a) with the given values, target y."""
    g = min(h, p.G - 1)
    row = s * p.A + a
    for i in range(p.d):
        st.x[i] = 0.0
        for m in range(p.reach):
            st.x[i] += p.moves[i, m, row] * values[p.successors[m, row]]
        st.b[g, i] += st.x[i] * y
    st.log_det[g] += log(1.0 + rank_one_inverse(st.Sigma_inv[g], st.x, st.work, p.d))
    st.n[g] += 1
    return h == p.H - 1


@kernel
def loops_lost(st, p, k, h, s, a, r, s2):
    """Steps that stay in the state are not recorded."""
    if s2 != s:
        include(st, p, h, s, a, st.V[h + 1], st.V[h + 1, s2])
    return h == p.H - 1


@kernel
def old_state(st, p, k, h, s, a, r, s2):
    """The target is the value of the state that was left."""
    return include(st, p, h, s, a, st.V[h + 1], st.V[h + 1, s])


@kernel
def same_stage(st, p, k, h, s, a, r, s2):
    """The regression is on V_h for V_{h+1}."""
    return include(st, p, h, s, a, st.V[h], st.V[h, s2])


@kernel
def mixed_stages(st, p, k, h, s, a, r, s2):
    """Features of V_{h+1}, target V_h(s')."""
    return include(st, p, h, s, a, st.V[h + 1], st.V[h, s2])


@kernel
def reward_too(st, p, k, h, s, a, r, s2):
    """The target is r + V(s'), as in least-squares value iteration."""
    return include(st, p, h, s, a, st.V[h + 1], r + st.V[h + 1, s2])


@kernel
def last_values(st, p, k, h, s, a, r, s2):
    """The target is the value that the plan of the episode before gave."""
    return include(st, p, h, s, a, st.V[h + 1], st.V_before[h + 1, s2])


@kernel
def remembers(st, p, k, rng):
    """A plan that keeps the values of the one before."""
    for h in range(p.H):
        for s in range(p.S):
            st.V_before[h, s] = st.V[h, s]
    return plan(st, p, k, rng)


@kernel
def every_second(st, p, k, h, s, a, r, s2):
    """A plan only after every second episode."""
    return watch(st, p, k, h, s, a, r, s2) and k % 2 == 1


@kernel
def larger_ridge(st, p):
    """Sigma starts at (lam + 1) I."""
    for g in range(p.G):
        for i in range(p.d):
            st.Sigma_inv[g, i, i] = 1.0 / (p.lam + 1.0)


@kernel
def nothing_unknown(st, p):
    """The inverse starts at zero: directions never seen have no bonus."""
    for g in range(p.G):
        for i in range(p.d):
            st.Sigma_inv[g, i, i] = 0.0


@kernel
def fit(st, p, g, radius):
    """theta_hat, with a given radius."""
    product(st.Sigma_inv[g], st.b[g], st.theta[g], p.d)
    st.radius[g] = p.scale * radius


@kernel
def no_radius(st, p, g):
    """radius = 0."""
    fit(st, p, g, 0.0)


@kernel
def no_determinant(st, p, g):
    """The logarithm of the determinant is dropped."""
    fit(st, p, g, 0.5 * p.H * sqrt(2.0 * p.log_term) + sqrt(p.lam) * p.B)


@kernel
def unit_noise(st, p, g):
    """The noise is taken to be that of values in [0, 1]: R = 1/2 for H/2."""
    fit(st, p, g, 0.5 * sqrt(2.0 * p.log_term + st.log_det[g]) + sqrt(p.lam) * p.B)


@kernel
def no_norm(st, p, g):
    """sqrt(lam) B is left out."""
    fit(st, p, g, 0.5 * p.H * sqrt(2.0 * p.log_term + st.log_det[g]))


@kernel
def tenfold(st, p, g):
    """The radius is ten times too large."""
    estimate(st, p, g)
    st.radius[g] *= 10.0


@kernel
def episodes_counted(st, p, g):
    """The trace bound counts episodes for samples, in a regression that has one a step."""
    size = p.d * log(1.0 + st.n[g] / p.H * float(p.H) * p.H / (p.d * p.lam))
    fit(st, p, g, 0.5 * p.H * sqrt(2.0 * p.log_term + size) + sqrt(p.lam) * p.B)


@kernel
def uncapped(st, p, h, g):
    """No cap at H, none at zero."""
    evaluate(st, p, h, g)
    for s in range(p.S):
        for a in range(p.A):
            j = s * p.A + a
            st.Q[h, s, a] = p.r[s, a] + st.part[j] + st.radius[g] * sqrt(st.width[j])
            st.V[h, s] = st.Q[h, s, a] if a == 0 else max(st.V[h, s], st.Q[h, s, a])


@kernel
def own_stage(st, p, h):
    """Q_h is made from V_h as it stood, for V_{h+1}."""
    value_features(st, p, h - 1)


def no_delta(p: dict[str, Any]) -> dict[str, Any]:
    """ln G for ln(G/delta)."""
    found = derive(p)
    return {**found, "log_term": log(float(found["G"]))}


def undivided(p: dict[str, Any]) -> dict[str, Any]:
    """ln(1/delta) for ln(H/delta) where there is a regression for each stage."""
    return {**derive(p), "log_term": log(1.0 / p["delta"])}


bonus_zero = replace(learner, plan=plan.replace(estimate=no_radius))
log_dropped = replace(learner, plan=plan.replace(estimate=no_determinant))
range_forgotten = replace(learner, plan=plan.replace(estimate=unit_noise))
norm_dropped = replace(learner, plan=plan.replace(estimate=no_norm))
radius_tenfold = replace(learner, plan=plan.replace(estimate=tenfold))
episodes_for_steps = replace(learner, plan=plan.replace(estimate=episodes_counted))
delta_dropped = replace(learner, derive=no_delta)
delta_undivided = replace(learner, derive=undivided)
ridge_off_by_one = replace(learner, begin=larger_ridge)
unvisited_zero = replace(learner, begin=nothing_unknown)
counts_lost = replace(learner, watch=loops_lost)
successor_lost = replace(learner, watch=old_state)
regression_same_stage = replace(learner, watch=same_stage)
stages_mixed = replace(learner, watch=mixed_stages)
reward_in_target = replace(learner, watch=reward_too)
plan_late = replace(learner, watch=every_second)
values_stale = replace(learner, watch=last_values, plan=remembers, state={**learner.state, "V_before": f8["H+1", "S"]})
clipping_off = replace(learner, plan=plan.replace(evaluate=uncapped))
backup_same_stage = replace(learner, plan=plan.replace(evaluate=evaluate.replace(value_features=own_stage)))
argmin = replace(learner, act=least)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_undivided,
    "wrong variance": range_forgotten,
    "count off by one": ridge_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": clipping_off,
    "backup of the wrong stage": backup_same_stage,
    "mass to the wrong state": successor_lost,
    "stale estimate": values_stale,
    "worst action played": argmin,
    "ties to the last": "equivalent: any maximiser will do in the proof, and every step holds for each of them",
    "late trigger": plan_late,
    "draw reused": "no field: no posterior is sampled",
    "wrong length in the logarithm": episodes_for_steps,
}
