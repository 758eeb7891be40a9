"""Faults planted in optimistic Q-learning: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners.optimistic_q import derive, discount, learner
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def largest(st, p, s):
    """max_a Qhat(s, a)."""
    top = st.Qhat[s, 0]
    for b in range(1, p.A):
        top = max(top, st.Qhat[s, b])
    return top


@kernel
def step(st, p, s, a, target, bonus, rate):
    """Move one pair towards its target, then the minimum and the value: shared by faults that break something else."""
    st.bonus[0] = bonus
    st.Q[s, a] = (1.0 - rate) * st.Q[s, a] + rate * (target + bonus)
    st.Qhat[s, a] = min(st.Qhat[s, a], st.Q[s, a])
    st.Vhat[s] = largest(st, p, s)


@kernel
def with_bonus(st, p, s, a, r, s2, bonus):
    """The update with another bonus."""
    n = st.N[s, a] + 1
    st.N[s, a] = n
    step(st, p, s, a, r + p.gamma * st.Vhat[s2], bonus, (p.H + 1.0) / (p.H + n))


@kernel
def no_bonus(st, p, t, s, a, r, s2):
    """b = 0."""
    with_bonus(st, p, s, a, r, s2, 0.0)


@kernel
def fast_bonus(st, p, t, s, a, r, s2):
    """b shrinks like 1/n."""
    with_bonus(st, p, s, a, r, s2, p.c * sqrt(p.H) / (st.N[s, a] + 1.0))


@kernel
def large_bonus(st, p, t, s, a, r, s2):
    """b is ten times too large."""
    with_bonus(st, p, s, a, r, s2, 10.0 * p.c * sqrt(p.H / (st.N[s, a] + 1.0)))


@kernel
def with_rate(st, p, s, a, r, s2, rate):
    """The update with another rate."""
    n = st.N[s, a] + 1
    st.N[s, a] = n
    step(st, p, s, a, r + p.gamma * st.Vhat[s2], p.c * sqrt(p.H / n), rate)


@kernel
def averaging(st, p, t, s, a, r, s2):
    """The rate of a plain average, 1/n."""
    with_rate(st, p, s, a, r, s2, 1.0 / (st.N[s, a] + 1.0))


@kernel
def count_behind(st, p, t, s, a, r, s2):
    """The rate uses the count before the visit."""
    with_rate(st, p, s, a, r, s2, (p.H + 1.0) / (p.H + st.N[s, a]))


@kernel
def with_target(st, p, s, a, target):
    """The update with another target."""
    n = st.N[s, a] + 1
    st.N[s, a] = n
    step(st, p, s, a, target, p.c * sqrt(p.H / n), (p.H + 1.0) / (p.H + n))


@kernel
def same_state(st, p, t, s, a, r, s2):
    """The backup reads Vhat(s) for Vhat(s')."""
    with_target(st, p, s, a, r + p.gamma * st.Vhat[s])


@kernel
def no_discount(st, p, t, s, a, r, s2):
    """The backup is not discounted."""
    with_target(st, p, s, a, r + st.Vhat[s2])


@kernel
def lost_counts(st, p, t, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    n = st.N[s, a] + 1
    if s2 != s:
        st.N[s, a] = n
    step(st, p, s, a, r + p.gamma * st.Vhat[s2], p.c * sqrt(p.H / n), (p.H + 1.0) / (p.H + n))


@kernel
def no_minimum(st, p, t, s, a, r, s2):
    """Qhat = Q: no running minimum, hence no cap."""
    with_target(st, p, s, a, r + p.gamma * st.Vhat[s2])
    st.Qhat[s, a] = st.Q[s, a]
    st.Vhat[s] = largest(st, p, s)


@kernel
def running_maximum(st, p, t, s, a, r, s2):
    """max for min."""
    before = st.Qhat[s, a]
    with_target(st, p, s, a, r + p.gamma * st.Vhat[s2])
    st.Qhat[s, a] = max(before, st.Q[s, a])
    st.Vhat[s] = largest(st, p, s)


@kernel
def stale_value(st, p, t, s, a, r, s2):
    """Qhat is updated, Vhat is not."""
    before = st.Vhat[s]
    with_target(st, p, s, a, r + p.gamma * st.Vhat[s2])
    st.Vhat[s] = before


@kernel
def value_of_action(st, p, t, s, a, r, s2):
    """Vhat is Qhat of the action played, not the largest."""
    with_target(st, p, s, a, r + p.gamma * st.Vhat[s2])
    st.Vhat[s] = st.Qhat[s, a]


@kernel
def begin_at_zero(st, p):
    """Everything starts at zero."""
    st.bonus[0] = 0.0
    for s in range(p.S):
        st.Vhat[s] = 0.0
        for a in range(p.A):
            st.Q[s, a] = 0.0
            st.Qhat[s, a] = 0.0
            st.N[s, a] = 0


@kernel
def least(st, p, t, s, rng):
    """The smallest Qhat is played."""
    best = 0
    for a in range(1, p.A):
        if st.Qhat[s, a] < st.Qhat[s, best]:
            best = a
    return best


def with_logarithm(p: dict[str, Any], logarithm: float) -> dict[str, Any]:
    """The constants with another logarithm."""
    return {**derive(p), "c": 4.0 * p["scale"] * p["span"] * sqrt(logarithm)}


def derive_without_log(p: dict[str, Any]) -> dict[str, Any]:
    """The logarithm is dropped."""
    return with_logarithm(p, 1.0)


def derive_without_delta(p: dict[str, Any]) -> dict[str, Any]:
    """delta is left out of the logarithm."""
    return with_logarithm(p, log(2.0 * p["T"]))


def derive_without_length(p: dict[str, Any]) -> dict[str, Any]:
    """T is left out of the logarithm."""
    return with_logarithm(p, log(2.0 / p["delta"]))


def derive_one_less(p: dict[str, Any]) -> dict[str, Any]:
    """H = gamma / (1 - gamma) where 1 / (1 - gamma) was meant: one less."""
    gamma = discount(p)
    return {**derive(p), "H": gamma / (1.0 - gamma)}


bonus_zero = replace(learner, learn=no_bonus)
log_dropped = replace(learner, derive=derive_without_log)
delta_dropped = replace(learner, derive=derive_without_delta)
length_dropped = replace(learner, derive=derive_without_length)
bonus_one_over_n = replace(learner, learn=fast_bonus)
bonus_tenfold = replace(learner, learn=large_bonus)
rate_one_over_n = replace(learner, learn=averaging)
count_off_by_one = replace(learner, learn=count_behind)
backup_same_state = replace(learner, learn=same_state)
undiscounted = replace(learner, learn=no_discount)
counts_lost = replace(learner, learn=lost_counts)
minimum_left_out = replace(learner, learn=no_minimum)
max_for_min = replace(learner, learn=running_maximum)
value_stale = replace(learner, learn=stale_value)
value_of_played = replace(learner, learn=value_of_action)
unvisited_zero = replace(learner, begin=begin_at_zero)
horizon_one_less = replace(learner, derive=derive_one_less)
argmin = replace(learner, act=least)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": "no field: the bonus is Hoeffding's, no variance enters",
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": minimum_left_out,
    "backup of the wrong stage": backup_same_state,
    "mass to the wrong state": "no field: no kernel is estimated",
    "stale estimate": value_stale,
    "worst action played": argmin,
    "ties to the last": "equivalent: the theorem holds for any rule for ties, and so does every step",
    "late trigger": "no field: every visit updates at once",
    "draw reused": "no field: nothing is drawn",
    "wrong length in the logarithm": length_dropped,
}
