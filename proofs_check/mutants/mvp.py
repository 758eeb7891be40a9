"""Faults planted in MVP: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Any

from mdps.learners.mvp import C1, C2, C3, learner, refresh, widths
from theorylab.kernel import kernel, log
from theorylab.learner import Learner


@kernel
def no_widths(st, p, s, a):
    """The bonus is zero."""
    st.width[s, a] = 0.0
    st.rest[s, a] = 0.0


@kernel
def widths_ahead(st, p, s, a):
    """The bonus counts one visit too many."""
    rate = p.iota / (st.n[s, a] + 1.0)
    st.width[s, a] = p.scale * C1 * sqrt(rate)
    st.rest[s, a] = p.scale * (C2 * sqrt(st.r_hat[s, a] * rate) + C3 * rate)


@kernel
def widths_of_rewards(st, p, s, a):
    """c3 is lowered to 28/3, what the reward alone needs: the bonus is no longer monotone in the values."""
    rate = p.iota / st.n[s, a]
    st.width[s, a] = p.scale * C1 * sqrt(rate)
    st.rest[s, a] = p.scale * (C2 * sqrt(st.r_hat[s, a] * rate) + 28.0 / 3.0 * rate)


@kernel
def widths_without_rewards(st, p, s, a):
    """The reward's part of the bonus is left out."""
    rate = p.iota / st.n[s, a]
    st.width[s, a] = p.scale * C1 * sqrt(rate)
    st.rest[s, a] = p.scale * C1 * rate


@kernel
def widths_c2_half(st, p, s, a):
    """c2 is sqrt(2), as if r_hat used all visits and their variance were known."""
    rate = p.iota / st.n[s, a]
    st.width[s, a] = p.scale * C1 * sqrt(rate)
    st.rest[s, a] = p.scale * (0.5 * C2 * sqrt(st.r_hat[s, a] * rate) + C3 * rate)


@kernel
def refresh_keeping_theta(st, p, s, a):
    """theta is not reset: r_hat is about twice the mean reward."""
    theta = st.theta[s, a]
    refresh(st, p, s, a)
    st.theta[s, a] = theta


@kernel
def refresh_law_once(st, p, s, a):
    """p_hat is set at the first visit and never again."""
    n = st.N[s, a]
    st.n[s, a] = n
    st.r_hat[s, a] = st.theta[s, a] if n == 1 else 2.0 * st.theta[s, a] / n
    st.theta[s, a] = 0.0
    if n == 1:
        for y in range(p.S):
            st.p_hat[s, a, y] = float(st.moves[s, a, y])
    widths(st, p, s, a)


@kernel
def tally(st, p, s, a, r, s2):
    """Count the step; the visits of the pair."""
    n = st.N[s, a] + 1
    st.N[s, a] = n
    st.moves[s, a, s2] += 1
    st.theta[s, a] += r
    return n


