"""gamma-LSCVI-UCB: discounted least-squares value iteration with clipped span. Linear MDPs, average reward, T steps.

With gamma = 1 - 1/sqrt(T) and Lambda = lam I + sum phi phi^T over all steps, a plan sets Q = V = 1/(1 - gamma) and
repeats, while any entry of Q falls by `precision` = 1/sqrt(T) or more,

    m = min V,    w = Lambda^{-1} sum phi (V(s') - m)
    Q(s,a) <- min( Q(s,a), r(s,a) + gamma (<phi(s,a), w> + m + beta |phi(s,a)|_{Lambda^-1}) )
    V(s)   <- min( max_a Q(s,a), min_s' max_a Q(s',a) + 2 span )

and plays greedily, ties to the lowest action, until det Lambda has doubled since the plan. beta = scale c span d
sqrt(ln(d T/delta)); `span` bounds that of the optimal bias; the learner knows phi, |phi|_2 <= 1, and the mean rewards
r in [0, 1]. The minimum is over all states, which are enumerated. gamma > 0 sets another discount.

In the paper every episode runs T - t backups from the top and plays the u-th at time u [recalled]; here the backups run
to their limit, which the running minimum lets them reach, and one stationary policy is played [derived]: Q stays above
the optimal discounted Q all the same, and Q <= r + gamma (P V' + 2 beta |phi|) holds with V' (`ahead`) the values of
the last backup, at most `precision` above V. phi^T kappa = 1 with kappa = mu(S) in every linear MDP; taking the minimum
out of the regression is exact by that, and kappa itself is not used (features without it are refused).

State: data as in `_average_linear.DATA`; of the last plan w (d,), Q (S,A), V, ahead (S,), sweeps (1,), pi (S,).
Cost of a sweep: S d + d^2 + SAd products; about sqrt(T) ln(T) sweeps a plan, O(d ln T) plans.

Source: hong2025 [clip and order source: abstract; the rest recalled]; c is open there, c = 1.
"""

from __future__ import annotations

from typing import Any

from mdps.learners._average_linear import (
    DATA,
    LN2,
    act,
    add_data,
    begin_data,
    fit_values,
    linear_features,
    positive,
)
from theorylab.errors import InputError
from theorylab.kernel import combine, kernel, log, sqrt
from theorylab.learner import Learner, f8, i8

begin = begin_data


def discount_of(name: str, p: dict[str, Any]) -> float:
    """gamma, or 1 - 1/sqrt(T) where it is 0; refuses one outside [0, 1)."""
    if not 0.0 <= p["gamma"] < 1.0:
        raise InputError(
            f"learner '{name}': gamma={p['gamma']} must lie in [0, 1); 0 sets it to 1 - 1/sqrt(T), as the theory does"
        )
    if p["gamma"] == 0.0:
        return 1.0 - 1.0 / sqrt(float(p["T"]))
    return float(p["gamma"])


@kernel
def watch(st, p, t, s, a, r, s2):
    """Add the step; true when the determinant has doubled."""
    add_data(st, p, s, a, s2)
    return st.log_det[0] - st.log_det_plan[0] >= LN2


@kernel
def clip(st, p):
    """V = min(max_a Q, min_s max_a Q + 2 span), and the greedy policy."""
    low = 0.0
    for s in range(p.S):
        top = st.Q[s, 0]
        st.pi[s] = 0
        for a in range(1, p.A):
            if st.Q[s, a] > top:
                top = st.Q[s, a]
                st.pi[s] = a
        st.V[s] = top
        low = top if s == 0 else min(low, top)
    for s in range(p.S):
        st.V[s] = min(st.V[s], low + 2.0 * p.span)


@kernel
def backup(st, p):
    """One backup; returns the largest fall of an entry of Q."""
    low = st.V[0]
    for s in range(p.S):
        st.ahead[s] = st.V[s]
        low = min(low, st.V[s])
    for i in range(p.d):
        st.x[i] = 0.0
    fit_values(st, p, st.V, low, st.w)
    combine(p.columns, st.w, st.work, p.S * p.A, p.d)
    fall = 0.0
    for s in range(p.S):
        for a in range(p.A):
            j = s * p.A + a
            value = p.r[s, a] + p.discount * (st.work[j] + low + p.beta * sqrt(st.width[j]))
            if value < st.Q[s, a]:
                fall = max(fall, st.Q[s, a] - value)
                st.Q[s, a] = value
    clip(st, p)
    return fall


@kernel
def plan(st, p, t, s, rng):
    """Backups from the top; false if they do not settle within the limit."""
    st.log_det_plan[0] = st.log_det[0]
    for x in range(p.S):
        st.V[x] = p.top
        for a in range(p.A):
            st.Q[x, a] = p.top
    for sweep in range(p.max_sweeps):
        if backup(st, p) < p.precision:
            st.sweeps[0] = sweep + 1
            return True
    return False


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """discount = gamma, top = 1/(1 - gamma), beta, precision = 1/sqrt(T), and columns."""
    name = "lscvi-ucb"
    positive(name, p, "span", "lam", "c")
    discount = discount_of(name, p)
    beta = p["scale"] * p["c"] * p["span"] * p["d"] * sqrt(log(p["d"] * p["T"] / p["delta"]))
    top = 1.0 / (1.0 - discount)
    return dict(discount=discount, top=top, beta=beta, precision=1.0 / sqrt(float(p["T"])), **linear_features(name, p))


learner = Learner(
    name="lscvi-ucb",
    setting="average",
    cite="hong2025",
    source_tag="recalled",
    params=dict(delta=0.1, span=10.0, c=1.0, lam=1.0, gamma=0.0, scale=1.0, max_sweeps=1_000_000),
    knows=("phi", "r"),
    state={
        **DATA,
        "w": f8["d"],
        "Q": f8["S", "A"],
        "V": f8["S"],
        "ahead": f8["S"],
        "sweeps": i8[1],
        "pi": i8["S"],
    },
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="The backups of an episode run to their limit, and one policy is played, where the paper plays the u-th at "
    "time u. The paper leaves c open; c = 1.",
)
