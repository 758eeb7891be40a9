"""Uniform play in a bandit: the reference that a bound with teeth must refute. No state.

Arm floor(A u) with u addressed by the round, so each round is independent of everything else.
"""

from __future__ import annotations

from theorylab.kernel import LEARNER, draw, kernel
from theorylab.learner import Learner


@kernel
def begin(st, p):
    """Nothing to prepare."""
    st.nothing[0] = 0.0


@kernel
def act(st, p, t, rng):
    """An arm uniformly at random."""
    u, _ = draw(rng, t, 0, LEARNER)
    return int(u * p.A)


@kernel
def learn(st, p, t, a, r):
    """Nothing is learnt."""
    st.nothing[0] = 0.0


learner = Learner(
    name="uniform",
    setting="bandit",
    begin=begin,
    act=act,
    learn=learn,
    source_tag="derived",
    text="Uniform play; no theorem, only a reference.",
)
