"""Optimistic Q-learning: discounted, for the average reward. Weakly communicating MDPs, rewards in [0, 1], T steps.

    n = N(s,a),  a_n = (H+1)/(H+n),  b_n = 4 scale sp sqrt((H/n) ln(2T/delta))
    Q(s,a) <- (1 - a_n) Q(s,a) + a_n [ r + gamma Vhat(s') + b_n ]
    Qhat(s,a) <- min(Qhat(s,a), Q(s,a)),      Vhat(s) <- max_a Qhat(s,a)

All start at H, and the first maximiser of Qhat(s,.) is played. `span` = sp bounds the span of the optimal bias and must
be given. `gamma` = 0 stands for 1 - 1/G, G = max(2, (T/(SA))^{1/3}), which is 1 - (SA/T)^{1/3} from T = 8 SA on. With
`form=0`, H = 1/(1-gamma), so that gamma = 1 - 1/H and no discounted value lies above the start; with `form=1`, H =
gamma/(1-gamma), one less: then the start is optimistic only where all discounted values are at most gamma/(1-gamma),
which a gain near 1 breaks. Both keep gamma (1 + 1/H) <= 1, which the proof needs.

State: Q, Qhat (S,A), Vhat (S,) start at H; N (S,A) visits; bonus (1,) the b_n of the last update. Cost O(A) a step.
Ties go to the lowest action. Rewards are learnt from, not known.

Source: wei2020, algorithm 1 [rule and form 1: source, the authors' code; form 0 and the constant 4: source, second
public code; choice of gamma: recalled]. The authors' code leaves the bonus as c sqrt(H/n), c to be tuned: c = 4 scale
sp sqrt(ln(2T/delta)).
"""

from __future__ import annotations

from typing import Any

from theorylab.errors import InputError
from theorylab.kernel import exp, kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Q = Qhat = Vhat = H, no visits."""
    st.bonus[0] = 0.0
    for s in range(p.S):
        st.Vhat[s] = p.H
        for a in range(p.A):
            st.Q[s, a] = p.H
            st.Qhat[s, a] = p.H
            st.N[s, a] = 0


@kernel
def act(st, p, t, s, rng):
    """The first maximiser of Qhat(s,.)."""
    best = 0
    for a in range(1, p.A):
        if st.Qhat[s, a] > st.Qhat[s, best]:
            best = a
    return best


@kernel
def learn(st, p, t, s, a, r, s2):
    """The update of one pair."""
    n = st.N[s, a] + 1
    st.N[s, a] = n
    rate = (p.H + 1.0) / (p.H + n)
    bonus = p.c * sqrt(p.H / n)
    st.bonus[0] = bonus
    st.Q[s, a] = (1.0 - rate) * st.Q[s, a] + rate * (r + p.gamma * st.Vhat[s2] + bonus)
    st.Qhat[s, a] = min(st.Qhat[s, a], st.Q[s, a])
    top = st.Qhat[s, 0]
    for b in range(1, p.A):
        top = max(top, st.Qhat[s, b])
    st.Vhat[s] = top


def discount(p: dict[str, Any]) -> float:
    """gamma: as given, or 1 - 1/G."""
    gamma = float(p["gamma"])
    if gamma == 0.0:
        return 1.0 - 1.0 / max(2.0, float(exp(log(p["T"] / (p["S"] * p["A"])) / 3.0)))
    if not 0.0 < gamma < 1.0:
        raise InputError(
            f"learner 'optimistic-q': gamma={gamma} must lie strictly between 0 and 1; 0 chooses 1 - (SA/T)^(1/3)"
        )
    return gamma


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """gamma, H and c = 4 scale sp sqrt(ln(2T/delta)), in units of the reward; ln in nats."""
    if p["span"] <= 0.0:
        raise InputError(
            f"learner 'optimistic-q': span={p['span']} is not positive; give an upper bound of the span of the "
            f"optimal bias"
        )
    if p["form"] not in (0, 1):
        raise InputError(f"learner 'optimistic-q': form={p['form']} is neither 0 (H = 1/(1-gamma)) nor 1 (one less)")
    gamma = discount(p)
    H = (gamma if p["form"] == 1 else 1.0) / (1.0 - gamma)
    if H < 1.0:
        raise InputError(
            f"learner 'optimistic-q': gamma={gamma} gives H={H}, below 1, where the weights of the rates are not "
            "controlled; give a larger gamma"
        )
    c = 4.0 * p["scale"] * p["span"] * sqrt(log(2.0 * p["T"] / p["delta"]))
    return dict(gamma=gamma, H=H, c=c)


def example(model: Any) -> dict[str, Any]:
    """Any bound will do to run it."""
    return {"span": 0.05, "gamma": 0.8}


learner = Learner(
    name="optimistic-q",
    setting="average",
    cite="wei2020",
    source_tag="recalled",
    params=dict(span=0.0, delta=0.1, scale=1.0, gamma=0.0, form=0),
    state=dict(Q=f8["S", "A"], Qhat=f8["S", "A"], Vhat=f8["S"], N=i8["S", "A"], bonus=f8[1]),
    begin=begin,
    act=act,
    learn=learn,
    derive=derive,
    example=example,
    text="H = 1/(1-gamma), as gamma = 1 - 1/H; the authors' code has one less (form=1). The learner knows T.",
)
