"""Magnetic mirror descent (MMD) with action values, at every infoset of both players at once.

    q(i,a)       conditional action values under pi_t (not counterfactual ones)
    pi_{t+1}(a)  proportional to [ pi_t(a) rho(a)^{alpha eta} exp(eta q(i,a)) ]^{1/(1 + alpha eta)}

eta the stepsize (1/reward), alpha the temperature (reward), rho the magnet. An infoset that chance and the opponent do
not reach keeps its policy. What it stands for is the last iterate.

    schedule  0: eta and alpha are constant; 1: eta/sqrt(t) and alpha/sqrt(t), t = 1, 2, ...
    magnet    0: rho stays uniform; r in (0, 1]: rho <- rho^{1-r} pi_{t+1}^r, normalised
    weighted  1: eta times the player's own reach of the infoset
    random    1: the first policy is drawn, uniform on every simplex; else it is uniform
    alpha = 0 is mirror descent (hedge, natural policy gradient)

State: logits = ln pi, anchor = ln rho. Source: sokota2023, equation 12 and appendix [source].
"""

from __future__ import annotations

from typing import Any

from theorylab.errors import InputError
from theorylab.games.kernels import BOTH, LANES, gradient, masses, realise, spread, start, uniform
from theorylab.kernel import exp, kernel, log, sqrt
from theorylab.learner import Learner, f8


@kernel
def begin(st, p, rng):
    """The first policy, and the uniform magnet."""
    uniform(st.rho, p)
    start(st.pi, p, rng)
    for q in range(p.Q):
        for j in range(LANES):
            st.logits[q, j] = log(st.pi[q, j])
            st.anchor[q, j] = log(st.rho[q, j])


@kernel
def act(st, p, pi):
    """The last iterate."""
    for q in range(p.Q):
        for j in range(LANES):
            pi[q, j] = st.pi[q, j]


@kernel
def normalise(logits, pi, p, i):
    """At infoset i: logits less the logarithm of their summed exponentials, and pi = exp(logits)."""
    first = p.seq_first[i]
    last = first + p.seq_count[i]
    for j in range(LANES):
        top = logits[first, j]
        for q in range(first + 1, last):
            top = max(top, logits[q, j])
        total = 0.0
        for q in range(first, last):
            pi[q, j] = exp(logits[q, j] - top)
            total += pi[q, j]
        shift = top + log(total)
        for q in range(first, last):
            logits[q, j] = logits[q, j] - shift
            pi[q, j] = pi[q, j] / total


@kernel
def learn(st, p, t, rng):
    """One iteration at every infoset."""
    realise(st.x, st.pi, p, BOTH)
    gradient(st.g, st.x, p, BOTH)
    spread(st.g, st.pi, p, BOTH)
    masses(st.mass, st.x, p)
    root = sqrt(t + 1.0) if p.schedule == 1 else 1.0
    alpha = p.alpha / root
    for i in range(p.I):
        first = p.seq_first[i]
        last = first + p.seq_count[i]
        before = p.seq_before[i]
        for j in range(LANES):
            if st.mass[i, j] > 0.0:
                eta = p.eta / root
                if p.weighted == 1:
                    eta = eta * st.x[before, j]
                for q in range(first, last):
                    pull = st.logits[q, j] + alpha * eta * st.anchor[q, j] + eta * (st.g[q, j] / st.mass[i, j])
                    st.logits[q, j] = pull / (1.0 + alpha * eta)
        normalise(st.logits, st.pi, p, i)
        if p.magnet > 0.0:
            for q in range(first, last):
                for j in range(LANES):
                    st.anchor[q, j] = (1.0 - p.magnet) * st.anchor[q, j] + p.magnet * st.logits[q, j]
            normalise(st.anchor, st.rho, p, i)


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """Refuses eta <= 0, alpha < 0, a magnet outside [0, 1] and unknown switches."""
    if not p["eta"] > 0.0 or not p["alpha"] >= 0.0:
        raise InputError(f"learner 'mmd': eta={p['eta']} must be positive and alpha={p['alpha']} not negative")
    if not 0.0 <= p["magnet"] <= 1.0:
        raise InputError(f"learner 'mmd': magnet={p['magnet']} is a rate in [0, 1]; 0 keeps the magnet uniform")
    for key in ("schedule", "weighted", "random"):
        if p[key] not in (0, 1):
            raise InputError(f"learner 'mmd': {key}={p[key]} is none of 0 and 1")
    return {}


learner = Learner(
    name="mmd",
    setting="game",
    params=dict(eta=0.1, alpha=1.0, schedule=0, magnet=0.0, weighted=0, random=0),
    state=dict(
        pi=f8["Q"], x=f8["Q"], g=f8["Q"], logits=f8["Q"], anchor=f8["Q"], rho=f8["Q"], mass=f8["I"],
    ),
    begin=begin,
    act=act,
    learn=learn,
    derive=derive,
    text="Behavioural form; all action values are those of the old joint policy.",
)  # fmt: skip
