"""UCRL-VTR: value-targeted regression. Linear mixture MDPs, episodic, H stages, K episodes, T = KH steps.

The kernel is P(s'|s,a) = <phi(s'|s,a), theta>, so that (PV)(s,a) = <phi_V(s,a), theta> with phi_V(s,a) = sum_s'
phi(s'|s,a) V(s'). Before every episode, with the estimate and its matrix held fixed in the episode:

    Sigma = lam I + sum phi_V phi_V^T       theta_hat = Sigma^{-1} sum phi_V V(s')
    radius = scale ((H/2) sqrt(2 ln(G/delta) + ln(det Sigma / lam^d)) + sqrt(lam) B)
    Q_h(s,a) = clip(r(s,a) + <phi_V(s,a), theta_hat> + radius |phi_V(s,a)|, 0, H),    V_h(s) = max_a Q_h(s,a)

where V = V_{h+1} in Q_h, |x|^2 = x^T Sigma^{-1} x, and the sums run over all steps of all stages of the episodes
before, each with V = V_{h+1} of its own episode, which made the plan that it was played by. With homogeneous = 1 (one
theta) there is one regression for all stages, G = 1; with homogeneous = 0 (theta depends on the stage) one for each,
G = H. trace = 1 puts d ln(1 + n H^2/(d lam)), n samples, for the log determinant: no smaller where |phi_V|_2 <= H. The
greedy action is played, ties to the lowest. The learner knows phi, the mean rewards r in [0, 1] and B >= |theta|_2.

State, a regression g: Sigma_inv (H,d,d), b (H,d) = sum phi_V V(s'), theta (H,d), log_det (H,) = ln(det Sigma / lam^d),
n (H,) samples, radius (H,); those beyond G stay zero. Of the last plan: Q (H,S,A), V (H+1,S), V[H] = 0. Scratch: ahead
(S*A,), features (d,S*A) = phi_V of the last stage planned, part, width (S*A,), x, work (d,). Sigma_inv follows each
step by a rank-one update (Sherman, Morrison). Cost of a stage of an episode: SA (m d + d^2) products, m the largest
number of successors.

Source: ayoub2020, jia2020; rule checked in a later paper's text (Zhou, Gu, Szepesvari 2021, section 4.1) [source]; the
radius is the self-normalised bound for noise in an interval of length H [derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners._greedy import act
from theorylab.errors import InputError
from theorylab.kernel import combine, kernel, log, product, rank_one_inverse, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Sigma = lam I and no data (the state arrives zeroed)."""
    for g in range(p.G):
        for i in range(p.d):
            st.Sigma_inv[g, i, i] = 1.0 / p.lam


@kernel
def watch(st, p, k, h, s, a, r, s2):
    """One sample, phi_V(s,a) and V(s') with V = V_{h+1} of this episode's plan; true at the end of the episode."""
    g = min(h, p.G - 1)
    row = s * p.A + a
    for i in range(p.d):
        st.x[i] = 0.0
        for m in range(p.reach):
            st.x[i] += p.moves[i, m, row] * st.V[h + 1, p.successors[m, row]]
        st.b[g, i] += st.x[i] * st.V[h + 1, s2]
    st.log_det[g] += log(1.0 + rank_one_inverse(st.Sigma_inv[g], st.x, st.work, p.d))
    st.n[g] += 1
    return h == p.H - 1


@kernel
def estimate(st, p, g):
    """theta_hat and the radius of a regression."""
    product(st.Sigma_inv[g], st.b[g], st.theta[g], p.d)
    size = st.log_det[g]
    if p.trace == 1:
        size = p.d * log(1.0 + st.n[g] * float(p.H) * p.H / (p.d * p.lam))
    st.radius[g] = p.scale * (0.5 * p.H * sqrt(2.0 * p.log_term + size) + sqrt(p.lam) * p.B)


@kernel
def value_features(st, p, h):
    """features = phi_V of every pair, V = V_{h+1}: pairs side by side, successors in index order."""
    n = p.S * p.A
    for i in range(p.d):
        for j in range(n):
            st.features[i, j] = 0.0
    for m in range(p.reach):
        for j in range(n):
            st.ahead[j] = st.V[h + 1, p.successors[m, j]]
        for i in range(p.d):
            for j in range(n):
                st.features[i, j] += p.moves[i, m, j] * st.ahead[j]


@kernel
def widths(st, p, g):
    """width = phi_V^T Sigma^{-1} phi_V of every pair."""
    n = p.S * p.A
    for j in range(n):
        st.width[j] = 0.0
    for i in range(p.d):
        combine(st.features, st.Sigma_inv[g, i], st.part, n, p.d)
        for j in range(n):
            st.width[j] += st.features[i, j] * st.part[j]


@kernel
def evaluate(st, p, h, g):
    """Q_h and V_h."""
    value_features(st, p, h)
    widths(st, p, g)
    combine(st.features, st.theta[g], st.part, p.S * p.A, p.d)
    cap = float(p.H)
    for s in range(p.S):
        top = 0.0
        for a in range(p.A):
            j = s * p.A + a
            value = p.r[s, a] + st.part[j] + st.radius[g] * sqrt(st.width[j])
            st.Q[h, s, a] = max(0.0, min(cap, value))
            top = max(top, st.Q[h, s, a])
        st.V[h, s] = top


@kernel
def plan(st, p, k, rng):
    """Estimates first, then values backwards."""
    for g in range(p.G):
        estimate(st, p, g)
    for i in range(p.H):
        h = p.H - 1 - i
        evaluate(st, p, h, min(h, p.G - 1))
    return True


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """G regressions, ln(G/delta) in nats; the features by successor: successors (m,S*A) and moves (d,m,S*A)."""
    if not p["lam"] > 0.0:
        raise InputError(f"learner 'ucrl-vtr': lam={p['lam']} must be positive")
    for name in ("homogeneous", "trace"):
        if p[name] not in (0, 1):
            raise InputError(f"learner 'ucrl-vtr': {name}={p[name]} must be 0 or 1")
    phi = p["transition_phi"].reshape(p["S"] * p["A"], p["S"], p["d"])
    moves_to = (phi != 0.0).any(axis=-1)
    reach = max(1, int(moves_to.sum(axis=1).max()))
    # the successors with features first, each in index order; the rest of a row has features zero
    successors = np.argsort(~moves_to, axis=1, kind="stable")[:, :reach]
    moves = np.take_along_axis(phi, successors[:, :, None], axis=1)
    G = 1 if p["homogeneous"] == 1 else p["H"]
    return dict(
        G=G,
        log_term=log(G / p["delta"]),
        reach=reach,
        successors=np.ascontiguousarray(successors.T),
        moves=np.ascontiguousarray(moves.transpose(2, 1, 0)),
    )


learner = Learner(
    name="ucrl-vtr",
    setting="episodic",
    cite="ayoub2020",
    source_tag="source",
    params=dict(delta=0.1, lam=1.0, B=1.0, homogeneous=1, trace=0, scale=1.0),
    knows=("transition_phi", "r"),
    state=dict(
        Sigma_inv=f8["H", "d", "d"], b=f8["H", "d"], theta=f8["H", "d"], log_det=f8["H"], n=i8["H"], radius=f8["H"],
        Q=f8["H", "S", "A"], V=f8["H+1", "S"], features=f8["d", "S*A"], ahead=f8["S*A"], part=f8["S*A"],
        width=f8["S*A"], x=f8["d"], work=f8["d"],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="The radius is the self-normalised bound with noise H/2 [derived]; B must be at least the norm of theta.",
)  # fmt: skip
