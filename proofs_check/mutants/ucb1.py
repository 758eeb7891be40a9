"""Faults planted in UCB1: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from bandits.learners.ucb1 import learner
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def largest(st, p):
    """The first arm with the largest index."""
    best = 0
    for a in range(1, p.A):
        if st.ucb[a] > st.ucb[best]:
            best = a
    return best


@kernel
def no_bonus(st, p, t, rng):
    """Greedy: the index is the mean."""
    if t < p.A:
        return t
    for a in range(p.A):
        st.ucb[a] = st.total[a] / st.N[a]
    return largest(st, p)


@kernel
def no_log(st, p, t, rng):
    """The logarithm is dropped from the width."""
    if t < p.A:
        return t
    for a in range(p.A):
        st.ucb[a] = st.total[a] / st.N[a] + sqrt(2.0 / st.N[a])
    return largest(st, p)


@kernel
def small_bonus(st, p, t, rng):
    """The width shrinks like 1/N instead of 1/sqrt(N)."""
    if t < p.A:
        return t
    for a in range(p.A):
        st.ucb[a] = st.total[a] / st.N[a] + 2.0 * log(float(t)) / st.N[a] / 8.0
    return largest(st, p)


@kernel
def least_index(st, p, t, rng):
    """The arm with the smallest index is played."""
    if t < p.A:
        return t
    for a in range(p.A):
        st.ucb[a] = st.total[a] / st.N[a] + sqrt(2.0 * log(float(t)) / st.N[a])
    best = 0
    for a in range(1, p.A):
        if st.ucb[a] < st.ucb[best]:
            best = a
    return best


@kernel
def lost_counts(st, p, t, a, r):
    """Plays that pay nothing are not counted."""
    if r > 0.0 or st.N[a] == 0:
        st.N[a] += 1
    st.total[a] += r


@kernel
def stale_rewards(st, p, t, a, r):
    """The reward goes to the next arm's sum."""
    st.N[a] += 1
    st.total[(a + 1) % p.A] += r


@kernel
def count_ahead(st, p, t, rng):
    """The width uses N + 1 plays."""
    if t < p.A:
        return t
    for a in range(p.A):
        st.ucb[a] = st.total[a] / st.N[a] + sqrt(2.0 * log(float(t)) / (st.N[a] + 1.0))
    return largest(st, p)


@kernel
def fixed_clock(st, p, t, rng):
    """The logarithm is of the horizon T, not of the clock."""
    if t < p.A:
        return t
    for a in range(p.A):
        st.ucb[a] = st.total[a] / st.N[a] + sqrt(2.0 * log(float(p.T)) / st.N[a])
    return largest(st, p)


@kernel
def skip_unplayed(st, p, t, rng):
    """Only the first arm is played at the start; arms without plays have index zero."""
    if t == 0:
        return 0
    for a in range(p.A):
        st.ucb[a] = 0.0
        if st.N[a] > 0:
            st.ucb[a] = st.total[a] / st.N[a] + sqrt(2.0 * log(float(t)) / st.N[a])
    return largest(st, p)


bonus_zero = replace(learner, act=no_bonus)
log_dropped = replace(learner, act=no_log)
bonus_one_over_n = replace(learner, act=small_bonus)
argmin = replace(learner, act=least_index)
counts_lost = replace(learner, learn=lost_counts)
rewards_swapped = replace(learner, learn=stale_rewards)
count_off_by_one = replace(learner, act=count_ahead)
horizon_for_clock = replace(learner, act=fixed_clock)
unplayed_zero = replace(learner, act=skip_unplayed)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": "no field: the index has no failure probability",
    "wrong variance": "no field: the width is Hoeffding's, no variance enters",
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unplayed_zero,
    "no clipping": "no field: indices have no cap",
    "backup of the wrong stage": "no field: a bandit has no stages",
    "mass to the wrong state": "no field: a bandit has no states",
    "stale estimate": rewards_swapped,
    "worst action played": argmin,
    "ties to the last": "equivalent: theorem 1 allows any rule for ties, and every step holds for each of them",
    "late trigger": "no field: the index is computed in every round",
    "draw reused": "no field: no posterior is sampled",
    "wrong length in the logarithm": horizon_for_clock,
}
