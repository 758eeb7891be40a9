"""Regret matching at every infoset: shared by CFR, CFR+ and predictive CFR+.

The first policy is uniform, or random with `random` = 1. State, by sequence or infoset, with a column a replicate: pi,
the policy; x, its realisation plans; g, counterfactual values; R, regrets; total, the weighted sum of plans; value and
mass (I,), work of one infoset.
"""

from __future__ import annotations

from theorylab.games.kernels import BOTH, LANES, add_plan, behave, gradient, infosets_of, realise, spread, start
from theorylab.kernel import kernel
from theorylab.learner import Field, f8

STATE: dict[str, Field] = dict(pi=f8["Q"], x=f8["Q"], g=f8["Q"], R=f8["Q"], total=f8["Q"], value=f8["I"], mass=f8["I"])


@kernel
def begin(st, p, rng):
    """The first policy, no regret."""
    start(st.pi, p, rng)
    realise(st.x, st.pi, p, BOTH)


@kernel
def act(st, p, pi):
    """The average policy: the sum of plans, normalised at each infoset."""
    behave(pi, st.total, p)


@kernel
def values(st, p, who):
    """g = counterfactual values under pi, and value = what pi earns at each infoset."""
    gradient(st.g, st.x, p, who)
    spread(st.g, st.pi, p, who)
    low, high = infosets_of(p, who)
    for i in range(low, high):
        for j in range(LANES):
            st.value[i, j] = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                st.value[i, j] += st.pi[q, j] * st.g[q, j]


@kernel
def match(st, p, i):
    """pi of infoset i: proportional to pi, which holds weights that are not negative; uniform where they are all 0."""
    first = p.seq_first[i]
    last = first + p.seq_count[i]
    even = 1.0 / p.seq_count[i]
    for j in range(LANES):
        st.mass[i, j] = 0.0
    for q in range(first, last):
        for j in range(LANES):
            st.mass[i, j] += st.pi[q, j]
    for q in range(first, last):
        for j in range(LANES):
            st.pi[q, j] = st.pi[q, j] / st.mass[i, j] if st.mass[i, j] > 0.0 else even


@kernel
def average(st, p, weight, who):
    """The plans of pi, added to the average."""
    realise(st.x, st.pi, p, who)
    add_plan(st.total, st.x, p, weight, who)


@kernel
def alternate(st, p, t, rng):
    """One iteration of each player in turn, with regret matching+: CFR+ and predictive CFR+.

    p.prediction, 0 or 1, is the weight of the last instantaneous regret as a guess of the next one; iteration t = 1, 2,
    ... enters the average with weight t^p.power, power 1 or 2.
    """
    weight = t + 1.0 if p.power == 1 else (t + 1.0) * (t + 1.0)
    for who in range(2):
        average(st, p, weight, who)
        values(st, p, who)
        low, high = infosets_of(p, who)
        for i in range(low, high):
            for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
                for j in range(LANES):
                    change = st.g[q, j] - st.value[i, j]
                    st.R[q, j] = max(0.0, st.R[q, j] + change)
                    st.pi[q, j] = max(0.0, st.R[q, j] + p.prediction * change)
            match(st, p, i)
        realise(st.x, st.pi, p, who)
