"""Faults planted in MOSS: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from bandits.learners.moss import learner
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner

NAN = float("nan")


@kernel
def count(st, a, r):
    """Count the play and add the reward, as the learner does; the plays as a number."""
    st.N[a] += 1
    st.total[a] += r
    return float(st.N[a])


@kernel
def no_bonus(st, p, t, a, r):
    """Greedy: the index is the mean."""
    n = count(st, a, r)
    st.ucb[a] = st.total[a] / n


@kernel
def lower_bound(st, p, t, a, r):
    """The width is subtracted."""
    n = count(st, a, r)
    st.ucb[a] = st.total[a] / n - p.scale * sqrt(max(log(p.T / (p.A * n)), 0.0) / n)


@kernel
def no_log(st, p, t, a, r):
    """The logarithm is dropped from the width."""
    n = count(st, a, r)
    st.ucb[a] = st.total[a] / n + p.scale * sqrt(1.0 / n)


@kernel
def without_arms(st, p, t, a, r):
    """ln(T/N) in place of ln(T/(A N))."""
    n = count(st, a, r)
    st.ucb[a] = st.total[a] / n + p.scale * sqrt(max(log(p.T / n), 0.0) / n)


@kernel
def twice_the_width(st, p, t, a, r):
    """The constant for rewards of unit variance proxy: sqrt(4 ln+(T/(A N))/N)."""
    n = count(st, a, r)
    st.ucb[a] = st.total[a] / n + p.scale * sqrt(4.0 * max(log(p.T / (p.A * n)), 0.0) / n)


@kernel
def one_play_more(st, p, t, a, r):
    """The mean divides by N + 1."""
    n = count(st, a, r)
    st.ucb[a] = st.total[a] / (n + 1.0) + p.scale * sqrt(max(log(p.T / (p.A * n)), 0.0) / n)


@kernel
def lost_counts(st, p, t, a, r):
    """Plays that pay nothing are not counted."""
    if r > 0.0 or st.N[a] == 0:
        st.N[a] += 1
    st.total[a] += r
    n = float(st.N[a])
    st.ucb[a] = st.total[a] / n + p.scale * sqrt(max(log(p.T / (p.A * n)), 0.0) / n)


@kernel
def wrong_sum(st, p, t, a, r):
    """The reward goes to the next arm's sum."""
    st.N[a] += 1
    st.total[(a + 1) % p.A] += r
    n = float(st.N[a])
    st.ucb[a] = st.total[a] / n + p.scale * sqrt(max(log(p.T / (p.A * n)), 0.0) / n)


@kernel
def index_before_reward(st, p, t, a, r):
    """The index is renewed with the sum of before the reward."""
    n = st.N[a] + 1.0
    st.ucb[a] = st.total[a] / n + p.scale * sqrt(max(log(p.T / (p.A * n)), 0.0) / n)
    count(st, a, r)


@kernel
def negative_root(st, p, t, a, r):
    """No maximum with zero: the root of a negative number, which is no number, once N > T/A."""
    n = count(st, a, r)
    inside = log(p.T / (p.A * n))
    st.ucb[a] = st.total[a] / n + p.scale * sqrt(inside / n) if inside >= 0.0 else NAN


@kernel
def anytime(st, p, t, rng):
    """The current round in place of the horizon, as in a popular library: an anytime variant."""
    if t < p.A:
        return t
    best = 0
    for a in range(p.A):
        n = float(st.N[a])
        st.ucb[a] = st.total[a] / n + p.scale * sqrt(max(log(t / (p.A * n)), 0.0) / n)
        if st.ucb[a] > st.ucb[best]:
            best = a
    return best


@kernel
def zero_at_start(st, p, t, rng):
    """Arms that were never played have the index zero."""
    best = 0
    for a in range(1, p.A):
        if st.ucb[a] > st.ucb[best]:
            best = a
    return best


@kernel
def least_index(st, p, t, rng):
    """The arm with the smallest index is played."""
    if t < p.A:
        return t
    best = 0
    for a in range(1, p.A):
        if st.ucb[a] < st.ucb[best]:
            best = a
    return best


bonus_zero = replace(learner, learn=no_bonus)
width_subtracted = replace(learner, learn=lower_bound)
log_dropped = replace(learner, learn=no_log)
arms_not_divided = replace(learner, learn=without_arms)
width_doubled = replace(learner, learn=twice_the_width)
count_off_by_one = replace(learner, learn=one_play_more)
counts_lost = replace(learner, learn=lost_counts)
rewards_swapped = replace(learner, learn=wrong_sum)
index_stale = replace(learner, learn=index_before_reward)
clipping_off = replace(learner, learn=negative_root)
horizon_replaced = replace(learner, act=anytime)
unvisited_zero = replace(learner, act=zero_at_start)
argmin = replace(learner, act=least_index)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": arms_not_divided,
    "wrong variance": width_doubled,
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": clipping_off,
    "backup of the wrong stage": "no field: a bandit has no stages",
    "mass to the wrong state": "no field: a bandit has no transitions; a reward in the wrong sum is planted instead",
    "stale estimate": index_stale,
    "worst action played": argmin,
    "ties to the last": "equivalent: the paper leaves ties open, and every step holds for any rule",
    "late trigger": "no field: nothing is triggered",
    "draw reused": "no field: MOSS draws nothing",
    "wrong length in the logarithm": horizon_replaced,
}
