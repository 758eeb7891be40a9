"""Faults planted in EULER: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Any

from mdps.learners.euler import count, learner, lower, upper, widths
from theorylab.kernel import kernel, log
from theorylab.learner import Learner


@kernel
def no_widths(st, p, g, s, a):
    """All bonuses are zero."""
    st.root[g, s, a] = 0.0
    st.b_r[g, s, a] = 0.0
    st.rest[g, s, a] = 0.0


@kernel
def narrow_rewards(st, p, g, s, a):
    """b_r lacks its second term."""
    widths(st, p, g, s, a)
    st.b_r[g, s, a] = st.root[g, s, a] * sqrt(st.spread[g, s, a] / st.N[g, s, a])


@kernel
def plain_count(st, p, g, s, a):
    """1 / n where 1 / (n - 1) is printed."""
    n = st.N[g, s, a]
    st.root[g, s, a] = p.scale * sqrt(2.0 * p.l / n)
    st.b_r[g, s, a] = st.root[g, s, a] * sqrt(st.spread[g, s, a] / n) + p.scale * 7.0 * p.l / (3.0 * n)
    st.rest[g, s, a] = p.scale * (p.H * p.l / (3.0 * n) + (4.0 * p.J + p.B_p) / n)


@kernel
def watch_without_loops(st, p, k, h, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    g = 0 if p.pooled == 1 else h
    if s2 != s:
        count(st, p, g, s, a, r, s2)
        widths(st, p, g, s, a)
    return h == p.H - 1


@kernel
def watch_from_two(st, p, k, h, s, a, r, s2):
    """The bonus counts one visit too many."""
    g = 0 if p.pooled == 1 else h
    count(st, p, g, s, a, r, s2)
    st.N[g, s, a] += 1
    widths(st, p, g, s, a)
    st.N[g, s, a] -= 1
    return h == p.H - 1


@kernel
def watch_elsewhere(st, p, k, h, s, a, r, s2):
    """Every transition is recorded as staying."""
    g = 0 if p.pooled == 1 else h
    count(st, p, g, s, a, r, s)
    widths(st, p, g, s, a)
    return h == p.H - 1


@kernel
def count_once(st, p, g, s, a, r, s2):
    """p_hat is set at the first visit and never again."""
    n = st.N[g, s, a] + 1
    st.N[g, s, a] = n
    st.moves[g, s, a, s2] += 1
    change = r - st.r_hat[g, s, a]
    st.r_hat[g, s, a] += change / n
    st.spread[g, s, a] += change * (r - st.r_hat[g, s, a])
    if n == 1:
        st.p_hat[g, s, a, s2] = 1.0


@kernel
def watch_late(st, p, k, h, s, a, r, s2):
    """A plan every second episode."""
    g = 0 if p.pooled == 1 else h
    count(st, p, g, s, a, r, s2)
    widths(st, p, g, s, a)
    return h == p.H - 1 and k % 2 == 1


@kernel
def begin_at_nothing(st, p):
    """Pairs without visits are worth nothing."""
    st.rest[0, 0, 0] = 0.0


@kernel
def upper_in_full(st, p, h, s, a, cap, low, square, norm, ahead):
    """Q_up with its parts weighted: the faults below set one weight each."""
    g = 0 if p.pooled == 1 else h
    if st.N[g, s, a] == 0:
        return float(p.H - h)
    mean = 0.0
    apart = 0.0
    second = 0.0
    for y in range(p.S):
        q = st.p_hat[g, s, a, y]
        v = st.V_up[ahead, y]
        d = v - low * st.V_low[ahead, y]
        mean += q * v
        second += q * v * v
        apart += q * d * d
    var = max(0.0, second - square * mean * mean)
    known = st.r_hat[g, s, a] + st.b_r[g, s, a] + st.rest[g, s, a] + mean
    return min(cap, known + st.root[g, s, a] * (sqrt(var) + norm * sqrt(apart)))


@kernel
def upper_unclipped(st, p, h, s, a):
    """The cap is left out."""
    return upper_in_full(st, p, h, s, a, 1e9, 1.0, 1.0, 1.0, h + 1)


@kernel
def upper_second_moment(st, p, h, s, a):
    """The second moment of V_up for its variance."""
    return upper_in_full(st, p, h, s, a, float(p.H - h), 1.0, 0.0, 1.0, h + 1)


@kernel
def upper_skipping(st, p, h, s, a):
    """The backup reads stage h + 2."""
    return upper_in_full(st, p, h, s, a, float(p.H - h), 1.0, 1.0, 1.0, min(h + 2, p.H))


@kernel
def upper_without_norm(st, p, h, s, a):
    """The correction B_v |V_up - V_low| / sqrt(n) is left out."""
    return upper_in_full(st, p, h, s, a, float(p.H - h), 1.0, 1.0, 0.0, h + 1)


@kernel
def upper_norm_of_upper(st, p, h, s, a):
    """The norm of V_up instead of V_up - V_low: the lower value is forgotten."""
    return upper_in_full(st, p, h, s, a, float(p.H - h), 0.0, 1.0, 1.0, h + 1)


@kernel
def lower_unclipped(st, p, h, s, a):
    """max(0, .) is left out."""
    g = 0 if p.pooled == 1 else h
    mean = 0.0
    second = 0.0
    apart = 0.0
    for y in range(p.S):
        q = st.p_hat[g, s, a, y]
        v = st.V_low[h + 1, y]
        mean += q * v
        second += q * v * v
        apart += q * (st.V_up[h + 1, y] - v) * (st.V_up[h + 1, y] - v)
    width = sqrt(max(0.0, second - mean * mean)) + sqrt(apart)
    return st.r_hat[g, s, a] + mean - st.b_r[g, s, a] - st.rest[g, s, a] - st.root[g, s, a] * width


@kernel
def lower_phi_of_upper(st, p, h, s, a):
    """phi of the lower value takes V_up, as if computed once for both."""
    g = 0 if p.pooled == 1 else h
    mean = 0.0
    up_mean = 0.0
    apart = 0.0
    for y in range(p.S):
        q = st.p_hat[g, s, a, y]
        d = st.V_up[h + 1, y] - st.V_low[h + 1, y]
        mean += q * st.V_low[h + 1, y]
        up_mean += q * st.V_up[h + 1, y]
        apart += q * d * d
    var = 0.0
    for y in range(p.S):
        d = st.V_up[h + 1, y] - up_mean
        var += st.p_hat[g, s, a, y] * d * d
    bonus = st.b_r[g, s, a] + st.rest[g, s, a] + st.root[g, s, a] * (sqrt(var) + sqrt(apart))
    return max(0.0, st.r_hat[g, s, a] + mean - bonus)


@kernel
def lower_with_plus(st, p, h, s, a):
    """The bonus is added to the lower value too, which is then the upper one."""
    return upper(st, p, h, s, a)


@kernel
def lower_of_best(st, p, h, s, a):
    """The lower value takes its own best action instead of the upper value's."""
    top = lower(st, p, h, s, 0)
    for b in range(1, p.A):
        top = max(top, lower(st, p, h, s, b))
    return top


