"""Epsilon-greedy: with probability epsilon an arm at random, else the one with the largest mean. Bandits, A arms.

State: N (A,) plays, total (A,) reward sums. Each arm is played once first. Ties to the lowest arm. Cost O(A) a round.
Source: textbook (Lattimore and Szepesvari, Bandit Algorithms, 2020, chapter 6) [recalled].
"""

from __future__ import annotations

from theorylab.kernel import LEARNER, draw, kernel
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """No plays yet."""
    for a in range(p.A):
        st.N[a] = 0
        st.total[a] = 0.0


@kernel
def act(st, p, t, rng):
    """Each arm once; then one draw decides whether to explore, its second half which arm."""
    if t < p.A:
        return t
    u, v = draw(rng, t, 0, LEARNER)
    if u < p.epsilon:
        return int(v * p.A)
    best = 0
    for a in range(1, p.A):
        if st.total[a] / st.N[a] > st.total[best] / st.N[best]:
            best = a
    return best


@kernel
def learn(st, p, t, a, r):
    """Count the play and add the reward."""
    st.N[a] += 1
    st.total[a] += r


learner = Learner(
    name="epsilon-greedy",
    setting="bandit",
    cite="lattimore2020",
    source_tag="recalled",
    params=dict(epsilon=0.1),
    state=dict(N=i8["A"], total=f8["A"]),
    begin=begin,
    act=act,
    learn=learn,
    text="A constant epsilon; ties to the lowest arm.",
)
