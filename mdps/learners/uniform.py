"""Uniform play in an MDP: the reference that a bound with teeth must refute. No state.

The action of episode k at (h, s), or of step t, is floor(A u) with u addressed by (k, (h, s)) or t. In an episode
this draws one deterministic Markov policy uniformly, whose exact value has the uniform policy's as its mean.
"""

from __future__ import annotations

from theorylab.kernel import LEARNER, draw, kernel
from theorylab.learner import Learner


@kernel
def begin(st, p):
    """Nothing to prepare."""
    st.nothing[0] = 0.0


@kernel
def act_episodic(st, p, k, h, s, rng):
    """The action of this episode's random policy at (h, s)."""
    u, _ = draw(rng, k, h * p.S + s, LEARNER)
    return int(u * p.A)


@kernel
def learn_episodic(st, p, k, h, s, a, r, s2):
    """Nothing is learnt."""
    st.nothing[0] = 0.0


@kernel
def act_average(st, p, t, s, rng):
    """An action uniformly at random."""
    u, _ = draw(rng, t, 0, LEARNER)
    return int(u * p.A)


@kernel
def learn_average(st, p, t, s, a, r, s2):
    """Nothing is learnt."""
    st.nothing[0] = 0.0


TEXT = "Uniform play; no theorem, only a reference."
learner = (
    Learner(
        name="uniform",
        setting="episodic",
        begin=begin,
        act=act_episodic,
        learn=learn_episodic,
        source_tag="derived",
        text=TEXT,
    ),
    Learner(
        name="uniform",
        setting="average",
        begin=begin,
        act=act_average,
        learn=learn_average,
        source_tag="derived",
        text=TEXT,
    ),
)
