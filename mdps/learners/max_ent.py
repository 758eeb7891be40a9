"""MaxEnt and WeightedMaxEnt: visits spread out by optimistic entropy maximisation. Average setting, communicating.

Rewards are ignored. With lam = N_t / max(1, t) the frequencies of the pairs after t steps, the agent climbs the
smoothed entropy

    H(lam) = sum w lam log(1 / (lam + mu)),     g = dH/dlam = -w (log(lam + mu) + lam / (lam + mu)),

by playing, in episode k, the policy of extended value iteration (`_evi`, precision 1/sqrt(t_k), t_k = 1 + steps so far)
for the known rewards g at t_k over the boxes |p~ - p_hat| <= alpha (2 sqrt(p_hat (1 - p_hat) l / n) + 6 l / n), l =
log(6 S A n / delta), n = N(s,a) (everything before the first visit). The episode goes on while the drift of the
gradient Phi = sum_t ||g_t - g_{t_k}||_2 is at most Q = 2 log(1 / mu) and the pair that comes next has fewer than
max(1, N) visits in it, N those before it.

`weighted` = 0: w = 1 (MaxEnt). `weighted` = 1: w = V+ / sqrt(S L), L = log(S A / delta), an upper bound on the noise of
a row, V+ = (1 / sqrt S) sum_{s2} [sqrt(p_hat (1 - p_hat)) + sqrt(2 l' / n)], l' = log(4 S^2 A n^2 / delta), n = max(1,
N). Both w and g_{t_k} stay as they are in an episode.

`mu` = 0 asks for 1 / (T^{1/3} S^{2/3}), T the length of the run, or, in runs of so few steps that this is larger, 1/e -
1/(SA). A given mu above that is refused: up to it g >= 0 wherever lam <= 1/(SA), as then lam + mu <= 1/e. Pairs visited
more often may have g < 0 [derived]; extended value iteration does not mind.

It plays on for ever. The requirement (`b`, or `samples` of every pair) does not change what it does: `finished` records
when it was met, so that runs can be compared with those of learners that collect.

State: the requirement's fields of `_collection` (its pi is not what is played); policy (S,) played; U (S,A) visits
before the episode; moves (S,A,S); w, r_up (S,A) weights and g of the episode; phi (1,) drift so far; low, high, law
(S,A,S), free (S,A), u, u_next, order (S,), gain (2,), sweeps (1,) of extended value iteration. Ties: lowest action.
Cost: a step S A logarithms, a plan O(S^2 A) a sweep.

Source: tarbouriech2020, algorithm 2 [source: notes; weights frozen in an episode, lam at t = 0 and `tau`: derived].
MaxEnt is the same with w = 1.
"""

from __future__ import annotations

import math
from typing import Any

from mdps.learners._collection import ARRAYS, REQUIREMENT, accepts, begin, count, requirement
from mdps.learners._evi import checked_mixing
from mdps.learners.ucrl2b import sweeps
from theorylab.errors import InputError
from theorylab.kernel import exp, kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def begin_episodes(st, p):
    """No samples yet; states in order."""
    begin(st, p)
    for s in range(p.S):
        st.order[s] = s


@kernel
def act(st, p, t, s, rng):
    """The episode's policy."""
    return st.policy[s]


@kernel
def gradient(p, w, x):
    """g of a pair of frequency x."""
    return -w * (log(x + p.mu) + x / (x + p.mu))


@kernel
def drift(st, p, t):
    """||g_t - g_{t_k}||_2 after t steps."""
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            change = gradient(p, st.w[s, a], st.N[s, a] / max(1.0, t)) - st.r_up[s, a]
            total += change * change
    return sqrt(total)


@kernel
def doubled(st, s):
    """Whether the pair that comes next in s has max(1, U) visits in this episode."""
    a = st.policy[s]
    return st.N[s, a] - st.U[s, a] >= max(1, st.U[s, a])


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step; true when the gradient has drifted too far or the next pair has doubled."""
    st.moves[s, a, s2] += 1
    count(st, p, t, s, a)
    st.phi[0] += drift(st, p, t + 1.0)
    return st.phi[0] > p.Q or doubled(st, s2)


@kernel
def half_width(p, x, n):
    """alpha times the radius of an entry of frequency x in n >= 1 visits."""
    level = log(6.0 * p.S * p.A * n / p.delta)
    return p.alpha * (2.0 * sqrt(x * (1.0 - x) * level / n) + 6.0 * level / n)


@kernel
def box(st, p, s, a):
    """Ends of a row's box, and the mass that the lower ends leave free; everything before the first visit."""
    n = float(st.N[s, a])
    st.free[s, a] = 1.0
    for s2 in range(p.S):
        st.low[s, a, s2] = 0.0
        st.high[s, a, s2] = 1.0
        if st.N[s, a] > 0:
            x = st.moves[s, a, s2] / n
            width = half_width(p, x, n)
            st.low[s, a, s2] = max(0.0, x - width)
            st.high[s, a, s2] = min(1.0, x + width)
            st.free[s, a] -= st.low[s, a, s2]


