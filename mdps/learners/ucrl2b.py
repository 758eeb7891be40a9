"""UCRL2B: UCRL2 with empirical Bernstein sets. Average reward, communicating, rewards in [0, 1].

At the start of episode k, at time t_k (from 1), with n = N(s,a) visits before it and l = ln(6 S A n / delta):

    |p~(s2) - p_hat(s2)| <= 2 sqrt(p_hat(s2) (1 - p_hat(s2)) l / n) + 6 l / n     for every s2,
    |r~ - r_hat|         <= 2 sqrt(v l / n) + 6 l / n,     v the empirical variance of the n rewards (divisor n),

`form=1` is older public code: sqrt(14 . l / n) + 49 l / (3 max(1, n - 1)) with l = ln(2 S A t_k / delta). `alpha`
multiplies l (the two terms by sqrt(alpha) and alpha, as that code does), `scale` the whole radius; 1 is the theory.
Plausible rewards lie in [0, 1], so r~ is capped at 1; before the first visit every law and every reward is plausible.
At n = 1 the variance is 0 and 6 l > 1: the sets are everything. Extended value iteration, its mixing `tau` and
its stopping rule: `mdps.learners._evi`. The inner maximum starts at the lower ends of the box and fills the best
states up to their upper ends until the row sums to one. The greedy policy is played until the next pair (s, pi(s)) has
nu(s, pi(s)) >= max(1, N(s, pi(s))) visits in the episode, which is looked up before the pair is played.

State: N, nu (S,A) visits before and in the episode; total, squares (S,A) sums of rewards and of their squares; moves
(S,A,S) transitions; of the last plan p_hat, low, high (S,A,S) and free (S,A) = 1 - sum of low, r_up, radius_r (S,A);
law (S,A,S) the maximising rows of its last sweep; u, u_next (S,) around it; order (S,) states by u; gain (2,) least and
largest entry of u_next - u; sweeps (1,); pi (S,). Ties: lowest action, lowest state. Cost: one sort and O(S^2 A) a
sweep; a plan that needs more than `max_sweeps` fails.

Source: fruit2020 [2/6 form: source UAI20; form 1 and tau = 0.9: source CODE-R; stopping: recalled].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._evi import act, begin, checked_mixing, doubled, iterate, sort_states
from theorylab.errors import InputError
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step; true when the next pair has doubled its visits."""
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.squares[s, a] += r * r
    st.moves[s, a, s2] += 1
    return doubled(st, s2)


@kernel
def level(p, n, t):
    """l of a pair with n >= 1 visits at time t_k = t + 1."""
    inside = 2.0 * (t + 1.0) if p.form == 1 else 6.0 * n
    return p.alpha * log(inside * p.S * p.A / p.delta)


@kernel
def radius(p, variance, n, x):
    """Half-width of the interval around an empirical mean of n >= 1 draws in [0, 1]; x = l."""
    if p.form == 1:
        return p.scale * (sqrt(14.0 * variance * x / n) + 49.0 * x / (3.0 * max(1.0, n - 1.0)))
    return p.scale * (2.0 * sqrt(variance * x / n) + 6.0 * x / n)


@kernel
def box(st, p, s, a, n, x):
    """Lower and upper ends of the row's box, and the mass that the lower ends leave free."""
    free = 1.0
    for s2 in range(p.S):
        q = st.moves[s, a, s2] / n
        width = radius(p, q * (1.0 - q), n, x)
        st.p_hat[s, a, s2] = q
        st.low[s, a, s2] = max(0.0, q - width)
        st.high[s, a, s2] = min(1.0, q + width)
        free -= st.low[s, a, s2]
    st.free[s, a] = free


@kernel
def unknown(st, p, s, a):
    """Before the first visit: every law on the states, every reward in [0, 1]."""
    for s2 in range(p.S):
        st.low[s, a, s2] = 0.0
        st.high[s, a, s2] = 1.0
    st.free[s, a] = 1.0
    st.r_up[s, a] = 1.0
    st.radius_r[s, a] = 1.0


@kernel
def estimate(st, p, t):
    """Close the episode's counts; empirical model and sets at time t_k = t + 1."""
    for s in range(p.S):
        for a in range(p.A):
            st.N[s, a] += st.nu[s, a]
            st.nu[s, a] = 0
            if st.N[s, a] == 0:
                unknown(st, p, s, a)
            else:
                n = float(st.N[s, a])
                x = level(p, n, t)
                mean = st.total[s, a] / n
                # rounding may leave a variance of zero a little below it
                variance = max(0.0, st.squares[s, a] / n - mean * mean)
                st.radius_r[s, a] = radius(p, variance, n, x)
                st.r_up[s, a] = min(1.0, mean + st.radius_r[s, a])
                box(st, p, s, a, n, x)


@kernel
def box_maximum(st, p, s, a):
    """max of p~ u over the row's box: the lower ends, and the free mass to the best states that have room."""
    value = 0.0
    for s2 in range(p.S):
        st.law[s, a, s2] = st.low[s, a, s2]
        value += st.low[s, a, s2] * st.u[s2]
    free = st.free[s, a]
    i = 0
    while free > 0.0 and i < p.S:
        s2 = st.order[i]
        added = min(free, st.high[s, a, s2] - st.low[s, a, s2])
        st.law[s, a, s2] += added
        value += added * st.u[s2]
        free -= added
        i += 1
    return value


sweeps = iterate.replace(MAXIMUM=box_maximum, PREPARE=sort_states)


@kernel
def plan(st, p, t, s, rng):
    """Sets, then extended value iteration; false if it does not stop within the sweep limit."""
    estimate(st, p, t)
    return sweeps(st, p, t)


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """Refuses parameters without meaning."""
    checked_mixing("ucrl2b", p)
    if p["form"] not in (0, 1):
        raise InputError(f"learner 'ucrl2b': form={p['form']} is neither 0 (2/6 form) nor 1 (older public code)")
    if p["alpha"] < 0.0:
        raise InputError(f"learner 'ucrl2b': alpha={p['alpha']} is negative; a radius cannot be")
    return {}


learner = Learner(
    name="ucrl2b",
    setting="average",
    cite="fruit2020",
    source_tag="source",
    params=dict(delta=0.1, scale=1.0, form=0, alpha=1.0, tau=0.9, max_sweeps=1_000_000),
    state=dict(
        N=i8["S", "A"], nu=i8["S", "A"], total=f8["S", "A"], squares=f8["S", "A"], moves=i8["S", "A", "S"],
        p_hat=f8["S", "A", "S"], low=f8["S", "A", "S"], high=f8["S", "A", "S"], free=f8["S", "A"], r_up=f8["S", "A"],
        radius_r=f8["S", "A"], law=f8["S", "A", "S"], u=f8["S"], u_next=f8["S"], order=i8["S"], gain=f8[2],
        sweeps=i8[1], pi=i8["S"],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="Rewards are unknown too; optimistic rewards are capped at 1. form=1 is the older public form of the sets.",
)  # fmt: skip