@kernel
def watch_without_loops(st, p, k, h, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    if s2 == s:
        return False
    n = tally(st, p, s, a, r, s2)
    if n & (n - 1) != 0:
        return False
    refresh(st, p, s, a)
    return True


@kernel
def watch_elsewhere(st, p, k, h, s, a, r, s2):
    """Every transition is recorded as staying."""
    n = tally(st, p, s, a, r, s)
    if n & (n - 1) != 0:
        return False
    refresh(st, p, s, a)
    return True


@kernel
def watch_fourfold(st, p, k, h, s, a, r, s2):
    """The model is refreshed at powers of four."""
    n = tally(st, p, s, a, r, s2)
    due = 1
    while due < n:
        due = 4 * due
    if n != due:
        return False
    refresh(st, p, s, a)
    return True


@kernel
def watch_always(st, p, k, h, s, a, r, s2):
    """The model is refreshed at every visit."""
    tally(st, p, s, a, r, s2)
    refresh(st, p, s, a)
    return True


@kernel
def watch_each_episode(st, p, k, h, s, a, r, s2):
    """A plan after every episode, refreshed or not."""
    n = tally(st, p, s, a, r, s2)
    if n & (n - 1) == 0:
        refresh(st, p, s, a)
    return h == p.H - 1


@kernel
def watch_first_only(st, p, k, h, s, a, r, s2):
    """Only refreshes in the last stage are followed by a plan."""
    n = tally(st, p, s, a, r, s2)
    if n & (n - 1) != 0:
        return False
    refresh(st, p, s, a)
    return h == p.H - 1


@kernel
def begin_at_nothing(st, p):
    """Pairs without visits are worth nothing."""
    st.rest[0, 0] = 0.0


@kernel
def backup_with(st, p, h, s, a, cap, square, ahead):
    """Q_h with its parts chosen: the faults below change one each."""
    if st.n[s, a] == 0:
        return 1.0
    mean = 0.0
    second = 0.0
    for y in range(p.S):
        v = st.V[ahead, y]
        mean += st.p_hat[s, a, y] * v
        second += st.p_hat[s, a, y] * v * v
    var = max(0.0, second - square * mean * mean)
    return min(cap, st.r_hat[s, a] + st.rest[s, a] + mean + st.width[s, a] * sqrt(var))


@kernel
def backup_unclipped(st, p, h, s, a):
    """The cap is left out."""
    return backup_with(st, p, h, s, a, 1e9, 1.0, h + 1)


@kernel
def backup_capped_at_H(st, p, h, s, a):
    """The cap is H - h, that of rewards in [0, 1] a step."""
    return backup_with(st, p, h, s, a, float(p.H - h), 1.0, h + 1)


@kernel
def backup_second_moment(st, p, h, s, a):
    """The second moment of V for its variance."""
    return backup_with(st, p, h, s, a, 1.0, 0.0, h + 1)


@kernel
def backup_skipping(st, p, h, s, a):
    """The backup reads stage h + 2."""
    return backup_with(st, p, h, s, a, 1.0, 1.0, min(h + 2, p.H))


@kernel
def least(st, p, k, h, s, rng):
    """The action with the smallest Q is played."""
    worst = 0
    for a in range(1, p.A):
        if st.Q[h, s, a] < st.Q[h, s, worst]:
            worst = a
    return worst


def derive_without_log(p: dict[str, Any]) -> dict[str, Any]:
    """The logarithm is one."""
    return dict(iota=1.0)


def derive_undivided(p: dict[str, Any]) -> dict[str, Any]:
    """ln(2 / delta): the union bound is left out."""
    return dict(iota=log(2.0 / p["delta"]))


def derive_from_episodes(p: dict[str, Any]) -> dict[str, Any]:
    """K is used for T in the number of refreshes."""
    refreshes = int(p["K"]).bit_length()
    return dict(iota=log(2.0 * p["S"] * p["A"] * p["H"] * refreshes / p["delta"]))


def _refresh(**names: Any) -> Learner:
    """A fault inside `refresh`."""
    assert learner.watch is not None
    return replace(learner, watch=learner.watch.replace(refresh=refresh.replace(**names)))


def _plan(kernel: Any) -> Learner:
    assert learner.plan is not None
    return replace(learner, plan=learner.plan.replace(backup=kernel))


assert learner.watch is not None
bonus_zero = _refresh(widths=no_widths)
count_ahead = _refresh(widths=widths_ahead)
c3_lowered = _refresh(widths=widths_of_rewards)
reward_bonus_dropped = _refresh(widths=widths_without_rewards)
c2_halved = _refresh(widths=widths_c2_half)
theta_kept = replace(learner, watch=learner.watch.replace(refresh=refresh_keeping_theta))
p_hat_stale = replace(learner, watch=learner.watch.replace(refresh=refresh_law_once))
counts_lost = replace(learner, watch=watch_without_loops)
mass_to_self = replace(learner, watch=watch_elsewhere)
trigger_late = replace(learner, watch=watch_fourfold)
trigger_always = replace(learner, watch=watch_always)
plan_always = replace(learner, watch=watch_each_episode)
plan_missed = replace(learner, watch=watch_first_only)
unvisited_zero = replace(learner, begin=begin_at_nothing)
clipping_off = _plan(backup_unclipped)
cap_H = _plan(backup_capped_at_H)
second_moment = _plan(backup_second_moment)
stage_skipped = _plan(backup_skipping)
worst_action = replace(learner, act=least)
log_dropped = replace(learner, derive=derive_without_log)
delta_undivided = replace(learner, derive=derive_undivided)
episodes_for_steps = replace(learner, derive=derive_from_episodes)

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
    "ties to the last": "equivalent: every step and the theorem hold for any maximiser of Q",
    "late trigger": trigger_late,
    "draw reused": "no field: nothing is sampled by the learner",
    "wrong length in the logarithm": episodes_for_steps,
}
