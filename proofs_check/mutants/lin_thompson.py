"""Faults planted in linear Thompson sampling: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bandits.learners.lin_thompson import act, begin, derive, inflation, learn, learner
from proofs_check.mutants.oful import first_least, last_largest
from theorylab.kernel import dot, kernel, log, normal, product, sqrt
from theorylab.learner import Learner


def with_inflation(inflation: Any) -> Learner:
    """The learner with another beta."""
    return replace(learner, begin=begin.replace(inflation=inflation), learn=learn.replace(inflation=inflation))


@kernel
def no_inflation(p, n):
    """beta = 0: greedy on the estimate."""
    return 0.0


@kernel
def inflation_without_log(p, n):
    """d ln((lam + t) / lam) is left out."""
    return p.scale * (p.R * sqrt(p.two_log) + p.bias)


@kernel
def inflation_of_posterior(p, n):
    """The standard deviation of the posterior, R, in place of beta: plain posterior sampling."""
    return p.scale * p.R


@kernel
def inflation_without_noise(p, n):
    """R is left out."""
    return p.scale * (sqrt(p.two_log + p.d * log((p.lam + (n + 1.0)) / p.lam)) + p.bias)


@kernel
def inflation_without_norm(p, n):
    """sqrt(lam) S_theta is left out."""
    return p.scale * p.R * sqrt(p.two_log + p.d * log((p.lam + (n + 1.0)) / p.lam))


def derive_whole_delta(p: dict[str, Any]) -> dict[str, Any]:
    """delta in place of delta / (4 T)."""
    return derive(p) | dict(two_log=2.0 * log(1.0 / p["delta"]))


def derive_without_horizon(p: dict[str, Any]) -> dict[str, Any]:
    """delta / 4 in place of delta / (4 T)."""
    return derive(p) | dict(two_log=2.0 * log(4.0 / p["delta"]))


@kernel
def begin_counted(st, p):
    """Every arm starts with a play."""
    begin(st, p)
    for a in range(p.A):
        st.N[a] = 1


@kernel
def learn_paid_plays(st, p, t, a, r):
    """Plays that pay nothing, or less, are not counted."""
    learn(st, p, t, a, r)
    if r <= 0.0:
        st.N[a] -= 1


@kernel
def move(st, p, a, r, change):
    """V^-1 x in u, and the estimate moved by `change` times the step of a play of arm a: shared by faults below."""
    for j in range(p.d):
        st.q[j] = 0.0
        for i in range(p.d):
            st.q[j] += p.features[a, i] * st.root[i, j]
    product(st.root, st.q, st.u, p.d)
    w = dot(st.q, st.q, p.d)
    gain = change * (r - dot(p.features[a], st.theta, p.d)) / (1.0 + w)
    for i in range(p.d):
        st.theta[i] += gain * st.u[i]
    return w


@kernel
def learn_no_estimate(st, p, t, a, r):
    """The estimate stays what it was: a reward without surprise."""
    learn(st, p, t, a, dot(p.features[a], st.theta, p.d))


@kernel
def learn_full_gain(st, p, t, a, r):
    """The estimate moves by V^-1 x (r - <x, theta_hat>) with the inverse of before: 1 + w is forgotten."""
    w = move(st, p, a, r, 0.0)
    learn(st, p, t, a, r + w * (r - dot(p.features[a], st.theta, p.d)))


@kernel
def learn_next_arm(st, p, t, a, r):
    """The reward of an arm is taken for that of the next."""
    learn(st, p, t, (a + 1) % p.A, r)


@kernel
def learn_no_root(st, p, t, a, r):
    """The root stays what it was: samples never narrow."""
    st.N[a] += 1
    move(st, p, a, r, 1.0)
    st.beta[0] = inflation(p, t + 1)


@kernel
def learn_by_entries(st, p, t, a, r):
    """V^(-1/2) is taken entry by entry: 1/sqrt(V_ii) on the diagonal."""
    learn(st, p, t, a, r)
    for i in range(p.d):
        diagonal = p.lam
        for b in range(p.A):
            diagonal += st.N[b] * (p.features[b, i] * p.features[b, i])
        for j in range(p.d):
            st.root[i, j] = 0.0
        st.root[i, i] = 1.0 / sqrt(diagonal)


@kernel
def times_transposed(matrix, x, out, d):
    """out = matrix^T x."""
    for i in range(d):
        out[i] = 0.0
        for j in range(d):
            out[i] += matrix[j, i] * x[j]


@kernel
def learn_double_shrink(st, p, t, a, r):
    """I - q q^T / (1 + w) is applied to the root: c = 1 / (1 + w), as for the inverse."""
    st.N[a] += 1
    w = move(st, p, a, r, 1.0)
    for i in range(p.d):
        for j in range(p.d):
            st.root[i, j] -= st.u[i] * st.q[j] / (1.0 + w)
    st.beta[0] = inflation(p, t + 1)


@kernel
def same_normal(rng, visit, site, purpose):
    """One draw for the whole run: the round is left out of the address."""
    return normal(rng, 0, site, purpose)


@kernel
def shared_normal(rng, visit, site, purpose):
    """One draw for all directions: the entry is left out of the address."""
    return normal(rng, visit, 0, purpose)


bonus_zero = with_inflation(no_inflation)
log_dropped = with_inflation(inflation_without_log)
posterior = with_inflation(inflation_of_posterior)
noise_dropped = with_inflation(inflation_without_noise)
norm_dropped = with_inflation(inflation_without_norm)
delta_whole = replace(learner, derive=derive_whole_delta)
no_horizon = replace(learner, derive=derive_without_horizon)
count_off_by_one = replace(learner, begin=begin_counted)
counts_lost = replace(learner, learn=learn_paid_plays)
rewards_swapped = replace(learner, learn=learn_next_arm)
estimate_stale = replace(learner, learn=learn_no_estimate)
gain_too_large = replace(learner, learn=learn_full_gain)
root_stale = replace(learner, learn=learn_no_root)
root_by_entries = replace(learner, learn=learn_by_entries)
root_transposed = replace(learner, act=act.replace(product=times_transposed))
root_shrunk_twice = replace(learner, learn=learn_double_shrink)
draw_reused = replace(learner, act=act.replace(normal=same_normal))
draw_shared = replace(learner, act=act.replace(normal=shared_normal))
ties_last = replace(learner, act=act.replace(first_largest=last_largest))
argmin = replace(learner, act=act.replace(first_largest=first_least))

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_whole,
    "wrong variance": posterior,
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": "no field: there is no value of an unplayed arm; its width is that of the prior lam I",
    "no clipping": "no field: values are not clipped, and the paper prints no cap",
    "backup of the wrong stage": "no field: a bandit has no stages",
    "mass to the wrong state": "no field: a bandit has no transitions; rewards credited to the next arm are planted",
    "stale estimate": estimate_stale,
    "worst action played": argmin,
    "ties to the last": ties_last,
    "late trigger": "no field: nothing is triggered, every round updates the root",
    "draw reused": draw_reused,
    "wrong length in the logarithm": no_horizon,
}