@kernel
def least(st, p, k, h, s, rng):
    """The action with the smallest Q_up is played."""
    worst = 0
    for a in range(1, p.A):
        if st.Q_up[h, s, a] < st.Q_up[h, s, worst]:
            worst = a
    return worst


def derived(p: dict[str, Any], l: float) -> dict[str, Any]:  # noqa: E741
    """The constants that follow from a logarithm."""
    return dict(l=l, J=p["H"] * l / 3.0, B_p=p["H"] * sqrt(2.0 * l))


def derive_without_log(p: dict[str, Any]) -> dict[str, Any]:
    """The logarithm is one."""
    return derived(p, 1.0)


def derive_undivided(p: dict[str, Any]) -> dict[str, Any]:
    """delta itself for delta / 7."""
    return derived(p, log(4.0 * p["S"] * p["A"] * p["T"] / p["delta"]))


def derive_from_episodes(p: dict[str, Any]) -> dict[str, Any]:
    """K is used for T in the logarithm."""
    return derived(p, log(4.0 * p["S"] * p["A"] * p["K"] / (p["delta"] / 7.0)))


def derive_small_B_p(p: dict[str, Any]) -> dict[str, Any]:
    """B_p lacks its factor H."""
    return {**derived(p, learner_log(p)), "B_p": sqrt(2.0 * learner_log(p))}


def learner_log(p: dict[str, Any]) -> float:
    """The faithful logarithm."""
    return float(log(4.0 * p["S"] * p["A"] * p["T"] / (p["delta"] / 7.0)))


def _watch(**names: Any) -> Learner:
    assert learner.watch is not None
    return replace(learner, watch=learner.watch.replace(**names))


def _plan(**names: Any) -> Learner:
    assert learner.plan is not None
    return replace(learner, plan=learner.plan.replace(**names))


bonus_zero = _watch(widths=no_widths)
b_r_half = _watch(widths=narrow_rewards)
n_for_n_minus_one = _watch(widths=plain_count)
counts_lost = replace(learner, watch=watch_without_loops)
count_ahead = replace(learner, watch=watch_from_two)
mass_to_self = replace(learner, watch=watch_elsewhere)
p_hat_stale = _watch(count=count_once)
plan_late = replace(learner, watch=watch_late)
unvisited_zero = replace(learner, begin=begin_at_nothing)
clipping_off = _plan(upper=upper_unclipped)
second_moment = _plan(upper=upper_second_moment)
stage_skipped = _plan(upper=upper_skipping)
norm_dropped = _plan(upper=upper_without_norm)
norm_of_upper = _plan(upper=upper_norm_of_upper)
lower_below_zero = _plan(lower=lower_unclipped)
phi_of_upper = _plan(lower=lower_phi_of_upper)
lower_plus = _plan(lower=lower_with_plus)
lower_own_action = _plan(lower=lower_of_best)
worst_action = replace(learner, act=least)
log_dropped = replace(learner, derive=derive_without_log)
delta_undivided = replace(learner, derive=derive_undivided)
episodes_for_steps = replace(learner, derive=derive_from_episodes)
B_p_without_H = replace(learner, derive=derive_small_B_p)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_undivided,
    "wrong variance": second_moment,
    "count off by one": count_ahead,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": clipping_off,
    "backup of the wrong stage": stage_skipped,
    "mass to the wrong state": mass_to_self,
    "stale estimate": p_hat_stale,
    "worst action played": worst_action,
    "ties to the last": "equivalent: every step and the theorem hold for any maximiser of Q_up",
    "late trigger": plan_late,
    "draw reused": "no field: nothing is sampled by the learner",
    "wrong length in the logarithm": episodes_for_steps,
}
