"""Faults planted in LSVI-UCB: each is one wrong line, as it is found in real code.

The shared matrix, the bonus with a term of first order and the cap left out at the choice of the action are what a
public port does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners.lsvi_ucb import begin, derive, learner, plan, watch
from proofs_check.mutants._greedy import least
from theorylab.kernel import combine, dot, kernel, log, product, rank_one_inverse, sqrt
from theorylab.learner import Learner


@kernel
def include(st, p, h, g, s, a, r, s2):
    """One step of stage h in the sums of stage h and in the matrix of stage g."""
    for i in range(p.d):
        st.after[h, s2, i] += p.phi[s, a, i]
        st.paid[h, i] += p.phi[s, a, i] * r
    absorb(st, p, g, s, a)


@kernel
def absorb(st, p, g, s, a):
    """phi(s,a) in the matrix and the widths of stage g."""
    shrink = 1.0 / (1.0 + rank_one_inverse(st.Lam_inv[g], p.phi[s, a], st.x, p.d))
    combine(p.columns, st.x, st.work, p.S * p.A, p.d)
    for j in range(p.S * p.A):
        st.width[g, j] -= st.work[j] * st.work[j] * shrink


@kernel
def settle(st, p, h, j, q, v):
    """Q of the pair j, and its value v in the maximum over the actions."""
    s = j // p.A
    st.Q[h, s, j - s * p.A] = q
    st.V[h, s] = v if j == s * p.A else max(st.V[h, s], v)


@kernel
def loops_lost(st, p, k, h, s, a, r, s2):
    """Steps that stay in the state are not recorded."""
    if s2 != s:
        include(st, p, h, h, s, a, r, s2)
    return h == p.H - 1


@kernel
def one_matrix(st, p, k, h, s, a, r, s2):
    """One matrix for all stages: the steps of every stage enter all of them."""
    include(st, p, h, 0, s, a, r, s2)
    for g in range(1, p.H):
        absorb(st, p, g, s, a)
    return h == p.H - 1


@kernel
def old_state(st, p, k, h, s, a, r, s2):
    """The step is recorded as if it had stayed in s."""
    include(st, p, h, h, s, a, r, s)
    return h == p.H - 1


@kernel
def fixed_target(st, p, k, h, s, a, r, s2):
    """The target is fixed with V_{h+1} as it is now, and not recomputed by later plans."""
    include(st, p, h, h, s, a, r + st.V[h + 1, s2], s2)
    return h == p.H - 1


@kernel
def paid_alone(st, p, h):
    """Regression on sums of targets made when the steps were."""
    product(st.Lam_inv[h], st.paid[h], st.w[h], p.d)


@kernel
def every_second(st, p, k, h, s, a, r, s2):
    """A plan only after every second episode."""
    return watch(st, p, k, h, s, a, r, s2) and k % 2 == 1


@kernel
def same_stage(st, p, h):
    """The targets use V_h as it stood for V_{h+1}."""
    for i in range(p.d):
        st.x[i] = st.paid[h, i]
    for s2 in range(p.S):
        for i in range(p.d):
            st.x[i] += st.after[h, s2, i] * st.V[h, s2]
    product(st.Lam_inv[h], st.x, st.w[h], p.d)


@kernel
def larger_ridge(st, p):
    """The matrices start at (lam + 1) I."""
    begin(st, p)
    for h in range(p.H):
        for i in range(p.d):
            st.Lam_inv[h, i, i] = 1.0 / (p.lam + 1.0)
        for j in range(p.S * p.A):
            st.width[h, j] *= p.lam / (p.lam + 1.0)


@kernel
def uncapped(st, p, h):
    """No cap at H."""
    for j in range(p.S * p.A):
        s = j // p.A
        value = dot(p.phi[s, j - s * p.A], st.w[h], p.d) + p.beta * sqrt(st.width[h, j])
        settle(st, p, h, j, value, value)


@kernel
def uncapped_target(st, p, h):
    """Q is capped, the value that enters the targets is not."""
    for j in range(p.S * p.A):
        s = j // p.A
        value = dot(p.phi[s, j - s * p.A], st.w[h], p.d) + p.beta * sqrt(st.width[h, j])
        settle(st, p, h, j, min(float(p.H), value), value)


@kernel
def uncapped_choice(st, p, h):
    """The targets are capped, the Q that chooses the action is not."""
    for j in range(p.S * p.A):
        s = j // p.A
        value = dot(p.phi[s, j - s * p.A], st.w[h], p.d) + p.beta * sqrt(st.width[h, j])
        settle(st, p, h, j, value, min(float(p.H), value))


@kernel
def port(st, p, h):
    """The bonus of a public port: c |phi| + H |phi|^2."""
    for j in range(p.S * p.A):
        s = j // p.A
        bonus = p.scale * p.c * sqrt(st.width[h, j]) + p.H * st.width[h, j]
        value = min(float(p.H), dot(p.phi[s, j - s * p.A], st.w[h], p.d) + bonus)
        settle(st, p, h, j, value, value)


@kernel
def ignorant(st, p, h):
    """Pairs of which nothing has been learnt are worth zero."""
    for j in range(p.S * p.A):
        s = j // p.A
        a = j - s * p.A
        value = min(float(p.H), dot(p.phi[s, a], st.w[h], p.d) + p.beta * sqrt(st.width[h, j]))
        if st.width[h, j] * p.lam >= dot(p.phi[s, a], p.phi[s, a], p.d):
            value = 0.0
        settle(st, p, h, j, value, value)


def no_bonus(p: dict[str, Any]) -> dict[str, Any]:
    """beta = 0."""
    return {**derive(p), "beta": 0.0}


def no_log(p: dict[str, Any]) -> dict[str, Any]:
    """beta = c d H."""
    return {**derive(p), "beta": p["scale"] * p["c"] * p["d"] * p["H"]}


def no_delta(p: dict[str, Any]) -> dict[str, Any]:
    """iota = ln(2dT)."""
    return {**derive(p), "beta": p["scale"] * p["c"] * p["d"] * p["H"] * sqrt(log(2.0 * p["d"] * p["T"]))}


def episodes_in_log(p: dict[str, Any]) -> dict[str, Any]:
    """iota = ln(2dK/delta)."""
    return {**derive(p), "beta": p["scale"] * p["c"] * p["d"] * p["H"] * sqrt(log(2.0 * p["d"] * p["K"] / p["delta"]))}


def no_dimension(p: dict[str, Any]) -> dict[str, Any]:
    """beta = c H sqrt(iota)."""
    found = derive(p)
    return {**found, "beta": found["beta"] / p["d"]}


def tenfold(p: dict[str, Any]) -> dict[str, Any]:
    """beta is ten times too large."""
    found = derive(p)
    return {**found, "beta": 10.0 * found["beta"]}


bonus_zero = replace(learner, derive=no_bonus)
log_dropped = replace(learner, derive=no_log)
delta_dropped = replace(learner, derive=no_delta)
episodes_for_steps = replace(learner, derive=episodes_in_log)
dimension_dropped = replace(learner, derive=no_dimension)
bonus_tenfold = replace(learner, derive=tenfold)
ridge_off_by_one = replace(learner, begin=larger_ridge)
counts_lost = replace(learner, watch=loops_lost)
shared_matrix = replace(learner, watch=one_matrix)
successor_lost = replace(learner, watch=old_state)
targets_stale = replace(learner, watch=fixed_target, plan=plan.replace(regress=paid_alone))
plan_late = replace(learner, watch=every_second)
backup_same_stage = replace(learner, plan=plan.replace(regress=same_stage))
clipping_off = replace(learner, plan=plan.replace(evaluate=uncapped))
target_uncapped = replace(learner, plan=plan.replace(evaluate=uncapped_target))
choice_uncapped = replace(learner, plan=plan.replace(evaluate=uncapped_choice))
port_bonus = replace(learner, plan=plan.replace(evaluate=port))
unvisited_zero = replace(learner, plan=plan.replace(evaluate=ignorant))
argmin = replace(learner, act=least)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": dimension_dropped,  # the bonus has no variance: a factor of its width is left out instead
    "count off by one": ridge_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": clipping_off,
    "backup of the wrong stage": backup_same_stage,
    "mass to the wrong state": successor_lost,
    "stale estimate": targets_stale,
    "worst action played": argmin,
    "ties to the last": "equivalent: the paper allows any maximiser, and every step holds for each of them",
    "late trigger": plan_late,
    "draw reused": "no field: no posterior is sampled",
    "wrong length in the logarithm": episodes_for_steps,
}
