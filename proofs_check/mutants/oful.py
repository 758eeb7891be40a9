"""Faults planted in OFUL: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bandits.learners._ridge import along, first_largest
from bandits.learners.oful import act, begin, learn, learner, radius, update
from theorylab.kernel import dot, exp, kernel, log, product, rank_one_inverse, sqrt
from theorylab.learner import Learner


def with_radius(radius: Any) -> Learner:
    """The learner with another radius."""
    return replace(learner, begin=begin.replace(radius=radius), learn=learn.replace(radius=radius))


@kernel
def no_radius(st, p, n):
    """beta = 0."""
    return 0.0


@kernel
def radius_without_growth(st, p, n):
    """ln(det V / lam^d) is left out."""
    return p.scale * (p.R * sqrt(p.two_log) + p.bias)


@kernel
def radius_without_delta(st, p, n):
    """2 ln(1/delta) is left out."""
    return p.scale * (p.R * sqrt(st.log_det[0]) + p.bias)


@kernel
def radius_without_noise(st, p, n):
    """R is left out: noise of sd 1 is taken for granted."""
    return p.scale * (sqrt(p.two_log + st.log_det[0]) + p.bias)


@kernel
def radius_without_norm(st, p, n):
    """sqrt(lam) S_theta is left out."""
    return p.scale * p.R * sqrt(p.two_log + st.log_det[0])


@kernel
def radius_of_determinant(st, p, n):
    """det V / lam^d stands where its logarithm belongs."""
    return p.scale * (p.R * sqrt(p.two_log + exp(st.log_det[0])) + p.bias)


@kernel
def radius_of_horizon(st, p, n):
    """The trace form with the number of rounds of the run for that of plays."""
    return p.scale * (p.R * sqrt(p.two_log + p.d * log(1.0 + p.T * p.rate)) + p.bias)


@kernel
def begin_counted(st, p):
    """Every arm starts with a play."""
    begin(st, p)
    for a in range(p.A):
        st.N[a] = 1


@kernel
def act_without_width(st, p, t, rng):
    """An arm that was never played has width zero."""
    for a in range(p.A):
        width = sqrt(st.square[a]) if st.N[a] > 0 else 0.0
        st.ucb[a] = st.mean[a] + st.beta[0] * width
    return first_largest(st.ucb, p.A)


@kernel
def learn_paid_plays(st, p, t, a, r):
    """Plays that pay nothing, or less, are not counted."""
    learn(st, p, t, a, r)
    if r <= 0.0:
        st.N[a] -= 1


@kernel
def learn_next_arm(st, p, t, a, r):
    """The reward goes to the next arm's sum."""
    b = (a + 1) % p.A
    st.total[a] -= r
    st.total[b] += r
    learn(st, p, t, a, r)


@kernel
def inverse_euclidean(inverse, x, work, d):
    """Sherman and Morrison's denominator is 1 + ||x||^2, without V^-1."""
    product(inverse, x, work, d)
    scale = 1.0 / (1.0 + dot(x, x, d))
    for i in range(d):
        for j in range(d):
            inverse[i, j] -= work[i] * work[j] * scale
    return dot(x, work, d)


@kernel
def update_old_estimate(st, p, a, r, w):
    """The estimate, and the means of the arms, stay what they were."""
    shrink = 1.0 / (1.0 + w)
    st.log_det[0] += log(1.0 + w)
    along(p, st.u, st.z)
    for b in range(p.A):
        st.square[b] -= shrink * (st.z[b] * st.z[b])


@kernel
def update_full_gain(st, p, a, r, w):
    """The estimate moves by V^-1 x (r - <x, theta_hat>) with the inverse of before: 1 + w is forgotten."""
    shrink = 1.0 / (1.0 + w)
    gain = r - st.mean[a]
    st.log_det[0] += log(1.0 + w)
    for i in range(p.d):
        st.theta[i] += gain * st.u[i]
    along(p, st.u, st.z)
    for b in range(p.A):
        st.mean[b] += gain * st.z[b]
        st.square[b] -= shrink * (st.z[b] * st.z[b])


@kernel
def update_one_width(st, p, a, r, w):
    """The norm of no arm but the one played is updated."""
    shrink = 1.0 / (1.0 + w)
    gain = shrink * (r - st.mean[a])
    st.log_det[0] += log(1.0 + w)
    for i in range(p.d):
        st.theta[i] += gain * st.u[i]
    along(p, st.u, st.z)
    for b in range(p.A):
        st.mean[b] += gain * st.z[b]
    st.square[a] *= shrink


@kernel
def update_trace(st, p, a, r, w):
    """The determinant grows by w, the change of a trace, in place of ln(1 + w)."""
    before = st.log_det[0]
    update(st, p, a, r, w)
    st.log_det[0] = before + w


@kernel
def update_old_determinant(st, p, a, r, w):
    """The determinant stays what it was."""
    before = st.log_det[0]
    update(st, p, a, r, w)
    st.log_det[0] = before


@kernel
def learn_never_fresh(st, p, t, a, r):
    """Rank-one updates only."""
    st.N[a] += 1
    st.total[a] += r
    w = rank_one_inverse(st.V_inv, p.features[a], st.u, p.d)
    update(st, p, a, r, w)
    st.beta[0] = radius(st, p, t + 1)


@kernel
def act_squared(st, p, t, rng):
    """The squared norm in place of the norm."""
    for a in range(p.A):
        st.ucb[a] = st.mean[a] + st.beta[0] * st.square[a]
    return first_largest(st.ucb, p.A)


@kernel
def last_largest(value, A):
    """The highest arm with the largest value."""
    best = 0
    for a in range(1, A):
        if value[a] >= value[best]:
            best = a
    return best


@kernel
def first_least(value, A):
    """The lowest arm with the smallest value."""
    best = 0
    for a in range(1, A):
        if value[a] < value[best]:
            best = a
    return best


bonus_zero = with_radius(no_radius)
log_dropped = with_radius(radius_without_growth)
delta_dropped = with_radius(radius_without_delta)
noise_dropped = with_radius(radius_without_noise)
norm_dropped = with_radius(radius_without_norm)
plain_determinant = with_radius(radius_of_determinant)
horizon_in_log = with_radius(radius_of_horizon)
count_off_by_one = replace(learner, begin=begin_counted)
unvisited_zero = replace(learner, act=act_without_width)
counts_lost = replace(learner, learn=learn_paid_plays)
rewards_swapped = replace(learner, learn=learn_next_arm)
inverse_wrong = replace(learner, learn=learn.replace(rank_one_inverse=inverse_euclidean))
estimate_stale = replace(learner, learn=learn.replace(update=update_old_estimate))
gain_too_large = replace(learner, learn=learn.replace(update=update_full_gain))
widths_stale = replace(learner, learn=learn.replace(update=update_one_width))
trace_for_determinant = replace(learner, learn=learn.replace(update=update_trace))
determinant_stale = replace(learner, learn=learn.replace(update=update_old_determinant))
never_fresh = replace(learner, learn=learn_never_fresh)
width_squared = replace(learner, act=act_squared)
ties_last = replace(learner, act=act.replace(first_largest=last_largest))
argmin = replace(learner, act=act.replace(first_largest=first_least))

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": noise_dropped,
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": "no field: indices are not clipped, and the paper prints no cap",
    "backup of the wrong stage": "no field: a bandit has no stages",
    "mass to the wrong state": "no field: a bandit has no transitions; rewards credited to the next arm are planted",
    "stale estimate": estimate_stale,
    "worst action played": argmin,
    "ties to the last": ties_last,
    "late trigger": never_fresh,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": horizon_in_log,
}
