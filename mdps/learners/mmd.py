"""Magnetic mirror descent (MMD) with action values, at every infoset of both players at once.

    q(i,a)       conditional action values under pi_t (not counterfactual ones)
    pi_{t+1}(a)  proportional to [ pi_t(a) rho(a)^{alpha eta} exp(eta q(i,a)) ]^{1/(1 + alpha eta)}

eta the stepsize (1/reward), alpha the temperature (reward), rho the magnet. An infoset that chance and the opponent do
not reach keeps its policy. What it stands for is the last iterate.

    schedule   0: eta and alpha are constant; 1: eta/sqrt(t) and alpha/sqrt(t), t = 1, 2, ...
    magnet     0: rho stays uniform; r in (0, 1]: rho <- rho^{1-r} pi_{t+1}^r, normalised
    weighted   1: eta times the player's own reach of the infoset
    alternate  1: player 0 moves, then player 1 against the new policy of player 0; else both at once
    random     1: the first policy is drawn, uniform on every simplex
    first      (Q,) the first policy by sequence (`theorylab.games.layout.by_sequence`); uniform by default. One
               iteration from it is one step of MMD search at all infosets. A probability of 0 stays 0
    etas, alphas   (G,) in place of eta and alpha: replicate r has entry r mod G

alpha = 0 is mirror descent. State: logits = ln pi, anchor = ln rho; eta and alpha, those of this iteration; step, top
and total, work of one infoset. Source: sokota2023, equation 12 and appendix [source]; `alternate` is no part of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theorylab.compiler import u64
from theorylab.errors import InputError
from theorylab.games.kernels import (
    BOTH,
    LANES,
    exponential,
    gradient,
    infosets_of,
    logarithm,
    masses,
    realise,
    scatter,
    spread,
    uniform,
)
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8
from theorylab.validate import SUM_TOLERANCE


@kernel
def begin(st, p, rng):
    """The first policy, and the uniform magnet."""
    uniform(st.rho, p)
    begin_at(st.pi, p, rng)
    for q in range(p.Q):
        for j in range(LANES):
            st.logits[q, j] = log(st.pi[q, j])
            st.anchor[q, j] = log(st.rho[q, j])


@kernel
def begin_at(pi, p, rng):
    """pi = p.first, or with p.random = 1 drawn by `scatter`."""
    if p.random == 1:
        scatter(pi, p, rng)
    else:
        for q in range(p.Q):
            for j in range(LANES):
                pi[q, j] = p.first[q]


@kernel
def rates(st, p, root, rng):
    """Stepsize and temperature of each replicate, over root."""
    for j in range(LANES):
        k = (rng.replicate + u64(j)) % u64(p.G)
        st.eta[0, j] = p.etas[k] / root
        st.alpha[0, j] = p.alphas[k] / root


@kernel
def act(st, p, pi):
    """The last iterate."""
    for q in range(p.Q):
        for j in range(LANES):
            pi[q, j] = st.pi[q, j]


@kernel
def normalise(st, logits, pi, p, i):
    """At infoset i: logits less the logarithm of their summed exponentials, and pi = exp(logits)."""
    first = p.seq_first[i]
    last = first + p.seq_count[i]
    for j in range(LANES):
        st.top[0, j] = logits[first, j]
        st.total[0, j] = 0.0
    for q in range(first + 1, last):
        for j in range(LANES):
            st.top[0, j] = max(st.top[0, j], logits[q, j])
    for q in range(first, last):
        for j in range(LANES):
            pi[q, j] = exponential(logits[q, j] - st.top[0, j])
            st.total[0, j] += pi[q, j]
    for j in range(LANES):
        st.top[0, j] += logarithm(st.total[0, j])
    for q in range(first, last):
        for j in range(LANES):
            logits[q, j] = logits[q, j] - st.top[0, j]
            pi[q, j] = pi[q, j] / st.total[0, j]


@kernel
def improve(st, p, who):
    """One step at every infoset of `who`."""
    realise(st.x, st.pi, p, BOTH)
    gradient(st.g, st.x, p, who)
    spread(st.g, st.pi, p, who)
    masses(st.mass, st.x, p)
    low, high = infosets_of(p, who)
    for i in range(low, high):
        first = p.seq_first[i]
        last = first + p.seq_count[i]
        before = p.seq_before[i]
        for j in range(LANES):
            st.step[0, j] = st.eta[0, j] * st.x[before, j] if p.weighted == 1 else st.eta[0, j]
        for q in range(first, last):
            for j in range(LANES):
                pull = st.alpha[0, j] * st.step[0, j]
                old = st.logits[q, j]
                value = st.g[q, j] / (st.mass[i, j] if st.mass[i, j] > 0.0 else 1.0)
                new = (old + pull * st.anchor[q, j] + st.step[0, j] * value) / (1.0 + pull)
                st.logits[q, j] = new if st.mass[i, j] > 0.0 else old
        normalise(st, st.logits, st.pi, p, i)
        if p.magnet > 0.0:
            for q in range(first, last):
                for j in range(LANES):
                    st.anchor[q, j] = (1.0 - p.magnet) * st.anchor[q, j] + p.magnet * st.logits[q, j]
            normalise(st, st.anchor, st.rho, p, i)


@kernel
def learn(st, p, t, rng):
    """One iteration of both players."""
    rates(st, p, sqrt(t + 1.0) if p.schedule == 1 else 1.0, rng)
    if p.alternate == 1:
        improve(st, p, 0)
        improve(st, p, 1)
    else:
        improve(st, p, BOTH)


def grid(p: dict[str, Any], name: str) -> dict[str, Any]:
    """G, etas and alphas (G,), from eta and alpha where they are not given; refuses eta <= 0 and alpha < 0."""
    G = p.get("G", 1)
    if G == 0:
        raise InputError(f"learner '{name}': etas or alphas is empty; give one entry or more")
    given = {key: p[f"{key}s"] is not None for key in ("eta", "alpha")}
    etas, alphas = (p[f"{key}s"] if given[key] else np.full(G, p[key]) for key in given)
    if (bad := ~((etas > 0.0) & (alphas >= 0.0))).any():
        k = int(np.argmax(bad))
        eta, alpha = (f"{key}s[{k}]" if given[key] else key for key in given)
        raise InputError(
            f"learner '{name}': {eta}={etas[k]} must be positive and {alpha}={alphas[k]} not negative; mend it"
        )
    return dict(G=G, etas=etas, alphas=alphas)


def blueprint(p: dict[str, Any], name: str) -> dict[str, Any]:
    """first (Q,), uniform where it is not given; refuses what is no policy by sequence."""
    if p["first"] is None:
        pi = np.ones(p["Q"])
        for first, count in zip(p["seq_first"], p["seq_count"], strict=True):
            pi[first : first + count] = 1.0 / count
        return {"first": pi}
    pi = p["first"]
    if p["random"] == 1:
        raise InputError(f"learner '{name}': random=1 draws the first policy, and first gives it; leave one out")
    if (bad := (pi < 0.0) | (pi > 1.0)).any():
        raise InputError(f"learner '{name}': first[{np.argmax(bad)}]={pi[bad][0]} is no probability")
    for i, (first, count) in enumerate(zip(p["seq_first"], p["seq_count"], strict=True)):
        total = pi[first : first + count].sum()
        if abs(total - 1.0) > SUM_TOLERANCE:
            raise InputError(
                f"learner '{name}': first[{first}:{first + count}], infoset {i} of the layout, sums to {total:.12g}, "
                "not to 1; see theorylab.games.layout.by_sequence"
            )
    return {"first": pi}


def switches(p: dict[str, Any], name: str, *keys: str) -> None:
    """Refuses a switch that is none of 0 and 1."""
    for key in keys:
        if p[key] not in (0, 1):
            raise InputError(f"learner '{name}': {key}={p[key]} is none of 0 and 1")


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """Refuses a magnet outside [0, 1], and what `grid`, `blueprint` and `switches` refuse."""
    switches(p, "mmd", "schedule", "weighted", "alternate", "random")
    if not 0.0 <= p["magnet"] <= 1.0:
        raise InputError(f"learner 'mmd': magnet={p['magnet']} is a rate in [0, 1]; 0 keeps the magnet uniform")
    out = {**grid(p, "mmd"), **blueprint(p, "mmd")}
    if p["magnet"] > 0.0 and (out["first"] == 0.0).any():
        raise InputError(f"learner 'mmd': first[{np.argmin(out['first'])}]=0, and a moving magnet needs it positive")
    return out


learner = Learner(
    name="mmd",
    setting="game",
    cite="sokota2023",
    params=dict(eta=0.1, alpha=1.0, schedule=0, magnet=0.0, weighted=0, alternate=0, random=0),
    arrays=dict(etas=f8["G"], alphas=f8["G"], first=f8["Q"]),
    state=dict(
        pi=f8["Q"], x=f8["Q"], g=f8["Q"], logits=f8["Q"], anchor=f8["Q"], rho=f8["Q"], mass=f8["I"],
        eta=f8[1], alpha=f8[1], step=f8[1], top=f8[1], total=f8[1],
    ),
    begin=begin,
    act=act,
    learn=learn,
    derive=derive,
    text="Behavioural form; all action values are those of the old joint policy, unless alternate = 1.",
)  # fmt: skip
