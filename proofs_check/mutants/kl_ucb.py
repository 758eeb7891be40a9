"""Faults planted in KL-UCB: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from bandits.learners.kl_ucb import allowance, learner, upper
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def nothing_allowed(p, n):
    """No exploration: the index is the mean."""
    return 0.0


@kernel
def without_log(p, n):
    """The leading logarithm is dropped: c ln ln n alone."""
    return p.scale * p.c * max(log(log(n)), 0.0)


@kernel
def without_log_log(p, n):
    """The term c ln ln n, which pays for the union bound, is left out."""
    return p.scale * log(n)


@kernel
def of_horizon(p, n):
    """The logarithms are of the horizon T, not of the clock."""
    return p.scale * (log(float(p.T)) + p.c * log(log(float(p.T))))


@kernel
def hoeffding(N, S, rest, budget):
    """Pinsker's inequality in place of the divergence: mean + sqrt(budget / (2 N)), which may exceed 1."""
    return S / N + sqrt(0.5 * budget / N)


@kernel
def no_cap(N, S, rest, budget):
    """Arms that always paid 1 get mean + sqrt(budget / (2 N)): the cap q <= 1 is left out."""
    if S >= N:
        return 1.0 + sqrt(0.5 * budget / N)
    return upper(N, S, rest, budget)


@kernel
def swapped(N, S, rest, budget):
    """The arguments of kl swapped: the largest q with N kl(q, mean) <= budget, by bisection."""
    mean = S / N
    if mean <= 0.0 or mean >= 1.0:
        return mean
    low = mean
    high = 1.0
    for _ in range(50):
        q = 0.5 * (low + high)
        if N * (q * log(q / mean) + (1.0 - q) * log((1.0 - q) / (1.0 - mean))) <= budget:
            low = q
        else:
            high = q
    return low


@kernel
def one_play_more(N, S, rest, budget):
    """(N + 1) kl <= budget."""
    return upper(N, S, rest, budget * N / (N + 1.0))


@kernel
def one_step(N, S, rest, budget):
    """Newton's method is stopped after one step from Pinsker's start."""
    F = N - S
    if F <= 0.0:
        return 1.0
    q = S / N + sqrt(0.5 * budget / N)
    if q >= 1.0:
        return 1.0
    slope = F / (1.0 - q) - S / q
    return q - (rest - S * log(q) - F * log(1.0 - q) - budget) / slope


@kernel
def indices_of_played(st, p, t, rng):
    """Arms that were never played have the index zero."""
    if t == 0:
        return 0
    budget = allowance(p, t + 1.0)
    best = 0
    st.top[0] = 0.0
    for a in range(p.A):
        if st.N[a] > 0:
            q = upper(float(st.N[a]), st.total[a], st.rest[a], budget)
            if q > st.top[0]:
                st.top[0] = q
                best = a
    return best


@kernel
def least_index(st, p, t, rng):
    """The arm with the smallest index is played."""
    if t < p.A:
        return t
    budget = allowance(p, t + 1.0)
    best = 0
    st.top[0] = 2.0
    for a in range(p.A):
        q = upper(float(st.N[a]), st.total[a], st.rest[a], budget)
        if q < st.top[0]:
            st.top[0] = q
            best = a
    return best


@kernel
def entropy_part(x, n):
    """x ln(x/n), 0 at x = 0."""
    if x <= 0.0:
        return 0.0
    return x * log(x / n)


@kernel
def renew(st, a):
    """The part of N kl(mean, .) that depends on the mean alone."""
    n = float(st.N[a])
    s = st.total[a]
    st.rest[a] = entropy_part(s, n) + entropy_part(n - s, n)


@kernel
def lost_counts(st, p, t, a, r):
    """Plays that pay nothing are not counted."""
    if r > 0.0 or st.N[a] == 0:
        st.N[a] += 1
    st.total[a] += r
    renew(st, a)


@kernel
def wrong_sum(st, p, t, a, r):
    """The reward goes to the next arm's sum."""
    st.N[a] += 1
    st.total[(a + 1) % p.A] += r
    renew(st, a)


@kernel
def stale_rest(st, p, t, a, r):
    """What depends on the mean is renewed only when the play paid."""
    st.N[a] += 1
    st.total[a] += r
    if r > 0.0:
        renew(st, a)


@kernel
def twice(st, p, t, a, r):
    """Plays that pay nothing are counted twice."""
    st.N[a] += 1 if r > 0.0 else 2
    st.total[a] += r
    renew(st, a)


act = learner.act
bonus_zero = replace(learner, act=act.replace(allowance=nothing_allowed))
log_dropped = replace(learner, act=act.replace(allowance=without_log))
log_log_dropped = replace(learner, act=act.replace(allowance=without_log_log))
horizon_for_clock = replace(learner, act=act.replace(allowance=of_horizon))
pinsker_index = replace(learner, act=act.replace(upper=hoeffding))
cap_left_out = replace(learner, act=act.replace(upper=no_cap))
arguments_swapped = replace(learner, act=act.replace(upper=swapped))
count_off_by_one = replace(learner, act=act.replace(upper=one_play_more))
newton_cut_short = replace(learner, act=act.replace(upper=one_step))
unvisited_zero = replace(learner, act=indices_of_played)
argmin = replace(learner, act=least_index)
counts_lost = replace(learner, learn=lost_counts)
counts_doubled = replace(learner, learn=twice)
rewards_swapped = replace(learner, learn=wrong_sum)
rest_stale = replace(learner, learn=stale_rest)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": log_log_dropped,
    "wrong variance": pinsker_index,
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": cap_left_out,
    "backup of the wrong stage": "no field: a bandit has no stages",
    "mass to the wrong state": "no field: a bandit has no transitions; a reward in the wrong sum is planted instead",
    "stale estimate": rest_stale,
    "worst action played": argmin,
    "ties to the last": "equivalent: the paper leaves ties open, and every step holds for any rule",
    "late trigger": "no field: the index is computed in every round",
    "draw reused": "no field: KL-UCB draws nothing",
    "wrong length in the logarithm": horizon_for_clock,
}
