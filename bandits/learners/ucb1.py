"""UCB1: the optimistic index policy with Hoeffding widths. Stochastic bandits, A arms, rewards in [0, 1].

    play each arm once; then argmax_j  mean_j + scale * sqrt(2 ln n / N_j),   n = rounds played so far

State: N (A,) plays, total (A,) reward sums, ucb (A,) the indices of the last decision (reward units).
`scale` is 1 in the theorem. Ties go to the lowest arm. Cost O(A) a round.
Source: auer2002, figure 1 [recalled]; the constant 2 and the clock n agree with the notes' golden index 1.459705.
"""

from __future__ import annotations

from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Zero counts and sums."""
    for a in range(p.A):
        st.N[a] = 0
        st.total[a] = 0.0
        st.ucb[a] = 0.0


@kernel
def act(st, p, t, rng):
    """The arm with the largest index; the first A rounds play each arm once."""
    if t < p.A:
        return t
    two_log = 2.0 * log(float(t))
    for a in range(p.A):  # apart from the search, so that a compiler can vectorise it
        n = float(st.N[a])
        st.ucb[a] = st.total[a] / n + p.scale * sqrt(two_log / n)
    top = st.ucb[0]
    for a in range(1, p.A):
        top = max(top, st.ucb[a])
    best = 0
    while best < p.A - 1 and st.ucb[best] != top:  # a compare-and-branch search of the arms would mispredict
        best += 1
    return best


@kernel
def learn(st, p, t, a, r):
    """Count the play and add the reward."""
    st.N[a] += 1
    st.total[a] += r


learner = Learner(
    name="ucb1",
    setting="bandit",
    cite="auer2002",
    source_tag="recalled",
    params=dict(scale=1.0),
    state=dict(N=i8["A"], total=f8["A"], ucb=f8["A"]),
    begin=begin,
    act=act,
    learn=learn,
    text="Index mean + scale * sqrt(2 ln n / N), n counting all rounds, the first A included; ties to the lowest arm.",
)
