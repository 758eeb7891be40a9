"""EULER: optimism with upper and lower values and empirical-Bernstein bonuses. Tabular, episodic, H stages, K episodes.

With n visits before the episode, m = max(1, n - 1), l = ln(4 S A T / d'), d' = delta / 7, T = K H steps, and
Var_q(V) = sum_y q(y) (V(y) - qV)^2, |V|_{2,q} = sqrt(sum_y q(y) V(y)^2), backward from V_up = V_low = 0 at stage H:

    b_r    = sqrt(2 Var_r l / n) + 7 l / (3 m)                 Var_r the variance of the rewards seen (divided by n)
    phi(V) = sqrt(2 Var_p_hat(V) l / n) + H l / (3 m)
    e      = (4 J + B_p) / n + B_v |V_up - V_low|_{2,p_hat} / sqrt(n)     at stage h + 1;  J = H l / 3,
                                                                          B_p = H sqrt(2 l), B_v = sqrt(2 l)
    Q_up   = min(H - h, r_hat + b_r + p_hat V_up + phi(V_up) + e)         (h from 0: H - h stages are left)
    V_up(s)  = Q_up(s, a),   a the first maximiser of Q_up(s, .), which is played
    V_low(s) = max(0, r_hat - b_r + p_hat V_low - phi(V_low) - e)         at that same action a

A pair without visits has Q_up = H - h and lower value 0. `scale` multiplies b_r, phi and e (1 is the theory).
Rewards in [0, 1], unknown; the learner knows S, A, H, K. The default, `pooled=0`, keeps counts and estimates of every
stage apart (inhomogeneous); the paper's MDPs are stationary, with one count for all stages: `pooled=1`.

State, row g = h (g = 0 for all stages if pooled): N (H,S,A) visits; moves, p_hat (H,S,A,S); r_hat (H,S,A) mean reward;
spread (H,S,A) sum of squared deviations of rewards from it, so that Var_r = spread / n; b_r, root, rest (H,S,A): scale
times b_r, sqrt(2 l / n) and H l / (3 m) + (4 J + B_p) / n. Q_up (H,S,A), V_up, V_low (H+1,S), pi (H,S) of the last
plan. Sums run in index order; variances take two passes, so that a sure next state has variance exactly 0. Ties go to
the lowest action. Cost S^2 A H an episode and O(S) a step.

Source: zanette2019, algorithm 1 [recalled]; that phi of the lower value takes V_low is recalled as well.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from theorylab.kernel import kernel, log
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """No data (the state arrives zeroed): a bonus of H stands for no knowledge at all."""
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                st.rest[h, s, a] = float(p.H)


@kernel
def act(st, p, k, h, s, rng):
    """The action of the last plan."""
    return st.pi[h, s]


@kernel
def widths(st, p, g, s, a):
    """The parts of the bonus that depend on the pair alone."""
    n = st.N[g, s, a]
    m = max(1, n - 1)
    st.root[g, s, a] = p.scale * sqrt(2.0 * p.l / n)
    st.b_r[g, s, a] = st.root[g, s, a] * sqrt(st.spread[g, s, a] / n) + p.scale * 7.0 * p.l / (3.0 * m)
    st.rest[g, s, a] = p.scale * (p.H * p.l / (3.0 * m) + (4.0 * p.J + p.B_p) / n)


@kernel
def count(st, p, g, s, a, r, s2):
    """Add one outcome to the estimates of a pair."""
    n = st.N[g, s, a] + 1
    st.N[g, s, a] = n
    st.moves[g, s, a, s2] += 1
    change = r - st.r_hat[g, s, a]
    st.r_hat[g, s, a] += change / n
    st.spread[g, s, a] += change * (r - st.r_hat[g, s, a])
    for y in range(p.S):
        st.p_hat[g, s, a, y] = st.moves[g, s, a, y] / n


@kernel
def watch(st, p, k, h, s, a, r, s2):
    """Learn from one step; true at the end of the episode."""
    g = 0 if p.pooled == 1 else h
    count(st, p, g, s, a, r, s2)
    widths(st, p, g, s, a)
    return h == p.H - 1


@kernel
def upper(st, p, h, s, a):
    """Q_up of one pair from the values of stage h + 1."""
    g = 0 if p.pooled == 1 else h
    cap = float(p.H - h)
    known = st.r_hat[g, s, a] + st.b_r[g, s, a] + st.rest[g, s, a]
    if known >= cap:  # what is left out is not negative
        return cap
    mean = 0.0
    apart = 0.0
    for y in range(p.S):
        q = st.p_hat[g, s, a, y]
        v = st.V_up[h + 1, y]
        d = v - st.V_low[h + 1, y]
        mean += q * v
        apart += q * d * d
    var = 0.0
    for y in range(p.S):
        d = st.V_up[h + 1, y] - mean
        var += st.p_hat[g, s, a, y] * d * d
    return min(cap, known + mean + st.root[g, s, a] * (sqrt(var) + sqrt(apart)))


@kernel
def lower(st, p, h, s, a):
    """The lower value of one pair from the values of stage h + 1."""
    g = 0 if p.pooled == 1 else h
    mean = 0.0
    apart = 0.0
    for y in range(p.S):
        q = st.p_hat[g, s, a, y]
        v = st.V_low[h + 1, y]
        d = st.V_up[h + 1, y] - v
        mean += q * v
        apart += q * d * d
    var = 0.0
    for y in range(p.S):
        d = st.V_low[h + 1, y] - mean
        var += st.p_hat[g, s, a, y] * d * d
    bonus = st.b_r[g, s, a] + st.rest[g, s, a] + st.root[g, s, a] * (sqrt(var) + sqrt(apart))
    return max(0.0, st.r_hat[g, s, a] + mean - bonus)


@kernel
def plan(st, p, k, rng):
    """One sweep backward over the stages."""
    for i in range(p.H):
        h = p.H - 1 - i
        for s in range(p.S):
            top = 0.0
            best = 0
            for a in range(p.A):
                value = upper(st, p, h, s, a)
                st.Q_up[h, s, a] = value
                if a == 0 or value > top:
                    top = value
                    best = a
            st.pi[h, s] = best
            st.V_up[h, s] = top
            st.V_low[h, s] = lower(st, p, h, s, best)
    return True


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """l = ln(4 S A T / (delta / 7)), J = H l / 3, B_p = H sqrt(2 l)."""
    l = log(4.0 * p["S"] * p["A"] * p["T"] / (p["delta"] / 7.0))  # noqa: E741
    return dict(l=l, J=p["H"] * l / 3.0, B_p=p["H"] * sqrt(2.0 * l))


learner = Learner(
    name="euler",
    setting="episodic",
    cite="zanette2019",
    source_tag="recalled",
    params=dict(delta=0.1, scale=1.0, pooled=0),
    state=dict(
        N=i8["H", "S", "A"], moves=i8["H", "S", "A", "S"], p_hat=f8["H", "S", "A", "S"], r_hat=f8["H", "S", "A"],
        spread=f8["H", "S", "A"], b_r=f8["H", "S", "A"], root=f8["H", "S", "A"], rest=f8["H", "S", "A"],
        Q_up=f8["H", "S", "A"], V_up=f8["H+1", "S"], V_low=f8["H+1", "S"], pi=i8["H", "S"],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="Counts of every stage apart by default (inhomogeneous); pooled=1 is the paper's stationary setting. B_v is "
    "sqrt(2 l), so that phi and the norm share the factor sqrt(2 l / n).",
)  # fmt: skip
