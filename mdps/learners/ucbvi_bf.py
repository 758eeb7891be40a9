"""UCBVI-BF: optimistic value iteration with a Bernstein-Freedman bonus. Tabular, episodic, one kernel for all stages.

    L = ln(5 S A T / delta),  T = K H,  n = N(s,a),  N'_{h+1}(y) = visits of y at stage h+1
    b_h(s,a) = sqrt(8 L Var_{y ~ p_hat}(V_{h+1}(y)) / n) + 14 H L / (3 n)
               + sqrt((8 / n) sum_y p_hat(y|s,a) min(100^2 H^3 S^2 A L^2 / N'_{h+1}(y), H^2))
    Q_h(s,a) <- min(Q_h(s,a), H, r(s,a) + sum_y p_hat(y|s,a) V_{h+1}(y) + b_h(s,a)),   V_h(s) = max_a Q_h(s,a)

backwards from V_H = 0 at the start of every episode; Q_h(s,a) = H where n = 0, and the minimum is H^2 where N' = 0.
Visits are pooled over the stages, except N'. The last term bounds the error of V_{h+1}, so it is left out at the last
stage, where there is none and no N' either [derived]. The min with the Q of the last episode starts at H, so Q never
grows.

Known to the learner: the mean rewards r, in [0, 1]. State: N, n (S,A) visits so far and at the last plan; reached
(H,S) the visits N'; moves (S,S*A) transitions y <- (s, a), column s*A + a; p_hat (S,S*A) their frequencies at the last
plan; first, second, third (S*A,) the factors 8L/n, scale 14HL/(3n), 8/n, where n = 0: 0, H, 0; Q (H,S,A) and V (H+1,S)
of this episode; bonus (H,S*A); mean, var, gap (S*A,) and weight (S,) of the last stage planned. The variance is sum_y
p_hat (V - mean)^2: nothing cancels, nothing is clipped. Ties: lowest action. Cost S^2 A H an episode.

`scale` multiplies b, `correction` is the 100^2; 1 and 10000 are the theory, under which the last term leaves its cap
after 100^2 H S^2 A L^2 visits of y. `tight=1` is a variant that the paper does not print: the cap is H - h, the rewards
that are left. Source: azar2017, algorithms 1, 2 and 4 [source: a public port].
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
    for x in range(p.S * p.A):
        st.second[x] = float(p.H)


@kernel
def watch(st, p, k, h, s, a, r, s2):
    """Count the step, pooled and by stage; the episode ends after stage H - 1."""
    count(st, p, s, a, s2)
    st.reached[h, s] += 1
    return h == p.H - 1


@kernel
def factors(st, p, s, a):
    """What the bonus of a pair takes from its visits: 8 L / n, 14 H L / (3 n), 8 / n."""
    n = float(st.N[s, a])
    x = s * p.A + a
    st.first[x] = 8.0 * p.L / n
    st.second[x] = p.scale * 14.0 * p.H * p.L / (3.0 * n)
    st.third[x] = 8.0 / n


@kernel
def weigh(st, p, h):
    """weight[y] = min(100^2 H^3 S^2 A L^2 / N'_{h+1}(y), H^2), and zero after the last stage."""
    for y in range(p.S):
        st.weight[y] = p.H2
        if h == p.H - 1:
            st.weight[y] = 0.0
        elif st.reached[h + 1, y] > 0:
            st.weight[y] = min(p.C / st.reached[h + 1, y], p.H2)


@kernel
def variance(st, p, h):
    """var[x] = sum_y p_hat(y|x) (V[h + 1, y] - mean[x])^2, for all pairs."""
    for x in range(p.S * p.A):
        st.var[x] = 0.0
    for y in range(p.S):
        v = st.V[h + 1, y]
        for x in range(p.S * p.A):
            d = v - st.mean[x]
            st.var[x] += st.p_hat[y, x] * (d * d)


@kernel
def bonuses(st, p, h):
    """b_h of every pair from its factors and moments."""
    for x in range(p.S * p.A):
        roots = sqrt(st.first[x] * st.var[x]) + sqrt(st.third[x] * st.gap[x])
        st.bonus[h, x] = p.scale * roots + st.second[x]


@kernel
def improve(st, p, h):
    """Q[h] and V[h] from the means of V[h + 1] and the bonuses."""
    for s in range(p.S):
        top = 0.0
        for a in range(p.A):
            x = s * p.A + a
            top = max(top, settle(st, p, h, s, a, p.r[s, a] + st.mean[x] + st.bonus[h, x]))
        st.V[h, s] = top


@kernel
def backup(st, p, h):
    """Q[h] and V[h] from V[h + 1]."""
    expect(st.p_hat, st.V[h + 1], st.mean, p.S, p.S * p.A)
    variance(st, p, h)
    weigh(st, p, h)
    expect(st.p_hat, st.weight, st.gap, p.S, p.S * p.A)
    bonuses(st, p, h)
    improve(st, p, h)


@kernel
def plan(st, p, k, rng):
    """Renew what was visited in the last episode, then value iteration over the stages."""
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] != st.n[s, a]:
                estimate(st, p, s, a)
                factors(st, p, s, a)
    for i in range(p.H):
        backup(st, p, p.H - 1 - i)
    return True


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """L = ln(5 S A T / delta) in nats, C = 100^2 H^3 S^2 A L^2 and H^2."""
    H, S, A = float(p["H"]), float(p["S"]), float(p["A"])
    L = log(5.0 * S * A * p["T"] / p["delta"])
    return dict(L=L, cap=caps(p), C=p["correction"] * H * H * H * S * S * A * L * L, H2=H * H)


learner = Learner(
    name="ucbvi-bf",
    setting="episodic",
    cite="azar2017",
    source_tag="source",
    params=dict(delta=0.1, scale=1.0, tight=0, correction=10_000.0),
    knows=("r",),
    state=dict(
        N=i8["S", "A"], n=i8["S", "A"], reached=i8["H", "S"], moves=i8["S", "S*A"], p_hat=f8["S", "S*A"],
        first=f8["S*A"], second=f8["S*A"], third=f8["S*A"], Q=f8["H", "S", "A"], V=f8["H+1", "S"],
        bonus=f8["H", "S*A"], mean=f8["S*A"], var=f8["S*A"], gap=f8["S*A"], weight=f8["S"],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="The last term of the bonus is left out at the last stage; correction is its 100^2.",
)  # fmt: skip
