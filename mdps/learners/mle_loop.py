"""MLE-LOOP on a finite class of models (Algorithm 2). Average reward, rewards known.

The class is `models` (M,S,A,S); J_m, V_m, pi_m of each are solved exactly beforehand (`mdps.learners._loop`). At time t
(from 1), with the data D of the t - 1 steps before it, f the model in play and g the one of largest likelihood on D,

    loglik(m) = sum_{(s,a,s') in D} ln P_m(s'|s,a),        upsilon = sum_{(s,a) in D} TV(P_f(.|s,a), P_g(.|s,a)),

TV half the distance in the 1-norm. At t = 1 and whenever upsilon > factor * sqrt(beta t) (factor = 3), f becomes the
model of largest gain J with loglik >= max loglik - beta, ties to the lowest index, as for g. A transition of
probability zero removes a model for ever; when none is left the run fails. `beta` in nats:

    form 0   3 ln(M / delta), for which lemmas M1 to M6 hold                                [derived]
    form 1   ln(M / delta), optimism only                                                   [derived]
    form 2   constant * ln(T M / delta), the paper's form with M for the bracketing number;
             the constant is not specified there                                            [recalled]

`scale` multiplies it; `beta` > 0 replaces the form (0 takes it). `span` >= span(V_m) for every m is not used by the
rule.

State: Q (S,A), V (S,), J (1,), pi (S,) of the model in play, played (1,) its index; N (S,A) visits; loglik (M,); mle
(1,) the index of g; tv (S,A) between f and g; upsilon (1,); switches (1,) optimisations so far, the first included.
Cost: O(M) a step, and O(S^2 A) where g or f changes.

Source: he2024, Algorithm 2 [recalled; the trigger's constant 3 and sqrt(beta t) less certain].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners._loop import act, checked_factors, checked_span, solutions
from mdps.learners.loop_models import example
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8

#: in place of ln 0, finite so that sums stay finite; far below any sum of logarithms of positive doubles
IMPOSSIBLE = -1e250
#: log-likelihoods up to here are of models that the data exclude
REMOVED = -1e249


@kernel
def begin(st, p):
    """No data (the state arrives zeroed)."""
    st.switches[0] = 0


@kernel
def compare(st, p):
    """tv between the model in play and the most likely one, and its sum over the data."""
    f = st.played[0]
    g = st.mle[0]
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            distance = 0.0
            for s2 in range(p.S):
                distance += abs(p.models[f, s, a, s2] - p.models[g, s, a, s2])
            st.tv[s, a] = 0.5 * distance
            total += st.N[s, a] * st.tv[s, a]
    st.upsilon[0] = total


@kernel
def adopt(st, p, m):
    """Model m is played from now on."""
    st.played[0] = m
    st.J[0] = p.J_m[m]
    for s in range(p.S):
        st.V[s] = p.V_m[m, s]
        st.pi[s] = p.pi_m[m, s]
        for a in range(p.A):
            st.Q[s, a] = p.Q_m[m, s, a]


@kernel
def optimist(st, p):
    """The model of largest gain whose log-likelihood is within beta of the largest; ties to the lowest index."""
    best = -1
    for m in range(p.M):
        if st.loglik[m] >= st.loglik[st.mle[0]] - p.beta and (best < 0 or p.J_m[m] > p.J_m[best]):
            best = m
    return best


@kernel
def plan(st, p, t, s, rng):
    """The most optimistic model of the confidence set; false where the data exclude every model."""
    if st.loglik[st.mle[0]] <= p.removed:
        return False
    adopt(st, p, optimist(st, p))
    compare(st, p)
    st.switches[0] += 1
    return True


@kernel
def record(st, p, s, a, s2):
    """One more sample: log-likelihoods and the first of their maximisers."""
    st.N[s, a] += 1
    best = 0
    for m in range(p.M):
        st.loglik[m] += p.logs[s, a, s2, m]
        if st.loglik[m] > st.loglik[best]:
            best = m
    return best


@kernel
def watch(st, p, t, s, a, r, s2):
    """Record the step, after which it is time t + 2 (from 1); true when upsilon is above the trigger."""
    g = record(st, p, s, a, s2)
    if g == st.mle[0]:
        st.upsilon[0] += st.tv[s, a]
    else:
        st.mle[0] = g
        compare(st, p)
    return st.upsilon[0] > p.factor * sqrt(p.beta * (t + 2.0)) or st.loglik[g] <= p.removed


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """Q, V, J, pi of every model; logarithms of their kernels (S,A,S,M); beta."""
    checked_factors("mle-loop", p, "factor", "constant")
    models = p["models"]
    if models is None:
        return {}  # refused by the engine, which names the array
    found = solutions("mle-loop", models, p["r"])
    checked_span("mle-loop", found["V"], p["span"])
    M, delta, beta = len(models), p["delta"], p["beta"]
    if beta == 0.0:
        beta = (3.0 * log(M / delta), log(M / delta), p["constant"] * log(p["T"] * M / delta))[p["form"]]
    values, place = np.unique(models, return_inverse=True)
    table = np.array([log(float(x)) if x > 0.0 else IMPOSSIBLE for x in values])
    logs = np.ascontiguousarray(table[place].reshape(models.shape).transpose(1, 2, 3, 0))
    return dict(beta=p["scale"] * beta, removed=REMOVED, logs=logs, **{f"{k}_m": v for k, v in found.items()})


def failure(state: dict[str, np.ndarray], p: dict[str, Any]) -> str | None:
    """Why a plan failed."""
    return (
        "a transition that no model of the class allows has been seen; add the truth to `models`, or mix every model "
        "(mdps.loop.classes.with_mixing)"
    )


learner = Learner(
    name="mle-loop",
    setting="average",
    cite="he2024",
    source_tag="recalled",
    params=dict(delta=0.05, span=0.0, beta=0.0, form=0, constant=1.0, scale=1.0, factor=3.0),
    arrays=dict(models=f8["M", "S", "A", "S"]),
    knows=("r",),
    state=dict(
        Q=f8["S", "A"], V=f8["S"], J=f8[1], pi=i8["S"], N=i8["S", "A"], upsilon=f8[1], switches=i8[1], played=i8[1],
        loglik=f8["M"], mle=i8[1], tv=f8["S", "A"],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    failure=failure,
    example=example,
    text="The trigger 3 sqrt(beta t) is recalled with medium confidence; it is consistent with beta = 3 ln(M/delta) "
    "[derived].",
)  # fmt: skip
