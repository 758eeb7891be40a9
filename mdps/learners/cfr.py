"""Counterfactual regret minimisation (CFR) on a game in extensive form, both players at once.

    v(q)      counterfactual values of all sequences under pi_t
    R(q)     += v(q) - sum_a pi_t(i,a) v(i,a)
    pi_{t+1}  regret matching: proportional to max(R, 0), uniform where none is positive

What it stands for is the average policy, each iteration weighed alike and by own reach. State: see
`mdps.learners._cfr`. Source: zinkevich2007 [recalled].
"""

from __future__ import annotations

from mdps.learners._cfr import STATE, act, average, begin, match, values
from theorylab.games.kernels import BOTH, LANES
from theorylab.kernel import kernel
from theorylab.learner import Learner


@kernel
def learn(st, p, t, rng):
    """One iteration of both players."""
    average(st, p, 1.0, BOTH)
    values(st, p, BOTH)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                st.R[q, j] += st.g[q, j] - st.value[i, j]
                st.pi[q, j] = max(st.R[q, j], 0.0)
        match(st, p, i)


learner = Learner(
    name="cfr",
    setting="game",
    cite="zinkevich2007",
    source_tag="recalled",
    params=dict(random=0),
    state=STATE,
    begin=begin,
    act=act,
    learn=learn,
    text="Simultaneous updates, uniform average.",
)
