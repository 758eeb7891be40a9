"""The wheel: a centre from which one action jumps to a random state of the ring, and a ring with a noisy action.

State 0 is the centre, states 1..S-1 the ring. Actions on the ring: 0 left (state s-1, cyclic), 1 right (s+1), 2 stay, 3
centre, 4 noisy (one of these four outcomes, each with probability 1/4; on small rings some coincide and add up). In the
centre action 4 spins: it jumps to a state of the ring, uniformly; actions 0 to 3 stay. P (S,5,S), r (S,5).

The source is free of rewards: r = 0. With `reward` x > 0 every action in state S-1 earns x.
Source: Tarbouriech, Shekhar, Pirotta, Ghavamzadeh and Lazaric (2020) [source]; that the spin is action 4 [derived].

Exact: S = 5: diameter 2, D_s = (1, 2, 2, 2, 2) with D_s the largest minimal hitting time of s; S = 10: diameter 4.
"""

from __future__ import annotations

import numpy as np

from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP
from theorylab.parameters import integer, number, room


def build(states: int = 5, reward: float = 0.0, criterion: Criterion = AVERAGE_REWARD) -> TabularMDP:
    """The wheel with `states` >= 2 states and 0 <= reward <= 1 in the last one."""
    S = integer("wheel", "states", states, 2)
    x = number("wheel", "reward", reward, 0.0, 1.0)
    room("wheel", "P", S, 5, S)
    ring = S - 1
    P = np.zeros((S, 5, S))
    P[0, :4, 0] = 1.0
    P[0, 4, 1:] = 1.0 / ring
    for k in range(ring):
        for a, s2 in enumerate((1 + (k - 1) % ring, 1 + (k + 1) % ring, 1 + k, 0)):
            P[1 + k, a, s2] = 1.0
            P[1 + k, 4, s2] += 0.25
    r = np.zeros((S, 5))
    r[S - 1] = x
    return TabularMDP(P=P, r=r, criterion=criterion, name=f"wheel-{S}" + (f"-reward{x:g}" if x else ""))


family = Family(
    name="wheel",
    build=build,
    setting="mdp",
    cite="tarbouriech2020",
    source_tag="source",
    text="A centre that spins to a random state of the ring, and a ring with a noisy action; no rewards.",
    tags=("communicating", "average", "reward-free"),
    published=(
        Published(
            name="wheel-5",
            params={},
            digest="5911c7dbb3f45215",
            known={"diameter": "2"},
            text="The size of the source's experiments.",
        ),
        Published(
            name="wheel-10",
            params={"states": 10},
            digest="b7b01923c6f66622",
            known={"diameter": "4"},
            text="The size of the source's experiments.",
        ),
    ),
)
