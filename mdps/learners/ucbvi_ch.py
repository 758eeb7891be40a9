"""UCBVI-CH: optimistic value iteration with a Chernoff-Hoeffding bonus. Tabular, episodic, one kernel for all stages.

    L = ln(5 S A T / delta),  T = K H,      b(s,a) = 7 H L / sqrt(n),  n = N(s,a)
    Q_h(s,a) <- min(Q_h(s,a), H, r(s,a) + sum_y p_hat(y|s,a) V_{h+1}(y) + b(s,a)),   V_h(s) = max_a Q_h(s,a)

backwards from V_H = 0 at the start of every episode; Q_h(s,a) = H where n = 0. Visits are pooled over the stages. The
min with the Q of the last episode is part of the algorithm: it starts at H, so Q never grows.

Known to the learner: the mean rewards r, in [0, 1]. State: N, n (S,A) visits so far and at the last plan; moves
(S,S*A) transitions y <- (s, a), column s*A + a; p_hat (S,S*A) their frequencies at the last plan; bonus (S,A), H where
n = 0, so that those pairs stay at H; Q (H,S,A) and V (H+1,S) of this episode; mean (S*A,) the sum over y of the last
stage planned; live (1,) whether a bonus is small enough for any Q to fall. Ties: lowest action. Cost S^2 A H an
episode, none before the first bonus falls below H - r: with the paper's constants, for the first (7 L)^2 visits.

`scale` multiplies b; 1 is the theory. `tight=1` is a variant that the paper does not print: the cap is H - h, the
rewards that are left. Source: azar2017, algorithms 1 to 3 [recalled; L source: a public port].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._greedy import act
from mdps.learners._ucbvi import begin as begin_at_cap
from mdps.learners._ucbvi import caps, count, estimate, expect, settle
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Q = V = H, and bonus H where nothing has been seen."""
    begin_at_cap(st, p)
    for s in range(p.S):
        for a in range(p.A):
            st.bonus[s, a] = float(p.H)


@kernel
def watch(st, p, k, h, s, a, r, s2):
    """Count the step; the episode ends after stage H - 1."""
    count(st, p, s, a, s2)
    return h == p.H - 1


@kernel
def bonus(p, n):
    """7 H L / sqrt(n)."""
    return p.width / sqrt(float(n))


@kernel
def improve(st, p, h):
    """Q[h] and V[h] from the means of V[h + 1]."""
    for s in range(p.S):
        top = 0.0
        for a in range(p.A):
            top = max(top, settle(st, p, h, s, a, p.r[s, a] + st.mean[s * p.A + a] + st.bonus[s, a]))
        st.V[h, s] = top


@kernel
def backup(st, p, h):
    """Q[h] and V[h] from V[h + 1]."""
    expect(st.p_hat, st.V[h + 1], st.mean, p.S, p.S * p.A)
    improve(st, p, h)


@kernel
def plan(st, p, k, rng):
    """Renew what was visited in the last episode, then value iteration over the stages."""
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] != st.n[s, a]:
                estimate(st, p, s, a)
                st.bonus[s, a] = bonus(p, st.N[s, a])
                if p.r[s, a] + st.bonus[s, a] < p.H:
                    st.live[0] = 1
    if st.live[0] == 1:  # before that r + b >= H at every pair, so that min(Q, H, ...) leaves Q = H
        for i in range(p.H):
            backup(st, p, p.H - 1 - i)
    return True


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """L = ln(5 S A T / delta) in nats, and scale 7 H L."""
    L = log(5.0 * p["S"] * p["A"] * p["T"] / p["delta"])
    return dict(L=L, cap=caps(p), width=p["scale"] * 7.0 * p["H"] * L)


learner = Learner(
    name="ucbvi-ch",
    setting="episodic",
    cite="azar2017",
    source_tag="recalled",
    params=dict(delta=0.1, scale=1.0, tight=0),
    knows=("r",),
    state=dict(
        N=i8["S", "A"], n=i8["S", "A"], moves=i8["S", "S*A"], p_hat=f8["S", "S*A"], bonus=f8["S", "A"],
        Q=f8["H", "S", "A"], V=f8["H+1", "S"], mean=f8["S*A"], live=i8[1],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="With the paper's constants the bonus is above H for the first (7 L)^2 visits of a pair.",
)  # fmt: skip
