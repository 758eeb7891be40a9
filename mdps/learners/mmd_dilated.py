"""Magnetic mirror descent (MMD) in sequence form, with dilated entropy.

With x the realisation plan of pi, q the sequence of action a at infoset i, and q' its parent sequence,

    psi(x)        = sum_i x[q'] sum_a pi(i,a) ln pi(i,a)
    grad psi(x)   = ln pi(i,a) + 1 - number of infosets right after q
    g             = payoffs of the leaves right after each own sequence, given the other's plan (chance included)
    x_{t+1}       = argmax_x  eta <g, x> - eta alpha psi(x) - B_psi(x; x_t)

B_psi the Bregman divergence, eta the stepsize (1/reward), alpha the temperature (reward). Both players maximise their
own payoff and move at once. Infosets from the deepest to the root:

    pull(q)       = (eta g(q) + ln pi_t(i,a)) / (1 + eta alpha) + sum of top(j) over the infosets j right after q
    top(i)        = ln sum_a exp pull(i,a)
    ln pi_{t+1}   = pull - top

The constants of grad psi are left out: sum_q x[q] (1 - infosets right after q) is the same for all plans, the number of
first infosets [derived]. Only ln pi is kept, no product of probabilities is divided by. The limit is the quantal
response equilibrium of the reduced normal form (`theorylab.games.quantal`), not the agent one of `mmd`.

    eta        0: alpha / max|A|^2, A the matrix of payoffs by pairs of sequences, chance included. Dilated entropy is
               strongly convex with a constant below 1, so that the theorem's stepsize may be smaller
    schedule   0: eta and alpha are constant; 1: eta/sqrt(t) and alpha/sqrt(t), t = 1, 2, ... (the source anneals the
               behavioural form only)
    alternate  1: player 0 moves, then player 1 against the new plan of player 0; no part of the source
    random, first, etas, alphas   as in `mdps.learners.mmd`

State: logits = ln pi; pull; eta and alpha of each replicate; top and total, work of one infoset. Source: sokota2023,
appendix C [source].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners.mmd import act, begin_at, blueprint, grid, normalise, rates, switches
from theorylab.errors import InputError
from theorylab.games.kernels import BOTH, LANES, gradient, infosets_of, realise, sequences_of
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8


@kernel
def begin(st, p, rng):
    """The first policy."""
    begin_at(st.pi, p, rng)
    for q in range(p.Q):
        for j in range(LANES):
            st.logits[q, j] = log(st.pi[q, j])


@kernel
def improve(st, p, who):
    """One step of `who`."""
    realise(st.x, st.pi, p, BOTH)
    gradient(st.g, st.x, p, who)
    low, high = sequences_of(p, who)
    for q in range(low, high):
        for j in range(LANES):
            st.pull[q, j] = (st.eta[0, j] * st.g[q, j] + st.logits[q, j]) / (1.0 + st.eta[0, j] * st.alpha[0, j])
    low, high = infosets_of(p, who)
    for n in range(high - low):
        i = high - 1 - n
        first = p.seq_first[i]
        last = first + p.seq_count[i]
        before = p.seq_before[i]
        for q in range(first, last):
            for j in range(LANES):
                st.logits[q, j] = st.pull[q, j]
        normalise(st, st.logits, st.pi, p, i)
        for j in range(LANES):
            st.pull[before, j] += st.top[0, j]


@kernel
def learn(st, p, t, rng):
    """One iteration of both players."""
    rates(st, p, sqrt(t + 1.0) if p.schedule == 1 else 1.0, rng)
    if p.alternate == 1:
        improve(st, p, 0)
        improve(st, p, 1)
    else:
        improve(st, p, BOTH)


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """The default stepsize; refuses what `grid`, `blueprint` and `switches` refuse, and eta = 0 where it has none."""
    switches(p, "mmd-dilated", "schedule", "alternate", "random")
    given = dict(p)
    if p["etas"] is None and p["eta"] == 0.0:
        alphas = np.full(p.get("G", 1), p["alpha"]) if p["alphas"] is None else p["alphas"]
        largest = float(np.abs(p["pay"]).max(initial=0.0))
        if not (alphas > 0.0).all() or largest == 0.0:
            raise InputError(
                f"learner 'mmd-dilated': eta=0 stands for alpha/max|A|^2, and alpha is {alphas.min()}, max|A| {largest}"
                ", which must be positive; give eta"
            )
        given["etas"] = alphas / largest**2
    return {**grid(given, "mmd-dilated"), **blueprint(p, "mmd-dilated")}


learner = Learner(
    name="mmd-dilated",
    setting="game",
    cite="sokota2023",
    params=dict(eta=0.0, alpha=0.1, schedule=0, alternate=0, random=0),
    arrays=dict(etas=f8["G"], alphas=f8["G"], first=f8["Q"]),
    state=dict(
        pi=f8["Q"], x=f8["Q"], g=f8["Q"], logits=f8["Q"], pull=f8["Q"], eta=f8[1], alpha=f8[1], top=f8[1], total=f8[1]
    ),
    begin=begin,
    act=act,
    learn=learn,
    derive=derive,
    text="Dilated entropy with weights 1; last iterate.",
)
