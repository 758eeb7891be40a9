"""Fictitious play in extensive form (XFP): both players answer the other's average so far by a best response.

    b_t          a best response of each player to the average plans X_t / t, ties to the lowest action
    X_{t+1}    = X_t + x(b_t)           X_1 = the plans of the uniform policy, or of a random one (`random` = 1)

What it stands for is the average. State: pi, the best responses; x, plans; g, values; total = X.
Source: heinrich2015 [recalled].
"""

from __future__ import annotations

from theorylab.games.kernels import BOTH, LANES, add_plan, behave, best_reply, gradient, realise, start
from theorylab.kernel import kernel
from theorylab.learner import Learner, f8


@kernel
def begin(st, p, rng):
    """The plans of the first policy."""
    start(st.pi, p, rng)
    realise(st.total, st.pi, p, BOTH)


@kernel
def act(st, p, pi):
    """The average policy."""
    behave(pi, st.total, p)


@kernel
def learn(st, p, t, rng):
    """Best responses to the averages, and their plans."""
    for q in range(p.Q):
        for j in range(LANES):
            st.x[q, j] = st.total[q, j] / (t + 1.0)
    gradient(st.g, st.x, p, BOTH)
    best_reply(st.pi, st.g, p, BOTH)
    realise(st.x, st.pi, p, BOTH)
    add_plan(st.total, st.x, p, 1.0, BOTH)


learner = Learner(
    name="fictitious-play",
    setting="game",
    cite="heinrich2015",
    source_tag="recalled",
    params=dict(random=0),
    state=dict(pi=f8["Q"], x=f8["Q"], g=f8["Q"], total=f8["Q"]),
    begin=begin,
    act=act,
    learn=learn,
    text="Weight 1/(t+1) on the best response of iteration t, mixed by plans; the start is uniform.",
)