@kernel
def noise(st, p, s, a):
    """V+ of a row: the upper bound on (1/sqrt S) sum sqrt(p (1 - p))."""
    n = float(max(1, st.N[s, a]))
    error = sqrt(2.0 * log(4.0 * p.S * p.S * p.A * n * n / p.delta) / n)
    total = 0.0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        total += sqrt(x * (1.0 - x)) + error
    return total / sqrt(float(p.S))


@kernel
def weight(st, p, s, a):
    """w of a pair."""
    return noise(st, p, s, a) / p.unit if p.weighted == 1 else 1.0


@kernel
def renew(st, p, t):
    """An episode begins after t steps: visits before it, boxes, weights, rewards."""
    st.phi[0] = 0.0
    for s in range(p.S):
        for a in range(p.A):
            st.U[s, a] = st.N[s, a]
            box(st, p, s, a)
            st.w[s, a] = weight(st, p, s, a)
            st.r_up[s, a] = gradient(p, st.w[s, a], st.N[s, a] / max(1.0, t))


@kernel
def plan(st, p, t, s, rng):
    """Rewards and boxes, then extended value iteration; false if it does not stop within the sweep limit."""
    renew(st, p, float(t))
    done = sweeps(st, p, t)
    for x in range(p.S):
        st.policy[x] = st.pi[x]
    return done


def smoothing(p: dict[str, Any]) -> float:
    """mu: as given, or from the length of the run; refuses one for which g may be negative at lam = 1/(SA)."""
    most = 1.0 / math.e - 1.0 / (p["S"] * p["A"])
    if most <= 0.0:
        raise InputError(f"max-ent: S A = {p['S'] * p['A']} pairs; mu <= 1/e - 1/(SA) needs at least 3, give more")
    if p["mu"] < 0.0 or p["mu"] > most:
        raise InputError(
            f"max-ent: mu={p['mu']} must lie in (0, 1/e - 1/(SA)] = (0, {most:.6g}], where the gradient is not "
            "negative at frequency 1/(SA); give a smaller mu, or 0 for 1/(T^(1/3) S^(2/3))"
        )
    return float(p["mu"]) or min(most, exp(-(log(float(p["T"])) + 2.0 * log(float(p["S"]))) / 3.0))


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """The requirement, mu, Q, and sqrt(S L); refuses parameters without meaning."""
    checked_mixing("max-ent", p)
    if p["weighted"] not in (0, 1):
        raise InputError(f"max-ent: weighted={p['weighted']} is neither 0 (MaxEnt) nor 1 (WeightedMaxEnt)")
    if p["alpha"] < 0.0:
        raise InputError(f"max-ent: alpha={p['alpha']} is negative; 1 is the theory's radius, 0 none")
    mu = smoothing(p)
    unit = math.sqrt(p["S"] * log(p["S"] * p["A"] / p["delta"]))
    return {**requirement(p), "mu": mu, "Q": -2.0 * log(mu), "unit": unit}


learner = Learner(
    name="max-ent",
    setting="average",
    cite="tarbouriech2020",
    source_tag="source",
    params=dict(samples=1, weighted=0, mu=0.0, alpha=1.0, delta=0.1, tau=0.9, max_sweeps=1_000_000),
    arrays=ARRAYS,
    state={
        **REQUIREMENT,
        **dict(
            policy=i8["S"], U=i8["S", "A"], moves=i8["S", "A", "S"], w=f8["S", "A"], r_up=f8["S", "A"], phi=f8[1],
            low=f8["S", "A", "S"], high=f8["S", "A", "S"], free=f8["S", "A"], law=f8["S", "A", "S"], u=f8["S"],
            u_next=f8["S"], order=i8["S"], gain=f8[2], sweeps=i8[1],
        ),
    },
    derive=derive,
    accepts=accepts,
    begin=begin_episodes,
    act=act,
    watch=watch,
    plan=plan,
    text="`weighted` 0 MaxEnt, 1 WeightedMaxEnt; the requirement sets `finished` only. mu = 0: from the run's length.",
)  # fmt: skip
