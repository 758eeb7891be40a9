"""MVP, monotonic value propagation: Bernstein optimism with doubling updates. Tabular, episodic, homogeneous kernel.

When the visits N(s,a), over all stages, reach n = 1, 2, 4, 8, ..., the model of the pair is refreshed,

    p_hat = moves / n,     r_hat = theta if n = 1, else 2 theta / n,     theta <- 0

with theta the rewards since the last refresh: p_hat uses all n visits, r_hat the last n / 2. An episode with a refresh
is followed by a plan, backward from V_H = 0,

    b_h(s,a) = c1 sqrt(Var_p_hat(V_{h+1}) iota / n) + c2 sqrt(r_hat iota / n) + c3 iota / n
    Q_h(s,a) = min(1, r_hat + p_hat V_{h+1} + b_h),     V_h(s) = max_a Q_h(s,a)

with c1 = 460/9, c2 = 2 sqrt(2), c3 = 544/9; Q = 1 before the first visit. `scale` multiplies b (1 is the theory).
Rewards in [0, 1] with a total of at most 1 an episode, unknown; the learner knows S, A, H, K. A negative r_hat, which
the setting excludes, counts as 0 under the root.

iota = ln(2 / d'), d' = delta / (S A H (1 + floor(log2 T))), T = K H: one event for each pair, refresh, and one of H
quantities (its reward, V_star of the H - 1 stages ahead). The paper has ln(2 / delta) and rescales delta at the end.

State: N, moves, theta of all visits and n, r_hat, p_hat of the last refresh, (S,A) and (S,A,S); width = scale c1
sqrt(iota / n) and rest = scale (c2 sqrt(r_hat iota / n) + c3 iota / n), (S,A); Q (H,S,A), V (H+1,S), pi (H,S). Sums
run in index order, variances take two passes. Ties go to the lowest action. Cost O(1) a step, S^2 A H a plan, at most
1 + S A (1 + log2 T) plans.

Source: zhang2021mvp, algorithm 1 [recalled; c1, c2, c3 and the doubling checked in the text of its sequel]. That r_hat
uses half of the visits is recalled, and is what gives c2 = 2 sqrt(2) and c3 - c1 = 28/3 [derived].
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from theorylab.kernel import kernel, log
from theorylab.learner import Learner, f8, i8

C1 = 460.0 / 9.0
C2 = 2.8284271247461903
C3 = 544.0 / 9.0


@kernel
def begin(st, p):
    """No data (the state arrives zeroed): a bonus of 1, the cap, stands for no knowledge at all."""
    for s in range(p.S):
        for a in range(p.A):
            st.rest[s, a] = 1.0


@kernel
def act(st, p, k, h, s, rng):
    """The action of the last plan."""
    return st.pi[h, s]


@kernel
def widths(st, p, s, a):
    """The parts of the bonus that depend on the pair alone."""
    rate = p.iota / st.n[s, a]
    st.width[s, a] = p.scale * C1 * sqrt(rate)
    st.rest[s, a] = p.scale * (C2 * sqrt(max(0.0, st.r_hat[s, a]) * rate) + C3 * rate)


@kernel
def refresh(st, p, s, a):
    """The model of a pair from its visits so far."""
    n = st.N[s, a]
    st.n[s, a] = n
    st.r_hat[s, a] = st.theta[s, a] if n == 1 else 2.0 * st.theta[s, a] / n
    st.theta[s, a] = 0.0
    for y in range(p.S):
        st.p_hat[s, a, y] = st.moves[s, a, y] / n
    widths(st, p, s, a)


@kernel
def watch(st, p, k, h, s, a, r, s2):
    """Count the step; true where the visits of the pair reach a power of two."""
    n = st.N[s, a] + 1
    st.N[s, a] = n
    st.moves[s, a, s2] += 1
    st.theta[s, a] += r
    if n & (n - 1) != 0:
        return False
    refresh(st, p, s, a)
    return True


@kernel
def backup(st, p, h, s, a):
    """Q_h of one pair from V_{h+1}."""
    known = st.r_hat[s, a] + st.rest[s, a]
    if known >= 1.0:  # what is left out is not negative
        return 1.0
    mean = 0.0
    for y in range(p.S):
        mean += st.p_hat[s, a, y] * st.V[h + 1, y]
    var = 0.0
    for y in range(p.S):
        d = st.V[h + 1, y] - mean
        var += st.p_hat[s, a, y] * d * d
    return min(1.0, known + mean + st.width[s, a] * sqrt(var))


@kernel
def plan(st, p, k, rng):
    """One sweep backward over the stages."""
    for i in range(p.H):
        h = p.H - 1 - i
        for s in range(p.S):
            top = 0.0
            best = 0
            for a in range(p.A):
                value = backup(st, p, h, s, a)
                st.Q[h, s, a] = value
                if a == 0 or value > top:
                    top = value
                    best = a
            st.pi[h, s] = best
            st.V[h, s] = top
    return True


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """iota = ln(2 S A H (1 + floor(log2 T)) / delta), in nats."""
    refreshes = int(p["T"]).bit_length()
    return dict(iota=log(2.0 * p["S"] * p["A"] * p["H"] * refreshes / p["delta"]))


learner = Learner(
    name="mvp",
    setting="episodic",
    cite="zhang2021mvp",
    source_tag="recalled",
    params=dict(delta=0.1, scale=1.0),
    state=dict(
        N=i8["S", "A"], moves=i8["S", "A", "S"], theta=f8["S", "A"], n=i8["S", "A"], r_hat=f8["S", "A"],
        p_hat=f8["S", "A", "S"], width=f8["S", "A"], rest=f8["S", "A"], Q=f8["H", "S", "A"], V=f8["H+1", "S"],
        pi=i8["H", "S"],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="The total reward of an episode must be at most 1. delta is divided inside: iota = ln(2 S A H (1 + floor(log2 "
    "T)) / delta).",
)  # fmt: skip
