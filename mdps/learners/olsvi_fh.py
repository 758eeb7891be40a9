"""OLSVI.FH: optimistic least-squares value iteration on episodes cut out of one trajectory. Average reward, linear.

The T steps are cut into episodes of L steps, L the least integer that is at least

    max{ sqrt(span) T^{1/4} / d^{3/4}, (span T / d^2)^{1/3} }

or `length` where that is not 0. Before each, with Lambda = lam I + sum phi phi^T over all steps before it, whatever
their stage, and V_L = 0, for h = L-1 .. 0:

    w_h = Lambda^{-1} sum phi (r + V_{h+1}(s'))
    Q_h(s,a) = min(L, <phi(s,a), w_h> + beta |phi(s,a)|_{Lambda^-1}),     V_h(s) = max_a Q_h(s,a)

beta = scale c d L sqrt(ln(2 d T/delta)), lam = 1. The greedy action of stage h is played, ties to the lowest; states go
on where the episode before ended. Rewards in [0, 1] are used as they are observed; the learner knows phi, |phi|_2 <= 1,
and `span`, a bound on that of the optimal bias. Q is capped from above only. Every linear MDP has phi^T kappa = 1 with
kappa = mu(S); the algorithm does not use it (features without it are refused).

State: data as in `_average_linear.DATA`; paid (d,) = sum phi r; of the last plan w (d,) of stage 0, Q (L,S,A), V
(L+1,S), V[L] = 0; start (1,) its first step. Cost of a plan: L (S d + d^2 + SAd) products.

Source: wei2021 [recalled]; the constant c is not kept in the notes, c = 1.
"""

from __future__ import annotations

import math
from typing import Any

from mdps.learners._average_linear import DATA, add_data, begin_data, fit_values, linear_features, positive
from theorylab.errors import InputError
from theorylab.kernel import combine, kernel, log, sqrt
from theorylab.learner import Learner, f8, i8

begin = begin_data


@kernel
def act(st, p, t, s, rng):
    """The first maximiser of Q of the stage."""
    h = t - st.start[0]
    best = 0
    for a in range(1, p.A):
        if st.Q[h, s, a] > st.Q[h, s, best]:
            best = a
    return best


@kernel
def watch(st, p, t, s, a, r, s2):
    """Add the step; true at the end of the episode."""
    add_data(st, p, s, a, s2)
    for i in range(p.d):
        st.paid[i] += p.phi[s, a, i] * r
    return t - st.start[0] == p.L - 1


@kernel
def evaluate(st, p, h):
    """Q_h and V_h from V_{h+1}."""
    for i in range(p.d):
        st.x[i] = st.paid[i]
    fit_values(st, p, st.V[h + 1], 0.0, st.w)
    combine(p.columns, st.w, st.work, p.S * p.A, p.d)
    for s in range(p.S):
        for a in range(p.A):
            j = s * p.A + a
            st.Q[h, s, a] = min(1.0 * p.L, st.work[j] + p.beta * sqrt(st.width[j]))
            st.V[h, s] = st.Q[h, s, a] if a == 0 else max(st.V[h, s], st.Q[h, s, a])


@kernel
def plan(st, p, t, s, rng):
    """Least-squares value iteration, backwards."""
    st.start[0] = t
    for j in range(p.L):
        evaluate(st, p, p.L - 1 - j)
    return True


def episode_length(span: float, T: int, d: int) -> int:
    """The least integer that is at least max{ sqrt(span) T^{1/4}/d^{3/4}, (span T/d^2)^{1/3} }, and at least 1."""
    value: float = max(math.sqrt(span) * T**0.25 / d**0.75, (span * T / d**2) ** (1.0 / 3.0))
    # powers round: a value within 1e-9 of an integer counts as it
    return max(1, math.ceil(value - 1e-9))


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """L, beta, and columns."""
    name = "olsvi-fh"
    positive(name, p, "span", "lam", "c")
    if p["length"] < 0:
        raise InputError(f"learner '{name}': length={p['length']} is negative; 0 sets it by the span, T and d")
    L = p["length"] if p["length"] > 0 else episode_length(p["span"], p["T"], p["d"])
    beta = p["scale"] * p["c"] * p["d"] * L * sqrt(log(2.0 * p["d"] * p["T"] / p["delta"]))
    return dict(L=L, beta=beta, **linear_features(name, p))


learner = Learner(
    name="olsvi-fh",
    setting="average",
    cite="wei2021",
    source_tag="recalled",
    params=dict(delta=0.1, span=10.0, length=0, c=1.0, lam=1.0, scale=1.0),
    knows=("phi",),
    state={**DATA, "paid": f8["d"], "w": f8["d"], "Q": f8["L", "S", "A"], "V": f8["L+1", "S"], "start": i8[1]},
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="Recalled: data of all stages in one regression; c of the bonus c d L sqrt(ln(2dT/delta)) is open, c = 1.",
)
