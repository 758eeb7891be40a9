"""Faults planted in OLSVI.FH: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners._average_linear import begin_data
from mdps.learners.olsvi_fh import derive, evaluate, learner, plan, watch
from theorylab.kernel import combine, kernel, log, product, sqrt
from theorylab.learner import Learner


@kernel
def loops_lost(st, p, t, s, a, r, s2):
    """Steps that stay in the state are not recorded."""
    if s2 != s:
        watch(st, p, t, s, a, r, s2)
    return t - st.start[0] == p.L - 1


@kernel
def old_state(st, p, t, s, a, r, s2):
    """The value regressed on is that of the state that was left."""
    return watch(st, p, t, s, a, r, s)


@kernel
def longer(st, p, t, s, a, r, s2):
    """A plan every second episode; the stage stands still at the last."""
    watch(st, p, t, s, a, r, s2)
    return t - st.start[0] == 2 * p.L - 1


@kernel
def last_stage(st, p, t, s, rng):
    """The first maximiser, the stage at most the last."""
    h = min(t - st.start[0], p.L - 1)
    best = 0
    for a in range(1, p.A):
        if st.Q[h, s, a] > st.Q[h, s, best]:
            best = a
    return best


@kernel
def least(st, p, t, s, rng):
    """The action with the smallest Q is played."""
    h = t - st.start[0]
    best = 0
    for a in range(1, p.A):
        if st.Q[h, s, a] < st.Q[h, s, best]:
            best = a
    return best


@kernel
def first_stage(st, p, t, s, rng):
    """Q of stage 0 at every stage."""
    best = 0
    for a in range(1, p.A):
        if st.Q[0, s, a] > st.Q[0, s, best]:
            best = a
    return best


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
    """The regression is on the reward alone."""
    product(st.Lam_inv, st.x, w, p.d)


@kernel
def uncapped(st, p, h):
    """No cap at L."""
    evaluate(st, p, h)
    for s in range(p.S):
        for a in range(p.A):
            j = s * p.A + a
            st.Q[h, s, a] = st.work[j] + p.beta * sqrt(st.width[j])
            st.V[h, s] = st.Q[h, s, a] if a == 0 else max(st.V[h, s], st.Q[h, s, a])


@kernel
def same_stage(st, p, h):
    """Q_h is made from V_h as it stood, for V_{h+1}."""
    for i in range(p.d):
        st.x[i] = st.paid[i]
    for s2 in range(p.S):
        for i in range(p.d):
            st.x[i] += st.after[s2, i] * st.V[h, s2]
    product(st.Lam_inv, st.x, st.w, p.d)
    combine(p.columns, st.w, st.work, p.S * p.A, p.d)
    for s in range(p.S):
        for a in range(p.A):
            j = s * p.A + a
            st.Q[h, s, a] = min(1.0 * p.L, st.work[j] + p.beta * sqrt(st.width[j]))
            st.V[h, s] = st.Q[h, s, a] if a == 0 else max(st.V[h, s], st.Q[h, s, a])


@kernel
def first_kept(st, p, t, s, rng):
    """The first plans are kept."""
    if t < 3 * p.L:
        return plan(st, p, t, s, rng)
    st.start[0] = t
    return True


def _beta(p: dict[str, Any], size: float) -> dict[str, Any]:
    found = derive(p)
    return {**found, "beta": p["scale"] * p["c"] * p["d"] * found["L"] * sqrt(size)}


def no_bonus(p: dict[str, Any]) -> dict[str, Any]:
    """beta = 0."""
    return {**derive(p), "beta": 0.0}


def no_log(p: dict[str, Any]) -> dict[str, Any]:
    """The logarithm is left out."""
    return _beta(p, 1.0)


def no_delta(p: dict[str, Any]) -> dict[str, Any]:
    """delta is left out."""
    return _beta(p, log(2.0 * p["d"] * p["T"]))


def stages_for_steps(p: dict[str, Any]) -> dict[str, Any]:
    """L for T in the logarithm."""
    return _beta(p, log(2.0 * p["d"] * derive(p)["L"] / p["delta"]))


def no_range(p: dict[str, Any]) -> dict[str, Any]:
    """L is left out of beta."""
    found = derive(p)
    return {**found, "beta": found["beta"] / found["L"]}


def cube_root(p: dict[str, Any]) -> dict[str, Any]:
    """The length is twice the cube root of T."""
    return derive({**p, "length": 1 + int(2.0 * p["T"] ** (1.0 / 3.0))})


bonus_zero = replace(learner, derive=no_bonus)
log_dropped = replace(learner, derive=no_log)
delta_dropped = replace(learner, derive=no_delta)
episodes_for_steps = replace(learner, derive=stages_for_steps)
range_dropped = replace(learner, derive=no_range)
length_wrong = replace(learner, derive=cube_root)
counts_lost = replace(learner, watch=loops_lost)
successor_lost = replace(learner, watch=old_state)
plan_late = replace(learner, watch=longer, act=last_stage)
ridge_off_by_one = replace(learner, begin=larger_ridge)
unvisited_zero = replace(learner, begin=nothing_unknown)
features_without_values = replace(learner, plan=plan.replace(evaluate=evaluate.replace(fit_values=without_values)))
clipping_off = replace(learner, plan=plan.replace(evaluate=uncapped))
backup_same_stage = replace(learner, plan=plan.replace(evaluate=same_stage))
stale = replace(learner, plan=first_kept)
argmin = replace(learner, act=least)
stage_zero = replace(learner, act=first_stage)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": range_dropped,
    "count off by one": ridge_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": clipping_off,
    "backup of the wrong stage": backup_same_stage,
    "mass to the wrong state": successor_lost,
    "stale estimate": stale,
    "worst action played": argmin,
    "ties to the last": "equivalent: any maximiser will do in the proof, and every step holds for each of them",
    "late trigger": plan_late,
    "draw reused": "no field: the learner draws nothing of its own",
    "wrong length in the logarithm": episodes_for_steps,
}
