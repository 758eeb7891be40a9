"""MOSS, the minimax optimal strategy in the stochastic case. Stochastic bandits, A arms, rewards in [0, 1].

    play each arm once; then argmax_j  mean_j + scale * sqrt(max(ln(T / (A N_j)), 0) / N_j)

An index depends on the arm's own plays alone, so it is renewed when the arm is played and at no other time. The
learner knows the number of rounds T; putting the current round in its place gives another algorithm, which theorem 24
does not cover. An arm that was never played has the index +infinity, hence the first A rounds in order.
State: N (A,) plays, total (A,) reward sums, ucb (A,) indices (reward units; 0 before the first play).
`scale` multiplies the width and is 1 in the theorem. Ties go to the lowest arm. Cost: one logarithm and O(A)
comparisons a round.
Source: audibert2010, the strategy of theorem 24 [source].
"""

from __future__ import annotations

from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Zero counts, sums and indices."""
    for a in range(p.A):
        st.N[a] = 0
        st.total[a] = 0.0
        st.ucb[a] = 0.0


@kernel
def act(st, p, t, rng):
    """The arm with the largest index; the first A rounds play each arm once."""
    if t < p.A:
        return t
    top = st.ucb[0]
    for a in range(1, p.A):
        top = max(top, st.ucb[a])
    best = 0
    while best < p.A - 1 and st.ucb[best] != top:  # a compare-and-branch search of the arms would mispredict
        best += 1
    return best


@kernel
def learn(st, p, t, a, r):
    """Count the play, add the reward and renew the index of the arm that was played."""
    st.N[a] += 1
    st.total[a] += r
    n = float(st.N[a])
    st.ucb[a] = st.total[a] / n + p.scale * sqrt(max(log(p.T / (p.A * n)), 0.0) / n)


learner = Learner(
    name="moss",
    setting="bandit",
    cite="audibert2010",
    source_tag="source",
    params=dict(scale=1.0),
    state=dict(N=i8["A"], total=f8["A"], ucb=f8["A"]),
    begin=begin,
    act=act,
    learn=learn,
    text=(
        "Index mean + scale * sqrt(max(ln(T/(A N)), 0)/N) with the horizon T of the run, renewed for the arm that was "
        "played; ties to the lowest arm, which the paper leaves open."
    ),
)
