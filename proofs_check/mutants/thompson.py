"""Faults planted in Thompson sampling: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from bandits.learners.thompson import learner
from theorylab.kernel import LEARNER, beta, draw, kernel
from theorylab.learner import Learner


@kernel
def mean_only(rng, visit, site, purpose, a, b):
    """The posterior mean in place of a sample."""
    return a / (a + b)


@kernel
def too_wide(rng, visit, site, purpose, a, b):
    """Both parameters divided by four: four times the variance."""
    return beta(rng, visit, site, purpose, 0.25 * a, 0.25 * b)


@kernel
def one_success_more(rng, visit, site, purpose, a, b):
    """Beta(successes + 2, failures + 1)."""
    return beta(rng, visit, site, purpose, a + 1.0, b)


@kernel
def swapped(rng, visit, site, purpose, a, b):
    """Beta(failures + 1, successes + 1)."""
    return beta(rng, visit, site, purpose, b, a)


@kernel
def first_draw(rng, visit, site, purpose, a, b):
    """The same noise in every round."""
    return beta(rng, 0, site, purpose, a, b)


@kernel
def one_coin(rng, visit, site, purpose):
    """The same coin in every round."""
    return draw(rng, 0, site, purpose)


@kernel
def largest(st, p):
    """The arm with the largest sample."""
    best = 0
    for a in range(1, p.A):
        if st.theta[a] > st.theta[best]:
            best = a
    return best


@kernel
def keep_samples(st, p, t, rng):
    """Only the arm that was played last gets a new sample."""
    last = largest(st, p)
    for a in range(p.A):
        if t == 0 or a == last:
            st.theta[a] = beta(rng, t, a, LEARNER, st.successes[a] + 1.0, st.failures[a] + 1.0)
    st.coin[0], _ = draw(rng, t, p.A, LEARNER)
    return largest(st, p)


@kernel
def least_sample(st, p, t, rng):
    """The arm with the smallest sample is played."""
    best = 0
    top = 2.0
    for a in range(p.A):
        x = beta(rng, t, a, LEARNER, st.successes[a] + 1.0, st.failures[a] + 1.0)
        st.theta[a] = x
        if x < top:
            top = x
            best = a
    st.coin[0], _ = draw(rng, t, p.A, LEARNER)
    return best


@kernel
def zero_at_start(st, p, t, rng):
    """Arms that were never played have the sample zero."""
    best = 0
    top = -1.0
    for a in range(p.A):
        x = 0.0
        if st.successes[a] + st.failures[a] > 0:
            x = beta(rng, t, a, LEARNER, st.successes[a] + 1.0, st.failures[a] + 1.0)
        st.theta[a] = x
        if x > top:
            top = x
            best = a
    st.coin[0], _ = draw(rng, t, p.A, LEARNER)
    return best


@kernel
def successes_only(st, p, t, a, r):
    """Failures are not counted."""
    if st.coin[0] < r:
        st.successes[a] += 1


@kernel
def next_arm(st, p, t, a, r):
    """The outcome goes to the next arm."""
    if st.coin[0] < r:
        st.successes[(a + 1) % p.A] += 1
    else:
        st.failures[(a + 1) % p.A] += 1


@kernel
def rounded(st, p, t, a, r):
    """A reward of at least 1/2 is a success: no coin."""
    if r >= 0.5:
        st.successes[a] += 1
    else:
        st.failures[a] += 1


@kernel
def reversed_coin(st, p, t, a, r):
    """Heads are failures."""
    if st.coin[0] < r:
        st.failures[a] += 1
    else:
        st.successes[a] += 1


act = learner.act
bonus_zero = replace(learner, act=act.replace(beta=mean_only))
variance_fourfold = replace(learner, act=act.replace(beta=too_wide))
count_off_by_one = replace(learner, act=act.replace(beta=one_success_more))
parameters_swapped = replace(learner, act=act.replace(beta=swapped))
draw_reused = replace(learner, act=act.replace(beta=first_draw))
coin_reused = replace(learner, act=act.replace(draw=one_coin))
unvisited_zero = replace(learner, act=zero_at_start)
samples_kept = replace(learner, act=keep_samples)
argmin = replace(learner, act=least_sample)
failures_lost = replace(learner, learn=successes_only)
arm_confused = replace(learner, learn=next_arm)
rewards_rounded = replace(learner, learn=rounded)
coin_reversed = replace(learner, learn=reversed_coin)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": "no field: no logarithm enters",
    "delta not divided": "no field: there is no failure probability",
    "wrong variance": variance_fourfold,
    "count off by one": count_off_by_one,
    "lost counts": failures_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": "no field: samples lie in (0, 1) by themselves",
    "backup of the wrong stage": "no field: a bandit has no stages",
    "mass to the wrong state": "no field: a bandit has no transitions; an outcome at the wrong arm is planted instead",
    "stale estimate": samples_kept,
    "worst action played": argmin,
    "ties to the last": "equivalent: two samples are equal with probability zero",
    "late trigger": "no field: every arm is sampled in every round",
    "draw reused": draw_reused,
    "wrong length in the logarithm": "no field: neither clock nor horizon enters",
}
