"""CFR+: regret matching+, alternating updates, averages weighted by the iteration.

For player 0, then for player 1 against what player 0 plays by then, with t = 1, 2, ...:

    total    += t x_t                       x_t the realisation plan of the player's pi_t
    R         = max(0, R + v - <pi_t, v>)   v counterfactual values
    pi_{t+1}  proportional to R, uniform where R = 0

State: see `mdps.learners._cfr`. Source: tammelin2014 [recalled]; switches as in public code [source: code].
"""

from __future__ import annotations

from mdps.learners._cfr import STATE, act, average, begin, match, values
from theorylab.games.kernels import LANES, infosets_of, realise
from theorylab.kernel import kernel
from theorylab.learner import Learner


@kernel
def learn(st, p, t, rng):
    """One iteration of each player in turn."""
    for who in range(2):
        average(st, p, t + 1.0, who)
        values(st, p, who)
        low, high = infosets_of(p, who)
        for i in range(low, high):
            for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
                for j in range(LANES):
                    st.R[q, j] = max(0.0, st.R[q, j] + st.g[q, j] - st.value[i, j])
                    st.pi[q, j] = st.R[q, j]
            match(st, p, i)
        realise(st.x, st.pi, p, who)


learner = Learner(
    name="cfr-plus",
    setting="game",
    source_tag="recalled",
    params=dict(random=0),
    state=STATE,
    begin=begin,
    act=act,
    learn=learn,
    text="Alternating updates, linear average.",
)
