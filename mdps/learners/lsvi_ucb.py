"""LSVI-UCB: optimistic least-squares value iteration. Linear MDPs, episodic, H stages, K episodes, T = KH steps.

Before every episode, for h = H-1 .. 0, with one matrix a stage and targets that use the V_{h+1} just computed:

    Lambda_h = lam I + sum phi phi^T       w_h = Lambda_h^{-1} sum phi (r + V_{h+1}(s'))
    Q_h(s,a) = min(H, <phi(s,a), w_h> + beta sqrt(phi(s,a)^T Lambda_h^{-1} phi(s,a))),     V_h(s) = max_a Q_h(s,a)

with sums over the steps at stage h of all episodes before; lam = 1, beta = scale c d H sqrt(iota) and iota =
ln(2dT/delta). The greedy action is played, ties to the lowest. Rewards in [0, 1] are used as they are observed; the
learner knows phi(s,a), |phi|_2 <= 1, and nothing else of the model. Q is capped at H from above only, as printed.

State, per stage: Lam_inv (H,d,d) = Lambda_h^{-1}; width (H,S*A) = phi^T Lambda_h^{-1} phi of every pair, at s*A + a;
after (H,S,d), row s' the sum of phi over the steps that went to s'; paid (H,d) = sum phi r; w (H,d), Q (H,S,A),
V (H+1,S) of the last plan, V[H] = 0; work (S*A,), x (d,) scratch. The sum over the past is sum_s' after[s'] V(s') +
paid: the paper's estimator, at a cost that does not grow with the episodes. Lam_inv and width follow each step by a
rank-one update (Sherman, Morrison); the largest relative error seen after 1e6 episodes was 3e-12 in Lam_inv and 2e-9 in
width.

Cost of a stage of an episode: 2 SAd + Sd + 3 d^2 products to first order (n A d^2 with the algorithm as printed, n
episodes so far). Memory H (SA + Sd + d^2).

Source: jin2020, algorithm 1 [recalled; bound and cost source]. The paper leaves c open ("absolute constant"): c = 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners._greedy import act
from theorylab.errors import InputError
from theorylab.kernel import combine, dot, kernel, log, product, rank_one_inverse, sqrt
from theorylab.learner import Learner, f8


@kernel
def begin(st, p):
    """Lambda_h = lam I (the state arrives zeroed)."""
    for h in range(p.H):
        for i in range(p.d):
            st.Lam_inv[h, i, i] = 1.0 / p.lam
        for s in range(p.S):
            for a in range(p.A):
                st.width[h, s * p.A + a] = dot(p.phi[s, a], p.phi[s, a], p.d) / p.lam


@kernel
def watch(st, p, k, h, s, a, r, s2):
    """Add phi(s,a) to the stage's data; true at the end of the episode."""
    for i in range(p.d):
        st.after[h, s2, i] += p.phi[s, a, i]
        st.paid[h, i] += p.phi[s, a, i] * r
    # x is Lambda_h^{-1} phi(s,a) of before, so that every width falls by (phi^T x)^2 / (1 + width of the pair)
    shrink = 1.0 / (1.0 + rank_one_inverse(st.Lam_inv[h], p.phi[s, a], st.x, p.d))
    combine(p.columns, st.x, st.work, p.S * p.A, p.d)
    for j in range(p.S * p.A):
        st.width[h, j] -= st.work[j] * st.work[j] * shrink
    return h == p.H - 1


@kernel
def regress(st, p, h):
    """w_h, with the targets r + V_{h+1}(s') of this plan."""
    for i in range(p.d):
        st.x[i] = st.paid[h, i]
    for s2 in range(p.S):
        value = st.V[h + 1, s2]
        for i in range(p.d):
            st.x[i] += st.after[h, s2, i] * value
    product(st.Lam_inv[h], st.x, st.w[h], p.d)


@kernel
def evaluate(st, p, h):
    """Q_h and V_h."""
    combine(p.columns, st.w[h], st.work, p.S * p.A, p.d)
    cap = float(p.H)
    for j in range(p.S * p.A):
        st.work[j] = min(cap, st.work[j] + p.beta * sqrt(st.width[h, j]))
    for s in range(p.S):
        top = st.work[s * p.A]
        for a in range(p.A):
            st.Q[h, s, a] = st.work[s * p.A + a]
            top = max(top, st.work[s * p.A + a])
        st.V[h, s] = top


@kernel
def plan(st, p, k, rng):
    """Least-squares value iteration, backwards."""
    for j in range(p.H):
        h = p.H - 1 - j
        regress(st, p, h)
        evaluate(st, p, h)
    return True


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """iota = ln(2dT/delta) in nats, beta, and columns (d,S*A), the features with the pairs side by side."""
    if p["phi"].ndim != 3:
        raise InputError("learner 'lsvi-ucb' needs phi(s,a) of a LinearMDP; the model has features of transitions")
    if not p["lam"] > 0.0:
        raise InputError(f"learner 'lsvi-ucb': lam={p['lam']} must be positive")
    iota = log(2.0 * p["d"] * p["T"] / p["delta"])
    columns = np.ascontiguousarray(p["phi"].reshape(p["S"] * p["A"], p["d"]).T)
    return dict(iota=iota, beta=p["scale"] * p["c"] * p["d"] * p["H"] * sqrt(iota), columns=columns)


learner = Learner(
    name="lsvi-ucb",
    setting="episodic",
    cite="jin2020",
    source_tag="recalled",
    params=dict(c=1.0, delta=0.1, lam=1.0, scale=1.0),
    knows=("phi",),
    state=dict(
        Lam_inv=f8["H", "d", "d"], width=f8["H", "S*A"], after=f8["H", "S", "d"], paid=f8["H", "d"], w=f8["H", "d"],
        Q=f8["H", "S", "A"], V=f8["H+1", "S"], work=f8["S*A"], x=f8["d"],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="The paper leaves the constant c of beta = c d H sqrt(iota) open; c = 1 here.",
)  # fmt: skip
