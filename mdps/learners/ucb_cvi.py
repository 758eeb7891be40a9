"""gamma-UCB-CVI: discounted value iteration with clipped span, one sweep a step. Tabular, average reward, T steps.

With gamma = 1 - 1/sqrt(T) and Q = V = 1/(1 - gamma) at first, after every step, with the counts brought up to date and
for all pairs with N(s,a) > 0 visits,

    Q(s,a) <- min( Q(s,a), r(s,a) + gamma (p_hat V + beta / sqrt(N)) )      with the V of before
    V(s)   <- min( max_a Q(s,a), min_s' max_a Q(s',a) + 2 span )

and pairs never visited stay at the top: with N = 1 and p_hat = 0 in their place, as the formula with max(1, N) reads,
their values would not be optimistic [derived]. The greedy action is played, ties to the lowest. `span` bounds that of
the optimal bias; the mean rewards r in [0, 1] are known. beta = scale span sqrt(2 (S ln 2 + ln(S A T/delta))): the
form is recalled, the constant [derived], from Hoeffding at the corners of the cube of values. gamma > 0 sets another
discount.

State: N (S,A), moves (S,A,S), Q (S,A), V, ahead (S,) = V before the last sweep. Cost of a step: O(S^2 A).

Source: hong2025 [recalled].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._average_linear import positive
from mdps.learners.lscvi_ucb import discount_of
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Everything is worth 1/(1 - gamma)."""
    for s in range(p.S):
        st.V[s] = p.top
        for a in range(p.A):
            st.Q[s, a] = p.top


@kernel
def act(st, p, t, s, rng):
    """The first maximiser of Q(s, .)."""
    best = 0
    for a in range(1, p.A):
        if st.Q[s, a] > st.Q[s, best]:
            best = a
    return best


@kernel
def clip(st, p):
    """V = min(max_a Q, min_s max_a Q + 2 span)."""
    low = 0.0
    for s in range(p.S):
        top = st.Q[s, 0]
        for a in range(1, p.A):
            top = max(top, st.Q[s, a])
        st.V[s] = top
        low = top if s == 0 else min(low, top)
    for s in range(p.S):
        st.V[s] = min(st.V[s], low + 2.0 * p.span)


@kernel
def backup(st, p, s, a):
    """r + gamma (p_hat V + beta / sqrt(N)) of a pair that was visited."""
    n = float(st.N[s, a])
    value = 0.0
    for s2 in range(p.S):
        value += st.moves[s, a, s2] * st.ahead[s2]
    return p.r[s, a] + p.discount * (value / n + p.beta / sqrt(n))


@kernel
def learn(st, p, t, s, a, r, s2):
    """Count the step, then one sweep."""
    st.N[s, a] += 1
    st.moves[s, a, s2] += 1
    for x in range(p.S):
        st.ahead[x] = st.V[x]
    for x in range(p.S):
        for b in range(p.A):
            if st.N[x, b] > 0:
                st.Q[x, b] = min(st.Q[x, b], backup(st, p, x, b))
    clip(st, p)


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """discount = gamma, top = 1/(1 - gamma) and beta."""
    name = "ucb-cvi"
    positive(name, p, "span")
    discount = discount_of(name, p)
    size = p["S"] * log(2.0) + log(float(p["S"]) * p["A"] * p["T"] / p["delta"])
    return dict(discount=discount, top=1.0 / (1.0 - discount), beta=p["scale"] * p["span"] * sqrt(2.0 * size))


learner = Learner(
    name="ucb-cvi",
    setting="average",
    cite="hong2025",
    source_tag="recalled",
    params=dict(delta=0.1, span=10.0, gamma=0.0, scale=1.0),
    knows=("r",),
    state=dict(N=i8["S", "A"], moves=i8["S", "A", "S"], Q=f8["S", "A"], V=f8["S"], ahead=f8["S"]),
    begin=begin,
    act=act,
    learn=learn,
    derive=derive,
    text="The form of the bonus is recalled, its constant derived; pairs never visited keep the largest value.",
)
