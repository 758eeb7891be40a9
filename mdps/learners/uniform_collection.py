"""Uniform collection: uniform play until b(s,a) samples of every pair have come by. A reference for GOSPRL.

The action of step t is floor(A u), u addressed by t. Rewards are ignored and nothing is planned. State: the
requirement's fields of `_collection`; `finished` holds the completion time in steps, or -1. No theorem, only a
reference [derived].
"""

from __future__ import annotations

from mdps.learners._collection import ARRAYS, REQUIREMENT, accepts, begin, count, requirement
from theorylab.kernel import LEARNER, draw, kernel
from theorylab.learner import Learner


@kernel
def act(st, p, t, s, rng):
    """An action uniformly at random."""
    u, _ = draw(rng, t, 0, LEARNER)
    return int(u * p.A)


@kernel
def learn(st, p, t, s, a, r, s2):
    """Count the step."""
    count(st, p, t, s, a)


learner = Learner(
    name="uniform-collection",
    setting="average",
    source_tag="derived",
    params=dict(samples=1),
    arrays=ARRAYS,
    state=dict(REQUIREMENT),
    derive=requirement,
    accepts=accepts,
    begin=begin,
    act=act,
    learn=learn,
    text="Uniform play that records when the requirement is met; the same actions as `uniform`.",
)
