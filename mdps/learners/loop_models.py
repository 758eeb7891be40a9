"""LOOP on a finite class of models (Algorithm 1 with the model-based discrepancy). Average reward, rewards known.

The class is `models` (M,S,A,S), M kernels; J_m, V_m, pi_m of each are solved exactly beforehand, V_m with midrange 0
(`mdps.learners._loop`). With f_i the model played at step i, the loss of a model k after t steps is

    L_t(k) = sum_{i <= t} ((r + P_k V_{f_i})(s_i,a_i) - r(s_i,a_i) - V_{f_i}(s_{i+1}))^2,
    excess(k) = L_t(k) - min_g L_t(g),

the target V_{f_i} being that of the model played THEN. At the first step, and whenever excess(f) >= factor * beta on
all data (old and new; factor = 4), f becomes the model of largest gain J with excess <= beta, ties to the lowest index.
The set is never empty: the minimiser has excess 0. `beta` in units of reward squared, B = `span` >= span(V_m) for every
m:

    form 0   9 B^2 ln(M^2 / delta), for which lemmas F1 to F5 hold                     [derived]
    form 1   (B^2 / 2) ln(M / delta), optimism only                                    [derived]
    form 2   constant * ln(T M^2 / delta) B, the paper's form; the constant is not specified there     [recalled]

`scale` multiplies it; `beta` > 0 replaces the form (0 takes it).

The losses are brought up to date lazily, at the same triggers as if this were done at every step: with ahead = P_f V_f,
e = P_k V_f - ahead and d_i = ahead(s_i,a_i) - V_f(s_{i+1}), a step adds (e + d_i)^2 to L(k), so that visits n and sums
of d of each pair suffice, and d_i^2, which all models share, is left out of `loss`. Since n e^2 + 2 e sum d >= -(sum
d)^2 / n,

    excess(f) now <= excess(f) at the last update + sum over pairs of (sum d)^2 / n,

and all M losses are updated when this bound reaches factor * beta [derived]. Cost: O(1) a step, O(M S^2 A) an update.

State: Q (S,A), V (S,), J (1,), pi (S,) of the model in play, played (1,) its index, ahead (S,A); N (S,A) visits; loss
(M,) up to what all share, and excess (M,), at the last update; since then fresh, off (S,A) visits and sums of d, and
room (1,) = sum off^2 / fresh; base (1,) excess of the model in play at the last update; upsilon (1,) = base + room,
never below that excess now and equal to it after an update; switches (1,) optimisations so far, the first included.

Source: he2024, Algorithm 1 [recalled; that the discrepancy is this one: source, a review]; sums and bound [derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners._loop import act, checked_factors, checked_span, solutions
from theorylab.kernel import kernel, log
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """No data (the state arrives zeroed)."""
    st.switches[0] = 0


@kernel
def adopt(st, p, m):
    """Model m is played from now on."""
    st.played[0] = m
    st.J[0] = p.J_m[m]
    for s in range(p.S):
        st.V[s] = p.V_m[m, s]
        st.pi[s] = p.pi_m[m, s]
    for s in range(p.S):
        for a in range(p.A):
            value = 0.0
            for s2 in range(p.S):
                value += p.models[m, s, a, s2] * st.V[s2]
            st.ahead[s, a] = value
            st.Q[s, a] = p.r[s, a] + value - st.J[0]


@kernel
def optimist(st, p):
    """The model of largest gain whose excess is at most beta; ties to the lowest index."""
    best = -1
    for m in range(p.M):
        if st.excess[m] <= p.beta and (best < 0 or p.J_m[m] > p.J_m[best]):
            best = m
    return best


@kernel
def plan(st, p, t, s, rng):
    """The most optimistic model of the confidence set."""
    m = optimist(st, p)
    adopt(st, p, m)
    st.base[0] = st.excess[m]
    st.upsilon[0] = st.base[0]
    st.switches[0] += 1
    return True


@kernel
def settle(st, p):
    """Losses and excesses of all models on all data."""
    least = 0.0
    for m in range(p.M):
        change = 0.0
        for s in range(p.S):
            for a in range(p.A):
                n = st.fresh[s, a]
                if n > 0:
                    e = -st.ahead[s, a]
                    for s2 in range(p.S):
                        e += p.models[m, s, a, s2] * st.V[s2]
                    change += e * (n * e + 2.0 * st.off[s, a])
        st.loss[m] += change
        if m == 0 or st.loss[m] < least:
            least = st.loss[m]
    for m in range(p.M):
        st.excess[m] = st.loss[m] - least
    for s in range(p.S):
        for a in range(p.A):
            st.fresh[s, a] = 0
            st.off[s, a] = 0.0
    st.room[0] = 0.0
    st.base[0] = st.excess[st.played[0]]


@kernel
def record(st, p, s, a, s2):
    """One more sample of the pair; room follows the change of off^2 / fresh."""
    st.N[s, a] += 1
    if st.fresh[s, a] > 0:
        st.room[0] -= st.off[s, a] * st.off[s, a] / st.fresh[s, a]
    st.fresh[s, a] += 1
    st.off[s, a] += st.ahead[s, a] - st.V[s2]
    st.room[0] += st.off[s, a] * st.off[s, a] / st.fresh[s, a]


@kernel
def watch(st, p, t, s, a, r, s2):
    """Record the step; true when the excess of the model in play has reached factor * beta."""
    record(st, p, s, a, s2)
    limit = p.factor * p.beta
    st.upsilon[0] = st.base[0] + st.room[0]
    # room for rounding in the running sum: an update too many changes nothing
    if st.upsilon[0] < limit * (1.0 - 1e-9):
        return False
    settle(st, p)
    st.upsilon[0] = st.base[0]
    return st.base[0] >= limit


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """Q, V, J, pi of every model; beta."""
    checked_factors("loop-models", p, "factor", "constant")
    models = p["models"]
    if models is None:
        return {}  # refused by the engine, which names the array
    found = solutions("loop-models", models, p["r"])
    checked_span("loop-models", found["V"], p["span"])
    B, M, delta, beta = p["span"], len(models), p["delta"], p["beta"]
    if beta == 0.0:
        forms = (
            9.0 * B * B * log(M * M / delta),
            0.5 * B * B * log(M / delta),
            p["constant"] * log(p["T"] * M * M / delta) * B,
        )
        beta = forms[p["form"]]
    return dict(beta=p["scale"] * beta, **{f"{k}_m": found[k] for k in ("V", "J", "pi")})


def example(model: Any) -> dict[str, Any]:
    """The model with its actions as they are and rotated."""
    P = np.array(model.dense())
    return dict(models=np.stack([np.roll(P, k, axis=1) for k in range(2)]), span=25.0, scale=0.01)


learner = Learner(
    name="loop-models",
    setting="average",
    cite="he2024",
    source_tag="recalled",
    params=dict(delta=0.05, span=0.0, beta=0.0, form=0, constant=1.0, scale=1.0, factor=4.0),
    arrays=dict(models=f8["M", "S", "A", "S"]),
    knows=("r",),
    state=dict(
        Q=f8["S", "A"], V=f8["S"], J=f8[1], pi=i8["S"], N=i8["S", "A"], upsilon=f8[1], switches=i8[1], played=i8[1],
        ahead=f8["S", "A"], loss=f8["M"], excess=f8["M"], fresh=i8["S", "A"], off=f8["S", "A"], room=f8[1], base=f8[1],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    example=example,
    text="The trigger 4 beta and the place of the span in beta are recalled; forms 0 and 1 of beta are derived here.",
)  # fmt: skip
